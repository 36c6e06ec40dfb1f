//! Messages: nothing lost, doubled or invented, one order.

use super::*;

/// Three messages, and two listeners that joined after the first one.
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
fn listeners_that_see_different_orders_are_reported() {
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
fn an_order_against_time_is_reported() {
    let mut tape = Tape::new();
    let first = tape.does(tape.jane, Action::Open, DONE);
    let (b, c) = (tape.does(tape.jane, Action::Send, DONE), tape.does(tape.jane, Action::Send, DONE));
    tape.reads_back(&[first, c, b]);
    assert_eq!(tape.broken(), [Promise::OneOrder]);
}

#[test]
fn a_place_other_than_the_acknowledged_one_and_a_gap_in_storage_are_reported() {
    let (mut tape, [a, b, c], _) = three();
    tape.history.end_session(Listener(0), Elapsed(1));
    tape.history.end_session(Listener(1), Elapsed(1));
    tape.history.record_final_read(
        tape.conversation,
        FinalRead {
            visible: vec![(1, Message::Of(a)), (2, Message::Of(b)), (4, Message::Of(c))],
            ..FinalRead::default()
        },
    );
    assert_eq!(tape.broken(), [Promise::OneOrder]);
}

#[test]
fn a_message_of_unknown_outcome_may_be_stored_once_or_not_at_all() {
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
fn a_refused_message_that_is_stored_and_one_shown_but_not_stored_are_invented() {
    let mut tape = Tape::new();
    let a = tape.sends(1);
    let refused = tape.does(tape.jane, Action::Send, Outcome::Refused(RefusalKind::Other));
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
fn a_client_that_was_cut_may_miss_messages_but_must_fetch_them() {
    for fetches in [true, false] {
        let mut tape = Tape::new();
        let a = tape.sends(1);
        let listener = tape.history.add_listener(tape.conversation, tape.jane, true);
        tape.history.complete_join(listener, Elapsed(tape.now));
        let b = tape.sends(2);
        tape.shows(listener, 2, b);
        let now = tape.tick();
        tape.history.end_session(listener, now);
        let c = tape.sends(3);
        let now = tape.tick();
        tape.history.complete_join(listener, now);
        if fetches {
            tape.history.record_fetched(listener, 3, Message::Of(c), now);
        }
        let d = tape.sends(4);
        tape.shows(listener, 4, d);
        tape.reads_back(&[a, b, c, d]);
        let expected: &[Promise] = if fetches { &[] } else { &[Promise::NothingLost] };
        assert_eq!(tape.broken(), expected, "fetches: {fetches}");
    }
}
