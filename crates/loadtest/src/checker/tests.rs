//! Histories with a fault planted in them.

mod messages;
mod ownership;

use super::*;
use crate::history::{
    Action, Call, Elapsed, FinalRead, FinalState, Listener, Message, Notice, Outcome, Person, RefusalKind,
};

const DONE: Outcome = Outcome::Ok { seq: None };
const HELD: Outcome = Outcome::Refused(RefusalKind::HeldByAnother);
const LATE: Outcome = Outcome::Refused(RefusalKind::Closed);

/// Records a conversation of one customer and two agents, with a clock that advances at each step.
struct Tape {
    history: History,
    conversation: Conversation,
    jane: Person,
    sarah: Person,
    mike: Person,
    now: u64,
}

impl Tape {
    fn new() -> Self {
        let mut history = History::new();
        let (jane, sarah, mike) =
            (history.add_person("jane", false), history.add_person("sarah", true), history.add_person("mike", true));
        let conversation = history.add_conversation(jane);
        Self { history, conversation, jane, sarah, mike, now: 0 }
    }

    fn tick(&mut self) -> Elapsed {
        self.now += 1000;
        Elapsed(self.now)
    }

    fn ask(&mut self, by: Person, action: Action) -> Call {
        let now = self.tick();
        self.history.invoke(self.conversation, by, action, now)
    }

    fn answer(&mut self, call: Call, outcome: Outcome) {
        let now = self.tick();
        self.history.finish(call, outcome, now);
    }

    fn does(&mut self, by: Person, action: Action, outcome: Outcome) -> Call {
        let call = self.ask(by, action);
        self.answer(call, outcome);
        call
    }

    /// The n-th message, acknowledged.
    fn sends(&mut self, seq: i64) -> Call {
        let action = if seq == 1 { Action::Open } else { Action::Send };
        self.does(self.jane, action, Outcome::Ok { seq: Some(seq) })
    }

    fn joins(&mut self, person: Person) -> Listener {
        let listener = self.history.add_listener(self.conversation, person, false);
        let now = self.tick();
        self.history.complete_join(listener, now);
        listener
    }

    fn shows(&mut self, listener: Listener, seq: i64, call: Call) {
        let now = self.tick();
        self.history.record_shown(listener, seq, Message::Of(call), now);
    }

    fn notifies(&mut self, listener: Listener, notice: Notice) {
        let now = self.tick();
        self.history.record_notice(listener, notice, now);
    }

    fn reads_back(&mut self, calls: &[Call]) {
        let visible = (1..).zip(calls).map(|(seq, call)| (seq, Message::Of(*call))).collect();
        self.history.record_final_read(self.conversation, FinalRead { visible, ..FinalRead::default() });
    }

    fn reads_state(&mut self, owner: Option<Person>, closed: bool) {
        let mut stored = self.history[self.conversation].final_read.clone().unwrap_or_default();
        stored.state = Some(FinalState { owner, closed, rated: false });
        self.history.record_final_read(self.conversation, stored);
    }

    fn broken(&self) -> Vec<Promise> {
        let mut broken: Vec<Promise> = check(&self.history).violations.iter().map(|found| found.promise).collect();
        broken.sort_unstable();
        broken.dedup();
        broken
    }
}
