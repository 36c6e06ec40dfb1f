use super::*;
use crate::loadtest::history::{
    Action, Call, Listener, Message, Moment, Outcome, Person, Refusal, Stored, StoredState,
};
use crate::loadtest::listener::Heard;

const DONE: Outcome = Outcome::Ok { seq: None };
const HELD: Outcome = Outcome::Refused(Refusal::HeldByAnother);
const LATE: Outcome = Outcome::Refused(Refusal::Closed);

/// A conversation of jane's that two agents see to, written down moment by moment.
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
            (history.person("jane", false), history.person("sarah", true), history.person("mike", true));
        let conversation = history.conversation(jane);
        Self { history, conversation, jane, sarah, mike, now: 0 }
    }

    fn tick(&mut self) -> Moment {
        self.now += 1000;
        Moment(self.now)
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
        let listener = self.history.listener(self.conversation, person, false);
        let now = self.tick();
        self.history.joined(listener, now);
        listener
    }

    fn shows(&mut self, listener: Listener, seq: i64, call: Call) {
        let now = self.tick();
        self.history.saw(listener, seq, Message::Of(call), now);
    }

    fn tells(&mut self, listener: Listener, heard: Heard) {
        let now = self.tick();
        self.history.heard(listener, heard, now);
    }

    fn reads_back(&mut self, calls: &[Call]) {
        let visible = (1..).zip(calls).map(|(seq, call)| (seq, Message::Of(*call))).collect();
        self.history.stored(self.conversation, Stored { visible, ..Stored::default() });
    }

    fn reads_state(&mut self, owner: Option<Person>, closed: bool) {
        let mut stored = self.history[self.conversation].stored.clone().unwrap_or_default();
        stored.state = Some(StoredState { owner, closed, rated: false });
        self.history.stored(self.conversation, stored);
    }

    fn broken(&self) -> Vec<Promise> {
        let mut broken: Vec<Promise> = check(&self.history).violations.iter().map(|found| found.promise).collect();
        broken.sort_unstable();
        broken.dedup();
        broken
    }
}

/// Three messages, and two listeners who were there from the first one on.
fn three() -> (Tape, [Call; 3], [Listener; 2]) {
    let mut tape = Tape::new();
    let first = tape.sends(1);
    let listeners = [tape.joins(tape.jane), tape.joins(tape.sarah)];
    let calls = [first, tape.sends(2), tape.sends(3)];
    (tape, calls, listeners)
}

#[test]
fn a_history_without_fault_is_clean() {
    let (mut tape, [a, b, c], listeners) = three();
    for listener in listeners {
        tape.shows(listener, 2, b);
        tape.shows(listener, 3, c);
    }
    tape.reads_back(&[a, b, c]);
    let verdict = check(&tape.history);
    assert!(verdict.is_clean(), "{:?}", verdict.violations);
    assert_eq!((verdict.calls, verdict.shown, verdict.stored), (3, 4, 3));
}

#[test]
fn an_acknowledged_message_that_is_not_stored_is_lost() {
    let (mut tape, [a, b, _], _) = three();
    tape.reads_back(&[a, b]);
    let verdict = check(&tape.history);
    let found = verdict.violations.iter().find(|found| found.sentence.contains("is not stored")).unwrap();
    assert_eq!(found.promise, Promise::NothingLost);
    assert!(found.history.iter().any(|line| line.contains("jane sends message 2")), "{found}");
    assert!(found.history.iter().any(|line| line.contains("done, at place 3")), "{found}");
}

#[test]
fn a_message_that_a_listener_is_not_shown_is_lost_at_the_end_and_in_the_middle() {
    for shown in [&[2][..], &[3], &[]] {
        let (mut tape, [a, b, c], [jane, sarah]) = three();
        for (seq, call) in [(2, b), (3, c)] {
            tape.shows(sarah, seq, call);
            if shown.contains(&seq) {
                tape.shows(jane, seq, call);
            }
        }
        tape.reads_back(&[a, b, c]);
        assert_eq!(tape.broken(), [Promise::NothingLost], "shown {shown:?}");
    }
}

#[test]
fn a_gap_in_what_is_shown_is_a_loss() {
    let (mut tape, [a, b, c], [jane, _]) = three();
    let d = tape.sends(4);
    let listener = tape.joins(tape.mike);
    for (seq, call) in [(2, b), (4, d)] {
        tape.shows(jane, seq, call);
        tape.shows(listener, seq, call);
    }
    tape.reads_back(&[a, b, c, d]);
    assert_eq!(tape.broken(), [Promise::NothingLost]);
}

#[test]
fn a_message_shown_twice_or_stored_twice_is_doubled() {
    let (mut tape, [a, b, c], [jane, sarah]) = three();
    for listener in [jane, sarah] {
        tape.shows(listener, 2, b);
        tape.shows(listener, 3, c);
    }
    tape.shows(jane, 3, c);
    tape.reads_back(&[a, b, c]);
    assert_eq!(tape.broken(), [Promise::NothingDoubled]);

    let (mut tape, [a, b, c], listeners) = three();
    for listener in listeners {
        [(2, b), (3, c), (4, b)].into_iter().for_each(|(seq, call)| tape.shows(listener, seq, call));
    }
    tape.reads_back(&[a, b, c, b]);
    assert_eq!(tape.broken(), [Promise::NothingDoubled]);
}

#[test]
fn an_order_that_differs_is_no_order() {
    let (mut tape, [a, b, c], [jane, sarah]) = three();
    tape.shows(jane, 2, b);
    tape.shows(jane, 3, c);
    tape.shows(sarah, 2, c);
    tape.shows(sarah, 3, b);
    tape.reads_back(&[a, b, c]);
    assert_eq!(tape.broken(), [Promise::OneOrder]);

    let (mut tape, [a, b, c], listeners) = three();
    for listener in listeners {
        tape.shows(listener, 3, c);
        tape.shows(listener, 2, b);
    }
    tape.reads_back(&[a, b, c]);
    assert_eq!(tape.broken(), [Promise::OneOrder]);
}

#[test]
fn an_order_against_time_is_no_order() {
    let mut tape = Tape::new();
    let first = tape.does(tape.jane, Action::Open, DONE);
    let (b, c) = (tape.does(tape.jane, Action::Send, DONE), tape.does(tape.jane, Action::Send, DONE));
    tape.reads_back(&[first, c, b]);
    assert_eq!(tape.broken(), [Promise::OneOrder]);
}

#[test]
fn a_place_other_than_was_acknowledged_and_a_gap_in_storage_are_no_order() {
    let (mut tape, [a, b, c], _) = three();
    tape.history.cut(Listener(0), Moment(1));
    tape.history.cut(Listener(1), Moment(1));
    tape.history.stored(
        tape.conversation,
        Stored { visible: vec![(1, Message::Of(a)), (2, Message::Of(b)), (4, Message::Of(c))], ..Stored::default() },
    );
    assert_eq!(tape.broken(), [Promise::OneOrder]);
}

#[test]
fn what_nobody_knows_may_have_happened_once_or_not_at_all() {
    for times in 0..3 {
        let mut tape = Tape::new();
        let a = tape.sends(1);
        let unknown = tape.does(tape.jane, Action::Send, Outcome::Unknown);
        let stored: Vec<Call> = std::iter::once(a).chain(std::iter::repeat_n(unknown, times)).collect();
        tape.reads_back(&stored);
        let expected: &[Promise] = if times < 2 { &[] } else { &[Promise::NothingDoubled] };
        assert_eq!(tape.broken(), expected, "{times} times");
    }
}

#[test]
fn what_was_refused_and_is_stored_or_shown_is_invented() {
    let mut tape = Tape::new();
    let a = tape.sends(1);
    let refused = tape.does(tape.jane, Action::Send, Outcome::Refused(Refusal::Other));
    tape.reads_back(&[a, refused]);
    assert_eq!(tape.broken(), [Promise::NothingInvented]);

    let (mut tape, [a, b, c], listeners) = three();
    let unknown = tape.does(tape.jane, Action::Send, Outcome::Unknown);
    for listener in listeners {
        [(2, b), (3, c), (4, unknown)].into_iter().for_each(|(seq, call)| tape.shows(listener, seq, call));
    }
    tape.reads_back(&[a, b, c]);
    assert_eq!(tape.broken(), [Promise::NothingInvented]);
}

#[test]
fn a_client_that_was_cut_need_not_hear_but_must_catch_up() {
    for fetches in [true, false] {
        let mut tape = Tape::new();
        let a = tape.sends(1);
        let listener = tape.history.listener(tape.conversation, tape.jane, true);
        tape.history.joined(listener, Moment(tape.now));
        let b = tape.sends(2);
        tape.shows(listener, 2, b);
        let now = tape.tick();
        tape.history.cut(listener, now);
        let c = tape.sends(3);
        let now = tape.tick();
        tape.history.joined(listener, now);
        if fetches {
            tape.history.fetched(listener, 3, Message::Of(c), now);
        }
        let d = tape.sends(4);
        tape.shows(listener, 4, d);
        tape.reads_back(&[a, b, c, d]);
        let expected: &[Promise] = if fetches { &[] } else { &[Promise::NothingLost] };
        assert_eq!(tape.broken(), expected, "fetches: {fetches}");
    }
}

#[test]
fn two_winners_are_found_with_their_history() {
    let mut tape = Tape::new();
    let a = tape.sends(1);
    let (first, second) = (tape.ask(tape.sarah, Action::Claim), tape.ask(tape.mike, Action::Claim));
    tape.answer(first, DONE);
    tape.answer(second, DONE);
    tape.reads_back(&[a]);
    let verdict = check(&tape.history);
    let [found] = verdict.violations.as_slice() else { panic!("{:?}", verdict.violations) };
    assert_eq!(found.promise, Promise::OneWinner);
    assert_eq!(found.history.iter().filter(|line| line.contains("claims it")).count(), 2, "{found}");
}

#[test]
fn a_claim_storm_has_one_winner_or_none_explains_it() {
    for (winner_known, expected) in [(true, &[][..]), (false, &[Promise::Linearizable][..])] {
        let mut tape = Tape::new();
        tape.sends(1);
        let agents: Vec<Person> = (0..32).map(|number| tape.history.person(format!("agent {number}"), true)).collect();
        let claims: Vec<Call> = agents.iter().map(|agent| tape.ask(*agent, Action::Claim)).collect();
        for (number, claim) in claims.into_iter().enumerate().rev() {
            tape.answer(claim, if number == 20 && winner_known { DONE } else { HELD });
        }
        assert_eq!(tape.broken(), expected);
    }
}

#[test]
fn a_claim_whose_outcome_nobody_knows_may_be_the_one_that_won() {
    let mut tape = Tape::new();
    let a = tape.sends(1);
    tape.does(tape.sarah, Action::Claim, Outcome::Unknown);
    tape.does(tape.mike, Action::Claim, HELD);
    tape.reads_back(&[a]);
    tape.reads_state(Some(tape.sarah), false);
    assert_eq!(tape.broken(), []);
    tape.reads_state(Some(tape.mike), false);
    assert_eq!(tape.broken(), [Promise::Linearizable]);
}

#[test]
fn nothing_is_done_to_a_closed_conversation() {
    for action in [Action::Send, Action::Reply, Action::Note, Action::Claim, Action::Close] {
        let mut tape = Tape::new();
        tape.sends(1);
        tape.does(tape.sarah, Action::Claim, DONE);
        tape.does(tape.sarah, Action::Close, DONE);
        let by = if action == Action::Send { tape.jane } else { tape.sarah };
        let call = tape.does(by, action, DONE);
        assert_eq!(tape.broken(), [Promise::Linearizable], "{action:?}");
        tape.history.finish(call, LATE, Moment(tape.now));
        assert_eq!(tape.broken(), [], "{action:?}");
    }
}

#[test]
fn a_send_is_not_too_late_before_anybody_closes() {
    let mut tape = Tape::new();
    tape.sends(1);
    tape.does(tape.jane, Action::Send, LATE);
    tape.does(tape.sarah, Action::Close, DONE);
    assert_eq!(tape.broken(), [Promise::Linearizable]);
}

#[test]
fn a_rating_comes_once_and_after_the_close() {
    let mut tape = Tape::new();
    tape.sends(1);
    tape.does(tape.jane, Action::Rate, Outcome::Refused(Refusal::NotClosed));
    tape.does(tape.sarah, Action::Close, DONE);
    tape.does(tape.jane, Action::Rate, DONE);
    assert_eq!(tape.broken(), []);
    tape.does(tape.jane, Action::Rate, DONE);
    assert_eq!(tape.broken(), [Promise::Linearizable]);
}

#[test]
fn a_handover_moves_the_conversation_when_it_is_accepted() {
    for accept in [true, false] {
        let mut tape = Tape::new();
        tape.sends(1);
        tape.does(tape.sarah, Action::Claim, DONE);
        let handover = tape.does(tape.sarah, Action::Handover(tape.mike), DONE);
        tape.does(tape.sarah, Action::Handover(tape.mike), Outcome::Refused(Refusal::HandoverPending));
        tape.does(tape.mike, Action::Reply, HELD);
        tape.does(tape.mike, Action::Respond { handover, accept }, DONE);
        let again = Outcome::Refused(Refusal::HandoverResolved);
        tape.does(tape.mike, Action::Respond { handover, accept }, again);
        let (owner, other) = if accept { (tape.mike, tape.sarah) } else { (tape.sarah, tape.mike) };
        tape.does(owner, Action::Claim, DONE);
        tape.does(other, Action::Claim, HELD);
        assert_eq!(tape.broken(), [], "accept: {accept}");
        tape.does(other, Action::Claim, DONE);
        assert_ne!(tape.broken(), [], "accept: {accept}");
    }
}

#[test]
fn a_close_resolves_a_pending_handover() {
    let mut tape = Tape::new();
    tape.sends(1);
    tape.does(tape.sarah, Action::Claim, DONE);
    let handover = tape.does(tape.sarah, Action::Handover(tape.mike), DONE);
    tape.does(tape.mike, Action::Close, DONE);
    tape.does(tape.mike, Action::Respond { handover, accept: true }, Outcome::Refused(Refusal::HandoverResolved));
    assert_eq!(tape.broken(), []);
}

#[test]
fn a_note_at_a_customer_is_found_wherever_it_shows() {
    type Leak = fn(&mut Tape, Listener, Call);
    let leaks: [Leak; 3] = [
        |tape, listener, note| tape.tells(listener, Heard::Note(Message::Of(note))),
        |tape, listener, note| tape.shows(listener, 2, note),
        |tape, _, note| tape.reads_back(&[Call(0), note]),
    ];
    for leak in leaks {
        let mut tape = Tape::new();
        let a = tape.sends(1);
        let listener = tape.joins(tape.jane);
        let note = tape.does(tape.sarah, Action::Note, DONE);
        tape.reads_back(&[a]);
        assert_eq!(tape.broken(), []);
        leak(&mut tape, listener, note);
        assert!(tape.broken().contains(&Promise::NoNoteAtACustomer));
    }
}

#[test]
fn a_note_reaches_the_agents_once_and_is_stored_once() {
    let mut tape = Tape::new();
    let a = tape.sends(1);
    let sarah = tape.joins(tape.sarah);
    let note = tape.does(tape.mike, Action::Note, DONE);
    assert_eq!(tape.broken(), [Promise::NothingLost]);
    tape.tells(sarah, Heard::Note(Message::Of(note)));
    assert_eq!(tape.broken(), []);
    let opening = (2, Some(1), Message::Of(a));
    for (notes, expected) in [(0, &[Promise::NothingLost][..]), (1, &[]), (2, &[Promise::NothingDoubled])] {
        let notes = (3..3 + notes).map(|position| (position, None, Message::Of(note)));
        let whole = Some(std::iter::once(opening).chain(notes).collect());
        let stored = Stored { visible: vec![(1, Message::Of(a))], whole, state: None };
        tape.history.stored(tape.conversation, stored);
        assert_eq!(tape.broken(), expected);
    }
    tape.tells(sarah, Heard::Note(Message::Of(note)));
    assert_eq!(tape.broken(), [Promise::NothingDoubled]);
}

#[test]
fn listeners_are_told_of_claim_and_close_once_and_truly() {
    type Deed = fn(&mut Tape, Listener);
    let cases: [(Deed, &[Promise]); 6] = [
        (|_, _| {}, &[Promise::NothingLost]),
        (|tape, listener| tape.tells(listener, Heard::Claimed(tape.sarah)), &[]),
        (
            |tape, listener| (0..2).for_each(|_| tape.tells(listener, Heard::Claimed(tape.sarah))),
            &[Promise::NothingDoubled],
        ),
        (|tape, listener| tape.tells(listener, Heard::Claimed(tape.mike)), &[Promise::NothingInvented]),
        (
            |tape, listener| {
                tape.tells(listener, Heard::Claimed(tape.sarah));
                tape.tells(listener, Heard::Closed);
            },
            &[Promise::NothingInvented],
        ),
        (
            |tape, listener| {
                tape.tells(listener, Heard::Claimed(tape.sarah));
                tape.does(tape.sarah, Action::Close, DONE);
            },
            &[Promise::NothingLost],
        ),
    ];
    for (number, (deed, expected)) in cases.into_iter().enumerate() {
        let mut tape = Tape::new();
        tape.sends(1);
        let listener = tape.joins(tape.jane);
        tape.does(tape.sarah, Action::Claim, DONE);
        deed(&mut tape, listener);
        assert_eq!(tape.broken(), expected, "case {number}");
    }
}

#[test]
fn of_very_many_violations_the_first_are_kept_and_all_are_counted() {
    let mut tape = Tape::new();
    let a = tape.sends(1);
    for seq in 2..200 {
        tape.sends(seq);
    }
    tape.reads_back(&[a]);
    let verdict = check(&tape.history);
    assert_eq!((verdict.broken, verdict.violations.len()), (198, Verdict::KEPT));
}

#[test]
fn many_claims_of_unknown_outcome_are_decided_or_given_up_in_bounded_time() {
    let mut tape = Tape::new();
    let a = tape.sends(1);
    for number in 0..24 {
        let agent = tape.history.person(format!("agent {number}"), true);
        tape.does(agent, Action::Claim, Outcome::Unknown);
        tape.does(agent, Action::Handover(tape.mike), Outcome::Unknown);
    }
    tape.reads_back(&[a]);
    tape.reads_state(Some(tape.sarah), false);
    let verdict = check(&tape.history);
    assert_eq!(verdict.broken + verdict.undecided, 1);
}
