//! Every history of a faultless server is clean; a history with an injected fault is not.

use proptest::prelude::*;

use super::*;
use crate::history::{
    Action, Call, Elapsed, FinalRead, FinalState, Listener, Message, Notice, Outcome, Person, RefusalKind,
};

/// A call, the delays of its request and its answer, and whether one of them is lost.
#[derive(Clone, Debug)]
struct PlannedCall {
    begins: u64,
    there: u64,
    back: u64,
    kind: u8,
    agent: usize,
    answer_lost: bool,
    never_arrives: bool,
}

fn commands() -> impl Strategy<Value = Vec<PlannedCall>> {
    let command = (0_u64..2000, 0_u64..300, 0_u64..300, 0_u8..20, 0_usize..4, 0_u8..10).prop_map(
        |(begins, there, back, kind, agent, loss)| PlannedCall {
            begins,
            there,
            back,
            kind,
            agent,
            answer_lost: loss < 2,
            never_arrives: loss == 0,
        },
    );
    prop::collection::vec(command, 1..60)
}

/// A correct server: it applies calls one after another, in the order of arrival.
struct Faultless {
    history: History,
    conversation: Conversation,
    visible: Vec<Call>,
    agent_view: Vec<(i64, Option<i64>, Message)>,
    owner: Option<Person>,
    closed: bool,
    rated: bool,
    listeners: Vec<Listener>,
}

impl Faultless {
    fn run(commands: &[PlannedCall]) -> Self {
        let mut history = History::new();
        let jane = history.add_person("jane", false);
        let agents: Vec<Person> = (0..4).map(|number| history.add_person(format!("agent {number}"), true)).collect();
        let conversation = history.add_conversation(jane);
        let opening = history.invoke(conversation, jane, Action::Open, Elapsed(0));
        history.finish(opening, Outcome::Ok { seq: Some(1) }, Elapsed(1));
        let listeners =
            vec![history.add_listener(conversation, jane, false), history.add_listener(conversation, agents[0], false)];
        listeners.iter().for_each(|listener| history.complete_join(*listener, Elapsed(2)));
        let agent_view = vec![(2, Some(1), Message::Of(opening))];
        let visible = vec![opening];
        let mut server =
            Self { history, conversation, visible, agent_view, owner: None, closed: false, rated: false, listeners };

        // Calls are recorded in the order of invocation and take effect in the order of arrival.
        let mut commands: Vec<PlannedCall> = commands.to_vec();
        commands.sort_by_key(|command| command.begins);
        let mut arriving: Vec<(u64, Call, PlannedCall)> = Vec::new();
        for command in commands {
            let begins = 10 + command.begins;
            let (by, action) = match command.kind {
                0..=8 => (jane, Action::Send),
                9..=11 => (agents[command.agent], Action::Reply),
                12..=13 => (agents[command.agent], Action::Note),
                14..=17 => (agents[command.agent], Action::Claim),
                18 => (agents[command.agent], Action::Close),
                _ => (jane, Action::Rate),
            };
            let call = server.history.invoke(conversation, by, action, Elapsed(begins));
            arriving.push((begins + command.there, call, command));
        }
        arriving.sort_by_key(|(at, call, _)| (*at, *call));
        for (at, call, command) in arriving {
            let outcome = if command.never_arrives { Outcome::Unknown } else { server.does(call, at) };
            let outcome = if command.answer_lost { Outcome::Unknown } else { outcome };
            server.history.finish(call, outcome, Elapsed(at + command.back));
        }
        server.read_back();
        server
    }

    fn does(&mut self, call: Call, at: u64) -> Outcome {
        let record = self.history[call];
        let held = self.owner.is_some_and(|owner| owner != record.by);
        match record.action {
            Action::Rate if !self.closed => return Outcome::Refused(RefusalKind::NotClosed),
            Action::Rate if self.rated => return Outcome::Refused(RefusalKind::AlreadyRated),
            Action::Rate => self.rated = true,
            Action::Claim | Action::Reply if held => return Outcome::Refused(RefusalKind::HeldByAnother),
            _ if self.closed => return Outcome::Refused(RefusalKind::Closed),
            Action::Close => {
                self.closed = true;
                self.notify(Notice::Closed, at);
            }
            Action::Claim | Action::Reply if self.owner.is_none() => {
                self.owner = Some(record.by);
                self.notify(Notice::Claimed(record.by), at);
            }
            _ => {}
        }
        let position = self.agent_view.len() as i64 + 2;
        if record.action == Action::Note {
            self.agent_view.push((position, None, Message::Of(call)));
            self.history.record_notice(self.listeners[1], Notice::Note(Message::Of(call)), Elapsed(at));
        }
        if !record.action.is_visible() {
            return Outcome::Ok { seq: None };
        }
        self.visible.push(call);
        let seq = self.visible.len() as i64;
        self.agent_view.push((position, Some(seq), Message::Of(call)));
        for listener in self.listeners.clone() {
            self.history.record_shown(listener, seq, Message::Of(call), Elapsed(at));
        }
        Outcome::Ok { seq: Some(seq) }
    }

    fn notify(&mut self, notice: Notice, at: u64) {
        for listener in self.listeners.clone() {
            self.history.record_notice(listener, notice, Elapsed(at));
        }
    }

    fn read_back(&mut self) {
        let visible = (1..).zip(&self.visible).map(|(seq, call)| (seq, Message::Of(*call))).collect();
        let state = Some(FinalState { owner: self.owner, closed: self.closed, rated: self.rated });
        self.history.record_final_read(
            self.conversation,
            FinalRead { visible, agent_view: Some(self.agent_view.clone()), state },
        );
    }

    /// The acknowledged visible messages.
    fn acknowledged(&self) -> Vec<Call> {
        self.visible.iter().copied().filter(|call| self.history[*call].is_ok()).collect()
    }
}

proptest! {
    #[test]
    fn the_history_of_a_faultless_server_is_clean(commands in commands()) {
        let server = Faultless::run(&commands);
        let verdict = check(&server.history);
        prop_assert!(verdict.is_clean(), "{}", verdict.violations[0]);
        prop_assert_eq!(verdict.undecided, 0);
    }

    #[test]
    fn a_message_lost_from_storage_is_found(commands in commands(), which in any::<prop::sample::Index>()) {
        let mut server = Faultless::run(&commands);
        let lost = *which.get(&server.acknowledged());
        server.visible.retain(|call| *call != lost);
        server.agent_view.retain(|(.., message)| *message != Message::Of(lost));
        server.read_back();
        let verdict = check(&server.history);
        prop_assert!(verdict.violations.iter().any(|found| found.promise == Promise::NothingLost), "{:?}", verdict);
    }

    #[test]
    fn a_message_stored_twice_is_found(commands in commands(), which in any::<prop::sample::Index>()) {
        let mut server = Faultless::run(&commands);
        server.visible.push(*which.get(&server.visible.clone()));
        server.read_back();
        let verdict = check(&server.history);
        prop_assert!(verdict.violations.iter().any(|found| found.promise == Promise::NothingDoubled));
    }

    #[test]
    fn two_swapped_messages_are_found(commands in commands(), which in any::<prop::sample::Index>()) {
        let mut server = Faultless::run(&commands);
        prop_assume!(server.visible.len() > 1);
        let at = which.index(server.visible.len() - 1);
        server.visible.swap(at, at + 1);
        server.read_back();
        let verdict = check(&server.history);
        prop_assert!(verdict.violations.iter().any(|found| found.promise == Promise::OneOrder));
    }

    #[test]
    fn a_second_winner_is_found(commands in commands()) {
        let mut server = Faultless::run(&commands);
        let refused = server.history.calls().iter().position(|call| {
            matches!(call.action, Action::Claim | Action::Reply)
                && call.outcome == Outcome::Refused(RefusalKind::HeldByAnother)
        });
        prop_assume!(refused.is_some());
        let call = Call(refused.unwrap() as u32);
        let finished = server.history[call].finished;
        server.history.finish(call, Outcome::Ok { seq: None }, finished);
        let verdict = check(&server.history);
        prop_assert!(verdict.violations.iter().any(|found| found.promise == Promise::OneWinner));
    }

    #[test]
    fn an_answer_that_no_order_explains_is_found(commands in commands()) {
        let mut server = Faultless::run(&commands);
        let too_late = server.history.calls().iter().position(|call| {
            call.action == Action::Close && call.outcome == Outcome::Refused(RefusalKind::Closed)
        });
        prop_assume!(too_late.is_some());
        let call = Call(too_late.unwrap() as u32);
        let finished = server.history[call].finished;
        server.history.finish(call, Outcome::Ok { seq: None }, finished);
        // Two closes succeeded. If the answer of the first was lost, one success is possible.
        let closed = server.history.calls().iter().filter(|call| call.action == Action::Close && call.is_ok()).count();
        prop_assume!(closed > 1);
        prop_assert!(!check(&server.history).is_clean());
    }
}
