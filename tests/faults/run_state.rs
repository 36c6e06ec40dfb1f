//! What all tasks of a run share: its history, its random numbers, and whether it is over.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use switchboard_loadtest::history::{Call, Conversation, Elapsed, History, Listener, Message, Outcome, Person};

use super::fault::Fault;

/// Which faults have affected a connection, a server or a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects(Arc<Mutex<HashSet<Fault>>>);

impl Effects {
    pub(crate) fn record(&self, fault: Fault) {
        self.0.lock().insert(fault);
    }

    /// The temporary faults among these that have affected nothing.
    pub(crate) fn missing(&self, faults: &[Fault]) -> Vec<Fault> {
        let effective = self.0.lock();
        faults.iter().copied().filter(|fault| fault.is_temporary() && !effective.contains(fault)).collect()
    }
}

/// See the module. All of it is used on one thread, but for the effects, which proxies record.
pub(crate) struct RunState {
    pub(crate) history: RefCell<History>,
    /// Conversations whose id is known, and their customers.
    pub(crate) conversations: RefCell<Vec<(Conversation, String, Person)>>,
    /// Handovers to be answered: the call that requested one, its id, and its target.
    pub(crate) pending_handovers: RefCell<Vec<(Conversation, Call, String, Person)>>,
    /// Listeners that have joined without `after_seq`, and may be due nothing.
    pub(crate) without_backlog: RefCell<Vec<Listener>>,
    /// Whether the server has a defect that makes actors panic, so that it may answer 500.
    pub(crate) actors_panic: bool,
    /// Answers that no fault excuses.
    pub(crate) anomalies: RefCell<Vec<String>>,
    /// How often each outcome occurred.
    pub(crate) counts: RefCell<BTreeMap<String, u32>>,
    pub(crate) effects: Effects,
    random: RefCell<StdRng>,
    log_files: RefCell<Vec<PathBuf>>,
    /// The stages that the run has reached, with the time in milliseconds.
    stages: RefCell<String>,
    started: Instant,
    is_over: Cell<bool>,
}

impl RunState {
    pub(crate) fn new(seed: u64, actors_panic: bool) -> Rc<Self> {
        Rc::new(Self {
            history: RefCell::new(History::new()),
            conversations: RefCell::default(),
            pending_handovers: RefCell::default(),
            without_backlog: RefCell::default(),
            actors_panic,
            anomalies: RefCell::default(),
            counts: RefCell::default(),
            effects: Effects::default(),
            random: RefCell::new(StdRng::seed_from_u64(seed)),
            log_files: RefCell::default(),
            stages: RefCell::default(),
            started: Instant::now(),
            is_over: Cell::new(false),
        })
    }

    /// The time since the run's start.
    pub(crate) fn now(&self) -> Elapsed {
        Elapsed::after(self.started.elapsed())
    }

    pub(crate) fn reach(&self, stage: &str) {
        self.stages.borrow_mut().push_str(&format!(" {stage} {} ms", self.started.elapsed().as_millis()));
    }

    pub(crate) fn stages(&self) -> String {
        self.stages.borrow().clone()
    }

    pub(crate) fn add_log_file(&self, file: PathBuf) {
        self.log_files.borrow_mut().push(file);
    }

    /// The logs of all server processes of this run.
    pub(crate) fn logs(&self) -> String {
        let files = self.log_files.borrow();
        let logs = files.iter().map(|file| std::fs::read(file).unwrap_or_default());
        logs.map(|log| format!("--- a server process\n{}", String::from_utf8_lossy(&log))).collect()
    }

    pub(crate) fn end(&self) {
        self.is_over.set(true);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    pub(crate) fn random_in(&self, range: Range<u64>) -> u64 {
        self.random.borrow_mut().random_range(range)
    }

    /// One of these; there must be one.
    pub(crate) fn pick<'a, T>(&self, items: &'a [T]) -> &'a T {
        &items[usize::try_from(self.random_in(0..items.len() as u64)).unwrap()]
    }

    pub(crate) async fn pause(&self, milliseconds: Range<u64>) {
        let pause = Duration::from_millis(self.random_in(milliseconds));
        tokio::time::sleep(pause).await;
    }

    pub(crate) fn count(&self, outcome: impl Into<String>) {
        *self.counts.borrow_mut().entry(outcome.into()).or_default() += 1;
    }

    pub(crate) fn report_anomaly(&self, description: impl Into<String>) {
        self.anomalies.borrow_mut().push(description.into());
    }

    /// The number of acknowledged messages that customers see.
    pub(crate) fn acknowledged(&self) -> u64 {
        let history = self.history.borrow();
        let calls = history.conversations().flat_map(|(_, record)| &record.calls);
        calls.map(|call| u64::from(matches!(history[*call].outcome, Outcome::Ok { seq: Some(_) }))).sum()
    }

    /// The message that has this text: `call` and the number of the call that sent it.
    pub(crate) fn message(&self, text: &str) -> Message {
        match text.strip_prefix("call ").and_then(|number| number.parse().ok()) {
            Some(number) => Message::Of(Call(number)),
            None => Message::Foreign(0),
        }
    }

    /// The conversations of this customer, or all.
    pub(crate) fn conversations_of(&self, customer: Option<Person>) -> Vec<(Conversation, String)> {
        let conversations = self.conversations.borrow();
        let matching = conversations.iter().filter(|(_, _, owner)| customer.is_none_or(|customer| customer == *owner));
        matching.map(|(conversation, id, _)| (*conversation, id.clone())).collect()
    }
}
