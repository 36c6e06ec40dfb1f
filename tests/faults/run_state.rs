//! What everybody in a run shares: what happened, chance, and whether it is over.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use switchboard_loadtest::history::{Call, Conversation, Elapsed, History, Listener, Message, Outcome, Person};

use super::fault::Fault;

/// See the module. All of it lives on one thread.
pub(crate) struct World {
    pub(crate) history: RefCell<History>,
    /// Conversations that have an id, and whose they are.
    pub(crate) known: RefCell<Vec<(Conversation, String, Person)>>,
    /// Handovers that wait for an answer: of which call, the server's id, to whom.
    pub(crate) offers: RefCell<Vec<(Conversation, Call, String, Person)>>,
    /// Those who joined without asking for what was before.
    pub(crate) blind: RefCell<Vec<Listener>>,
    /// Whether 500 is excused: the server has a defect that makes its actors panic.
    pub(crate) actors_panic: bool,
    /// Answers that no fault excuses.
    pub(crate) odd: RefCell<Vec<String>>,
    /// How often what came out.
    pub(crate) tally: RefCell<BTreeMap<String, u32>>,
    /// Which faults have done something to somebody.
    struck: RefCell<HashSet<Fault>>,
    chance: RefCell<StdRng>,
    /// Where servers log, for a run that hangs.
    pub(crate) logs: RefCell<Vec<PathBuf>>,
    /// When it came how far, in milliseconds.
    stages: RefCell<String>,
    began: Instant,
    over: Cell<bool>,
}

impl World {
    pub(crate) fn new(seed: u64, actors_panic: bool) -> Rc<Self> {
        Rc::new(Self {
            history: RefCell::new(History::new()),
            known: RefCell::default(),
            offers: RefCell::default(),
            blind: RefCell::default(),
            actors_panic,
            odd: RefCell::default(),
            tally: RefCell::default(),
            struck: RefCell::default(),
            chance: RefCell::new(StdRng::seed_from_u64(seed)),
            logs: RefCell::default(),
            stages: RefCell::default(),
            began: Instant::now(),
            over: Cell::new(false),
        })
    }

    pub(crate) fn now(&self) -> Elapsed {
        Elapsed::after(self.began.elapsed())
    }

    /// It has come so far.
    pub(crate) fn reaches(&self, stage: &str) {
        self.stages.borrow_mut().push_str(&format!(" {stage} {} ms", self.began.elapsed().as_millis()));
    }

    /// How far it came when.
    pub(crate) fn stages(&self) -> String {
        self.stages.borrow().clone()
    }

    /// What servers have logged in this run, in all their lives.
    pub(crate) fn logged(&self) -> String {
        let logs = self.logs.borrow();
        let read = logs.iter().map(|file| std::fs::read(file).unwrap_or_default());
        read.map(|log| format!("--- a server's life\n{}", String::from_utf8_lossy(&log))).collect()
    }

    pub(crate) fn end(&self) {
        self.over.set(true);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    pub(crate) fn dice(&self, range: Range<u64>) -> u64 {
        self.chance.borrow_mut().random_range(range)
    }

    /// One of them; there must be one.
    pub(crate) fn pick<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.dice(0..of.len() as u64)).unwrap()]
    }

    pub(crate) async fn pause(&self, milliseconds: Range<u64>) {
        let pause = Duration::from_millis(self.dice(milliseconds));
        tokio::time::sleep(pause).await;
    }

    pub(crate) fn count(&self, what: impl Into<String>) {
        *self.tally.borrow_mut().entry(what.into()).or_default() += 1;
    }

    pub(crate) fn is_odd(&self, what: impl Into<String>) {
        self.odd.borrow_mut().push(what.into());
    }

    /// This fault has done something to somebody.
    pub(crate) fn strikes(&self, fault: Fault) {
        self.struck.borrow_mut().insert(fault);
    }

    /// Which of these have not, of those that come and go.
    pub(crate) fn never_struck(&self, planned: &[Fault]) -> Vec<Fault> {
        let struck = self.struck.borrow();
        planned.iter().copied().filter(|fault| fault.comes_and_goes() && !struck.contains(fault)).collect()
    }

    /// How many messages that customers see are known to be stored.
    pub(crate) fn acknowledged(&self) -> u64 {
        let history = self.history.borrow();
        let calls = history.conversations().flat_map(|(_, record)| &record.calls);
        calls.map(|call| u64::from(matches!(history[*call].outcome, Outcome::Ok { seq: Some(_) }))).sum()
    }

    /// Which message a text is.
    pub(crate) fn message(&self, text: &str) -> Message {
        match text.strip_prefix("call ").and_then(|number| number.parse().ok()) {
            Some(number) => Message::Of(Call(number)),
            None => Message::Foreign(0),
        }
    }

    /// Whose conversations this customer can go on with, or all of them.
    pub(crate) fn conversations(&self, of: Option<Person>) -> Vec<(Conversation, String)> {
        let known = self.known.borrow();
        let theirs = known.iter().filter(|(_, _, owner)| of.is_none_or(|of| of == *owner));
        theirs.map(|(conversation, id, _)| (*conversation, id.clone())).collect()
    }
}
