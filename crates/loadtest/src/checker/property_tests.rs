//! Any history that a faultless server could have made is clean; with a fault planted in it, it is not.

use proptest::prelude::*;

use super::*;
use crate::history::{Action, Call, Listener, Message, Moment, Outcome, Person, Refusal, Stored, StoredState};
use crate::recording::Heard;

/// What one client asks for, how long it is on its way, and whether its answer gets lost.
#[derive(Clone, Debug)]
struct ClientCommand {
    begins: u64,
    there: u64,
    back: u64,
    kind: u8,
    agent: usize,
    answer_lost: bool,
    never_arrives: bool,
}

fn wishes() -> impl Strategy<Value = Vec<ClientCommand>> {
    let wish = (0_u64..2000, 0_u64..300, 0_u64..300, 0_u8..20, 0_usize..4, 0_u8..10).prop_map(
        |(begins, there, back, kind, agent, luck)| ClientCommand {
            begins,
            there,
            back,
            kind,
            agent,
            answer_lost: luck < 2,
            never_arrives: luck == 0,
        },
    );
    prop::collection::vec(wish, 1..60)
}

/// A server that does one thing after another, in the order in which they arrive.
struct Faultless {
    history: History,
    conversation: Conversation,
    visible: Vec<Call>,
    whole: Vec<(i64, Option<i64>, Message)>,
    owner: Option<Person>,
    closed: bool,
    rated: bool,
    listeners: Vec<Listener>,
}

impl Faultless {
    fn run(wishes: &[ClientCommand]) -> Self {
        let mut history = History::new();
        let jane = history.person("jane", false);
        let agents: Vec<Person> = (0..4).map(|number| history.person(format!("agent {number}"), true)).collect();
        let conversation = history.conversation(jane);
        let opening = history.invoke(conversation, jane, Action::Open, Moment(0));
        history.finish(opening, Outcome::Ok { seq: Some(1) }, Moment(1));
        let listeners =
            vec![history.listener(conversation, jane, false), history.listener(conversation, agents[0], false)];
        listeners.iter().for_each(|listener| history.joined(*listener, Moment(2)));
        let whole = vec![(2, Some(1), Message::Of(opening))];
        let visible = vec![opening];
        let mut server =
            Self { history, conversation, visible, whole, owner: None, closed: false, rated: false, listeners };

        // In the order of invocation they are written down, in the order of arrival they are done.
        let mut wishes: Vec<ClientCommand> = wishes.to_vec();
        wishes.sort_by_key(|wish| wish.begins);
        let mut arriving: Vec<(u64, Call, ClientCommand)> = Vec::new();
        for wish in wishes {
            let begins = 10 + wish.begins;
            let (by, action) = match wish.kind {
                0..=8 => (jane, Action::Send),
                9..=11 => (agents[wish.agent], Action::Reply),
                12..=13 => (agents[wish.agent], Action::Note),
                14..=17 => (agents[wish.agent], Action::Claim),
                18 => (agents[wish.agent], Action::Close),
                _ => (jane, Action::Rate),
            };
            let call = server.history.invoke(conversation, by, action, Moment(begins));
            arriving.push((begins + wish.there, call, wish));
        }
        arriving.sort_by_key(|(at, call, _)| (*at, *call));
        for (at, call, wish) in arriving {
            let outcome = if wish.never_arrives { Outcome::Unknown } else { server.does(call, at) };
            let outcome = if wish.answer_lost { Outcome::Unknown } else { outcome };
            server.history.finish(call, outcome, Moment(at + wish.back));
        }
        server.read_back();
        server
    }

    fn does(&mut self, call: Call, at: u64) -> Outcome {
        let record = self.history[call];
        let held = self.owner.is_some_and(|owner| owner != record.by);
        match record.action {
            Action::Rate if !self.closed => return Outcome::Refused(Refusal::NotClosed),
            Action::Rate if self.rated => return Outcome::Refused(Refusal::AlreadyRated),
            Action::Rate => self.rated = true,
            Action::Claim | Action::Reply if held => return Outcome::Refused(Refusal::HeldByAnother),
            _ if self.closed => return Outcome::Refused(Refusal::Closed),
            Action::Close => {
                self.closed = true;
                self.tell(Heard::Closed, at);
            }
            Action::Claim | Action::Reply if self.owner.is_none() => {
                self.owner = Some(record.by);
                self.tell(Heard::Claimed(record.by), at);
            }
            _ => {}
        }
        let position = self.whole.len() as i64 + 2;
        if record.action == Action::Note {
            self.whole.push((position, None, Message::Of(call)));
            self.history.heard(self.listeners[1], Heard::Note(Message::Of(call)), Moment(at));
        }
        if !record.action.is_visible() {
            return Outcome::Ok { seq: None };
        }
        self.visible.push(call);
        let seq = self.visible.len() as i64;
        self.whole.push((position, Some(seq), Message::Of(call)));
        for listener in self.listeners.clone() {
            self.history.saw(listener, seq, Message::Of(call), Moment(at));
        }
        Outcome::Ok { seq: Some(seq) }
    }

    fn tell(&mut self, heard: Heard, at: u64) {
        for listener in self.listeners.clone() {
            self.history.heard(listener, heard, Moment(at));
        }
    }

    fn read_back(&mut self) {
        let visible = (1..).zip(&self.visible).map(|(seq, call)| (seq, Message::Of(*call))).collect();
        let state = Some(StoredState { owner: self.owner, closed: self.closed, rated: self.rated });
        self.history.stored(self.conversation, Stored { visible, whole: Some(self.whole.clone()), state });
    }

    /// Those of the customer's and agents' visible messages that were acknowledged.
    fn acknowledged(&self) -> Vec<Call> {
        self.visible.iter().copied().filter(|call| self.history[*call].is_ok()).collect()
    }
}

proptest! {
    #[test]
    fn what_a_faultless_server_does_is_clean(wishes in wishes()) {
        let server = Faultless::run(&wishes);
        let verdict = check(&server.history);
        prop_assert!(verdict.is_clean(), "{}", verdict.violations[0]);
        prop_assert_eq!(verdict.undecided, 0);
    }

    #[test]
    fn a_message_lost_from_storage_is_found(wishes in wishes(), which in any::<prop::sample::Index>()) {
        let mut server = Faultless::run(&wishes);
        let lost = *which.get(&server.acknowledged());
        server.visible.retain(|call| *call != lost);
        server.whole.retain(|(.., message)| *message != Message::Of(lost));
        server.read_back();
        let verdict = check(&server.history);
        prop_assert!(verdict.violations.iter().any(|found| found.promise == Promise::NothingLost), "{:?}", verdict);
    }

    #[test]
    fn a_message_stored_twice_is_found(wishes in wishes(), which in any::<prop::sample::Index>()) {
        let mut server = Faultless::run(&wishes);
        server.visible.push(*which.get(&server.visible.clone()));
        server.read_back();
        let verdict = check(&server.history);
        prop_assert!(verdict.violations.iter().any(|found| found.promise == Promise::NothingDoubled));
    }

    #[test]
    fn two_messages_in_each_others_places_are_found(wishes in wishes(), which in any::<prop::sample::Index>()) {
        let mut server = Faultless::run(&wishes);
        prop_assume!(server.visible.len() > 1);
        let at = which.index(server.visible.len() - 1);
        server.visible.swap(at, at + 1);
        server.read_back();
        let verdict = check(&server.history);
        prop_assert!(verdict.violations.iter().any(|found| found.promise == Promise::OneOrder));
    }

    #[test]
    fn a_second_winner_is_found(wishes in wishes()) {
        let mut server = Faultless::run(&wishes);
        let refused = server.history.calls().iter().position(|call| {
            matches!(call.action, Action::Claim | Action::Reply)
                && call.outcome == Outcome::Refused(Refusal::HeldByAnother)
        });
        prop_assume!(refused.is_some());
        let call = Call(refused.unwrap() as u32);
        let finished = server.history[call].finished;
        server.history.finish(call, Outcome::Ok { seq: None }, finished);
        let verdict = check(&server.history);
        prop_assert!(verdict.violations.iter().any(|found| found.promise == Promise::OneWinner));
    }

    #[test]
    fn an_answer_that_no_order_explains_is_found(wishes in wishes()) {
        let mut server = Faultless::run(&wishes);
        let too_late = server.history.calls().iter().position(|call| {
            call.action == Action::Close && call.outcome == Outcome::Refused(Refusal::Closed)
        });
        prop_assume!(too_late.is_some());
        let call = Call(too_late.unwrap() as u32);
        let finished = server.history[call].finished;
        server.history.finish(call, Outcome::Ok { seq: None }, finished);
        // Two were told that they closed it. Where the first one's answer was lost, that may be so.
        let closed = server.history.calls().iter().filter(|call| call.action == Action::Close && call.is_ok()).count();
        prop_assume!(closed > 1);
        prop_assert!(!check(&server.history).is_clean());
    }
}
