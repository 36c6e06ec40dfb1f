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

/// A wake-up that is no later than this is on time: timers are no finer.
const SLACK: Duration = Duration::from_millis(2);

/// See the module. All of it lives on one thread.
pub(super) struct RunState {
    pub(super) options: Options,
    pub(super) endpoint: Rc<Endpoint>,
    pub(super) accounts: Accounts,
    pub(super) history: RefCell<History>,
    pub(super) statistics: RefCell<Statistics>,
    /// Goes up with every event at a socket, so that silence can be seen.
    pub(super) events: Cell<u64>,
    /// The current phase, for the progress display.
    pub(super) stage: Cell<&'static str>,
    persons: RefCell<HashMap<String, Person>>,
    conversations: RefCell<HashMap<String, Conversation>>,
    /// By call, when its message was due.
    due: RefCell<Vec<Elapsed>>,
    /// By conversation, the highest place that was acknowledged.
    highest: RefCell<Vec<i64>>,
    mark: String,
    chance: RefCell<StdRng>,
    began: Instant,
    stop: watch::Sender<bool>,
}

impl RunState {
    pub(super) fn new(options: Options, endpoint: Rc<Endpoint>, accounts: Accounts) -> Rc<Self> {
        // In the other scenarios people wait for more than their answer.
        let at_full_speed = [Scenario::Sends, Scenario::Hot, Scenario::Claims, Scenario::Fanout];
        let closed_loop = options.rate.is_none() && at_full_speed.contains(&options.scenario);
        let chance = StdRng::seed_from_u64(options.seed);
        // Distinguishes this run's messages from those of earlier runs, whatever the seed.
        let mark = format!("loadtest-{:08x}-", rand::random::<u32>());
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
            stage: Cell::new("getting ready"),
            persons: RefCell::new(persons),
            conversations: RefCell::default(),
            due: RefCell::default(),
            highest: RefCell::default(),
            mark,
            chance: RefCell::new(chance),
            began: Instant::now(),
            stop: watch::Sender::new(false),
        })
    }

    pub(super) fn now(&self) -> Elapsed {
        Elapsed::after(self.began.elapsed())
    }

    /// This time as an instant of the timer.
    pub(super) fn instant(&self, moment: Elapsed) -> tokio::time::Instant {
        (self.began + Duration::from_nanos(moment.0)).into()
    }

    pub(super) fn http(&self, account: &Account) -> Http {
        Http::new(&self.endpoint, &account.token)
    }

    /// Nobody begins anything any more.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(super) fn is_over(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until it is over.
    pub(super) async fn over(&self) {
        let mut stop = self.stop.subscribe();
        let _ = stop.wait_for(|over| *over).await;
    }

    /// Waits so long, or until it is over: whether it is not.
    pub(super) async fn pause(&self, duration: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(duration) => !self.is_over(),
            () = self.over() => false,
        }
    }

    /// A number from nothing up to one.
    pub(super) fn chance(&self) -> f64 {
        self.chance.borrow_mut().random_range(0.0..1.0)
    }

    /// A thinking time: exponentially distributed, at most five times the mean.
    pub(super) fn thinking(&self) -> Duration {
        let share = (-(1.0 - self.chance()).ln()).min(5.0);
        self.options.think.mul_f64(share)
    }

    pub(super) fn person(&self, name: &str) -> Person {
        if let Some(person) = self.persons.borrow().get(name) {
            return *person;
        }
        // Somebody who works in this deployment. They are none of ours, so what they do is not known to us.
        let person = self.history.borrow_mut().add_person(name, true);
        self.persons.borrow_mut().insert(name.to_owned(), person);
        person
    }

    pub(super) fn conversation(&self, id: &str) -> Option<Conversation> {
        self.conversations.borrow().get(id).copied()
    }

    pub(super) fn opened(&self, conversation: Conversation, id: &str) {
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

    pub(super) fn is_due(&self, call: Call, due: Elapsed) {
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

    pub(super) fn acknowledged(&self, conversation: Conversation, seq: i64) {
        let mut highest = self.highest.borrow_mut();
        let at = conversation.0 as usize;
        if highest.len() <= at {
            highest.resize(at + 1, 0);
        }
        if let Some(place) = highest.get_mut(at) {
            *place = seq.max(*place);
        }
    }

    pub(super) fn highest(&self, conversation: Conversation) -> i64 {
        self.highest.borrow().get(conversation.0 as usize).copied().unwrap_or(0)
    }

    /// The prefix of this run's messages, which the call's number and a dash follow.
    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    /// Which message a text is.
    pub(super) fn message(&self, id: &str, text: &str) -> Message {
        let call = text.strip_prefix(self.mark.as_str()).and_then(|rest| rest.split_once('-')?.0.parse::<u32>().ok());
        match call.filter(|call| (*call as usize) < self.history.borrow().calls().len()) {
            Some(call) => Message::Of(Call(call)),
            None => Message::Foreign(fingerprint(id)),
        }
    }

    /// One of ours, where what lists show of it says so.
    pub(super) fn ours(&self, preview: &str) -> Option<Call> {
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

    /// Notes what went wrong with a request.
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

/// When a worker makes its next request: at its share of the rate, or immediately after the last one.
pub(super) struct Pace {
    every: Option<Duration>,
    next: Elapsed,
}

impl Pace {
    /// Of the `number`-th of `of` who share the plan's rate. They take turns.
    pub(super) fn of(run_state: &RunState, number: usize, of: usize) -> Self {
        let (number, of) = (number as f64, of as f64);
        let every = run_state.options.rate.map(|rate| Duration::from_secs_f64(of / rate));
        let offset = every.map_or(Duration::ZERO, |every| every.mul_f64(number / of));
        Self { every, next: Elapsed(run_state.now().0 + Elapsed::after(offset).0) }
    }

    /// Waits for the next turn: when it was due. Nothing when it is over.
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
