//! Virtual time: what is to happen, in order, and chance.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use uuid::Uuid;

use super::clients::{AttemptId, Clients};
use super::database::Database;
use super::journal::Batch;
use super::script::{Action, Fault, Script};
use super::server::{Read, Server, Slot, SlotId};
use crate::conversation::core::{Defects, Input, LoadQuery, Timer};
use crate::domain::{Conversation, ConversationId};

/// After this many steps of one run something goes round in circles.
const MAX_STEPS: u64 = 400_000;

/// Something that is to happen.
pub(super) enum Happening {
    /// A step of the script.
    Step(usize),
    /// A request reaches its server.
    Attempt(AttemptId),
    /// Its caller gives up.
    GiveUp(AttemptId),
    /// A call is made once more.
    Retry(usize),
    /// A listener reconnects.
    Return(usize),
    /// A machine takes a message out of its mailbox.
    Mailbox(SlotId),
    /// What a machine has asked for is there.
    Input(SlotId, Input),
    Timer(SlotId, Timer, u64),
    Read(SlotId, Read),
    RestOfLoad(SlotId, LoadQuery, Option<Box<Conversation>>),
    /// A server's batch reaches the database, and its outcome the server, in this life of the server.
    CommitArrives(usize, u64),
    CommitReported(usize, u64),
    LateCommit(Batch),
    Restart(usize),
}

/// Everything in a run.
pub(super) struct World {
    pub(super) script: Script,
    pub(super) defects: Defects,
    pub(super) id: ConversationId,
    rng: StdRng,
    /// Microseconds since the run began.
    pub(super) now: u64,
    /// The same, for the machines' environments.
    pub(super) clock: Rc<Cell<u64>>,
    pub(super) started: Instant,
    agenda: BTreeMap<(u64, u64), Happening>,
    planned: u64,
    /// No fault strikes any more.
    is_healed: bool,
    pub(super) database: Database,
    pub(super) servers: Vec<Server>,
    pub(super) slots: Vec<Slot>,
    pub(super) clients: Clients,
    pub(super) failures: Vec<String>,
    pub(super) trace: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(script: Script, defects: Defects, is_traced: bool) -> Self {
        let clients = Clients::new(&script);
        Self {
            id: ConversationId(Uuid::from_u64_pair(script.seed, 1)),
            rng: StdRng::seed_from_u64(script.seed ^ 0x5157_4954_4348),
            defects,
            now: 0,
            clock: Rc::default(),
            started: Instant::now(),
            agenda: BTreeMap::new(),
            planned: 0,
            is_healed: false,
            database: Database::default(),
            servers: (0..script.servers).map(|_| Server::new()).collect(),
            slots: Vec::new(),
            clients,
            failures: Vec::new(),
            trace: is_traced.then(Vec::new),
            script,
        }
    }

    /// The script with its faults; then all is well, everything that is unfinished is finished, and each server is asked
    /// once more, which makes it publish what others have stored.
    pub(super) fn run(&mut self) {
        let mut at = 0;
        for number in 0..self.script.steps.len() {
            at += self.script.steps[number].pause;
            self.later(at, Happening::Step(number));
        }
        self.run_until(at + 1, |_| false);
        self.note(|| "no more faults".to_owned());
        self.is_healed = true;
        for server in 0..self.servers.len() {
            self.servers[server].is_up = true;
        }
        self.finish();
        // As long as events are in doubt the servers look for them without being asked.
        let quiet = self.now + 8_000_000;
        self.run_until(quiet, |_| false);
        self.check_in_doubt();
        for _ in 0..2 {
            for server in 0..self.servers.len() {
                self.call_at(server, Action::Claim(0));
                self.finish();
            }
        }
        let quiet = self.now + 500_000;
        self.run_until(quiet, |_| false);
    }

    /// Until every call is answered and every listener attached.
    fn finish(&mut self) {
        let deadline = self.now + 60_000_000;
        self.run_until(deadline, |world| world.clients.are_done());
        if self.failures.is_empty() && !self.clients.are_done() {
            self.fail(format!("not done after a minute: {}", self.clients.unfinished()));
        }
    }

    fn run_until(&mut self, end: u64, is_done: impl Fn(&Self) -> bool) {
        while self.failures.is_empty() && !is_done(self) {
            let Some(entry) = self.agenda.first_entry() else { break };
            if entry.key().0 > end {
                break;
            }
            let ((at, number), happening) = entry.remove_entry();
            if number > MAX_STEPS {
                self.fail("it goes round in circles".to_owned());
                return;
            }
            self.now = self.now.max(at);
            self.clock.set(self.now);
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Step(number) => self.step(number),
            Happening::Attempt(attempt) => self.attempt_arrives(attempt),
            Happening::GiveUp(attempt) => self.give_up(attempt),
            Happening::Retry(call) => self.retry(call),
            Happening::Return(listener) => self.subscribe(listener, None),
            Happening::Mailbox(slot) => self.receive(slot),
            Happening::Input(slot, input) => self.input(slot, input),
            Happening::Timer(slot, timer, setting) => self.tick(slot, timer, setting),
            Happening::Read(slot, read) => self.read(slot, read),
            Happening::RestOfLoad(slot, load, state) => self.rest_of_load(slot, &load, state),
            Happening::CommitArrives(server, life) => self.commit_arrives(server, life),
            Happening::CommitReported(server, life) => self.commit_reported(server, life),
            Happening::LateCommit(batch) => self.late_commit(&batch),
            Happening::Restart(server) => self.servers[server].is_up = true,
        }
    }

    fn step(&mut self, number: usize) {
        let step = self.script.steps[number];
        match step.action {
            Action::Subscribe(listener) => self.subscribe(listener, Some(step.server)),
            Action::Disconnect(listener) => self.disconnect(listener),
            Action::Crash if self.script.has(Fault::Crashes) => self.crash(step.server),
            Action::Evict if self.script.has(Fault::Evictions) => self.evict(step.server),
            Action::Crash | Action::Evict => {}
            Action::MakeRoom => self.make_room(step.server),
            action => self.call_at(step.server, action),
        }
    }

    /// Has something happen so many microseconds later.
    pub(super) fn later(&mut self, pause: u64, happening: Happening) {
        self.planned += 1;
        self.agenda.insert((self.now + pause, self.planned), happening);
    }

    /// Whether a fault may strike now.
    pub(super) fn strikes(&self, fault: Fault) -> bool {
        !self.is_healed && self.script.has(fault)
    }

    pub(super) fn chance(&mut self, of: u32, among: u32) -> bool {
        self.rng.random_ratio(of, among)
    }

    /// From `low` on, below `high`.
    pub(super) fn number(&mut self, low: u64, high: u64) -> u64 {
        self.rng.random_range(low..high)
    }

    pub(super) fn read_time(&mut self) -> u64 {
        self.time(50, 900)
    }

    pub(super) fn commit_time(&mut self) -> u64 {
        self.time(100, 1_500)
    }

    pub(super) fn network_time(&mut self) -> u64 {
        self.time(5, 500)
    }

    fn time(&mut self, low: u64, high: u64) -> u64 {
        if self.strikes(Fault::Slowness) && self.chance(1, self.script.slow_one_in) {
            return self.number(high, 40_000);
        }
        self.number(low, high)
    }

    pub(super) fn read_fails(&mut self) -> bool {
        self.strikes(Fault::FailedReads) && self.chance(1, 12)
    }

    pub(super) fn fail(&mut self, what: String) {
        self.note(|| format!("FAILURE: {what}"));
        self.failures.push(what);
    }

    /// Writes a line of the trace, if there is one.
    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9} {}", now, line()));
        }
    }
}
