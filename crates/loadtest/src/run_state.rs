//! The state that all workers of a run share: accounts, history, statistics, and whether it is over.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::watch;

use super::accounts::{Account, Accounts};
use super::endpoint::Endpoint;
use super::history::{Call, Conversation, Elapsed, History, Message, Person};
use super::http::{Answer, Http, HttpError};
use super::options::{Options, Scenario};
use super::statistics::{Operation, Statistics};

/// A wake-up within this time of its due time is on time: timers are no more exact.
const SLACK: Duration = Duration::from_millis(2);

/// See the module. It is confined to one thread.
pub(super) struct RunState {
    pub(super) options: Options,
    pub(super) endpoint: Rc<Endpoint>,
    pub(super) accounts: Accounts,
    pub(super) history: RefCell<History>,
    pub(super) statistics: RefCell<Statistics>,
    /// The number of events received by all sockets; the final read waits until it no longer changes.
    pub(super) events: Cell<u64>,
    /// The current phase, for the progress display.
    pub(super) stage: Cell<&'static str>,
    persons: RefCell<HashMap<String, Person>>,
    conversations: RefCell<HashMap<String, Conversation>>,
    /// By call, the time at which its message was due.
    due: RefCell<Vec<Elapsed>>,
    /// By conversation, the highest place that was acknowledged.
    highest: RefCell<Vec<i64>>,
    message_prefix: String,
    random: RefCell<StdRng>,
    began: Instant,
    stop: watch::Sender<bool>,
}

impl RunState {
    pub(super) fn new(options: Options, endpoint: Rc<Endpoint>, accounts: Accounts) -> Rc<Self> {
        // In the other scenarios accounts wait for more than an answer, so there is no omission to correct.
        let at_full_speed = [Scenario::Sends, Scenario::Hot, Scenario::Claims, Scenario::Fanout];
        let closed_loop = options.rate.is_none() && at_full_speed.contains(&options.scenario);
        let random = StdRng::seed_from_u64(options.seed);
        // Distinguishes this run's messages from those of earlier runs, whatever the seed.
        let message_prefix = format!("loadtest-{:08x}-", rand::random::<u32>());
        let mut history = History::new();
        let mut persons = HashMap::new();
        for (accounts, is_agent) in [(&accounts.customers, false), (&accounts.agents, true)] {
            for account in accounts {
                persons.insert(account.name.clone(), history.add_person(account.name.clone(), is_agent));
            }
        }
        Rc::new(Self {
            options,
            endpoint,
            accounts,
            history: RefCell::new(history),
            statistics: RefCell::new(Statistics::new(closed_loop)),
            events: Cell::new(0),
            stage: Cell::new("preparing"),
            persons: RefCell::new(persons),
            conversations: RefCell::default(),
            due: RefCell::default(),
            highest: RefCell::default(),
            message_prefix,
            random: RefCell::new(random),
            began: Instant::now(),
            stop: watch::Sender::new(false),
        })
    }

    pub(super) fn now(&self) -> Elapsed {
        Elapsed::after(self.began.elapsed())
    }

    /// This time as an instant of the timer.
    pub(super) fn instant(&self, at: Elapsed) -> tokio::time::Instant {
        (self.began + Duration::from_nanos(at.0)).into()
    }

    pub(super) fn http(&self, account: &Account) -> Http {
        Http::new(&self.endpoint, &account.token)
    }

    /// Ends the run: workers make no further calls.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(super) fn is_over(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the run is over.
    pub(super) async fn over(&self) {
        let mut stop = self.stop.subscribe();
        let _ = stop.wait_for(|over| *over).await;
    }

    /// Sleeps, or returns early when the run is over. Returns whether the run continues.
    pub(super) async fn pause(&self, duration: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(duration) => !self.is_over(),
            () = self.over() => false,
        }
    }

    /// A random number from 0 (inclusive) to 1 (exclusive).
    pub(super) fn random(&self) -> f64 {
        self.random.borrow_mut().random_range(0.0..1.0)
    }

    /// A thinking_time time: exponentially distributed, at most five times the mean.
    pub(super) fn thinking_time(&self) -> Duration {
        let share = (-(1.0 - self.random()).ln()).min(5.0);
        self.options.think.mul_f64(share)
    }

    pub(super) fn person(&self, name: &str) -> Person {
        if let Some(person) = self.persons.borrow().get(name) {
            return *person;
        }
        // An agent of the deployment: their own calls are not in the history.
        let person = self.history.borrow_mut().add_person(name, true);
        self.persons.borrow_mut().insert(name.to_owned(), person);
        person
    }

    pub(super) fn conversation(&self, id: &str) -> Option<Conversation> {
        self.conversations.borrow().get(id).copied()
    }

    pub(super) fn set_id(&self, conversation: Conversation, id: &str) {
        self.history.borrow_mut().set_label(conversation, id);
        self.conversations.borrow_mut().insert(id.to_owned(), conversation);
    }

    /// Every conversation that has an id.
    pub(super) fn ids(&self) -> Vec<(Conversation, String)> {
        let mut ids: Vec<(Conversation, String)> =
            self.conversations.borrow().iter().map(|(id, conversation)| (*conversation, id.clone())).collect();
        ids.sort_unstable();
        ids
    }

    pub(super) fn set_due(&self, call: Call, due: Elapsed) {
        let mut all = self.due.borrow_mut();
        let at = call.0 as usize;
        if all.len() <= at {
            all.resize(at + 1, Elapsed::NEVER);
        }
        if let Some(place) = all.get_mut(at) {
            *place = due;
        }
    }

    pub(super) fn due(&self, call: Call) -> Option<Elapsed> {
        self.due.borrow().get(call.0 as usize).copied().filter(|due| *due != Elapsed::NEVER)
    }

    pub(super) fn record_acknowledged(&self, conversation: Conversation, seq: i64) {
        let mut highest = self.highest.borrow_mut();
        let at = conversation.0 as usize;
        if highest.len() <= at {
            highest.resize(at + 1, 0);
        }
        if let Some(place) = highest.get_mut(at) {
            *place = seq.max(*place);
        }
    }

    pub(super) fn highest_acknowledged(&self, conversation: Conversation) -> i64 {
        self.highest.borrow().get(conversation.0 as usize).copied().unwrap_or(0)
    }

    /// The prefix of this run's messages, which the call's number and a dash follow.
    pub(super) fn message_prefix(&self) -> &str {
        &self.message_prefix
    }

    /// Identifies a message by its text.
    pub(super) fn message(&self, id: &str, text: &str) -> Message {
        let call = text
            .strip_prefix(self.message_prefix.as_str())
            .and_then(|rest| rest.split_once('-')?.0.parse::<u32>().ok());
        match call.filter(|call| (*call as usize) < self.history.borrow().calls().len()) {
            Some(call) => Message::Of(Call(call)),
            None => Message::Foreign(fingerprint(id)),
        }
    }

    /// The call of this run that sent a message, by its text or preview.
    pub(super) fn call_of_text(&self, preview: &str) -> Option<Call> {
        match self.message("", preview) {
            Message::Of(call) => Some(call),
            Message::Foreign(_) => None,
        }
    }

    pub(super) fn record(&self, operation: Operation, due: Elapsed) {
        self.statistics.borrow_mut().record(operation, due, self.now());
    }

    pub(super) fn error(&self, what: impl Into<String>) {
        self.statistics.borrow_mut().error(what);
    }

    pub(super) fn count(&self, what: &'static str) {
        self.statistics.borrow_mut().count(what);
    }

    /// Counts a failed request.
    pub(super) fn record_failure(&self, doing: &str, answer: &Result<Answer, HttpError>) {
        match answer {
            Err(error) => self.error(format!("{doing}: {error}")),
            Ok(answer) if answer.status == 429 => {
                self.statistics.borrow_mut().limited += 1;
            }
            Ok(answer) => self.error(format!("{doing}: HTTP {}", answer.status)),
        }
    }
}

fn fingerprint(id: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// The schedule of a worker's requests: at its share of the rate, or one immediately after another.
pub(super) struct Pace {
    every: Option<Duration>,
    next: Elapsed,
}

impl Pace {
    /// The schedule of worker `number` of `of` that share the rate. Their requests alternate.
    pub(super) fn of(run_state: &RunState, number: usize, of: usize) -> Self {
        let (number, of) = (number as f64, of as f64);
        let every = run_state.options.rate.map(|rate| Duration::from_secs_f64(of / rate));
        let offset = every.map_or(Duration::ZERO, |every| every.mul_f64(number / of));
        Self { every, next: Elapsed(run_state.now().0 + Elapsed::after(offset).0) }
    }

    /// Waits for the next request. Returns the time at which it is due; `None` when the run is over.
    pub(super) async fn next(&mut self, run_state: &RunState) -> Option<Elapsed> {
        let Some(every) = self.every else {
            return (!run_state.is_over()).then(|| run_state.now());
        };
        let due = self.next;
        self.next = Elapsed(due.0 + Elapsed::after(every).0);
        let now = run_state.now();
        if due > now {
            tokio::select! {
                () = tokio::time::sleep_until(run_state.instant(due)) => {}
                () = run_state.over() => return None,
            }
            let woken = run_state.now();
            return (!run_state.is_over()).then_some(if woken.since(due) <= SLACK { woken } else { due });
        }
        (!run_state.is_over()).then_some(due)
    }
}
