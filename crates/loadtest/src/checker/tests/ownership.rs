//! Assignment, closing, handover and rating, and what listeners are notified of.

use super::*;

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
fn a_claim_storm_without_a_winner_is_not_linearizable() {
    for (winner_known, expected) in [(true, &[][..]), (false, &[Promise::Linearizable][..])] {
        let mut tape = Tape::new();
        tape.sends(1);
        let agents: Vec<Person> =
            (0..32).map(|number| tape.history.add_person(format!("agent {number}"), true)).collect();
        let claims: Vec<Call> = agents.iter().map(|agent| tape.ask(*agent, Action::Claim)).collect();
        for (number, claim) in claims.into_iter().enumerate().rev() {
            tape.answer(claim, if number == 20 && winner_known { DONE } else { HELD });
        }
        assert_eq!(tape.broken(), expected);
    }
}

#[test]
fn a_claim_of_unknown_outcome_may_be_the_winner() {
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
fn a_closed_conversation_accepts_no_call() {
    for action in [Action::Send, Action::Reply, Action::Note, Action::Claim, Action::Close] {
        let mut tape = Tape::new();
        tape.sends(1);
        // The assigned agent may claim it again.
        if action != Action::Claim {
            tape.does(tape.sarah, Action::Claim, DONE);
        }
        tape.does(tape.sarah, Action::Close, DONE);
        let by = if action == Action::Send { tape.jane } else { tape.sarah };
        let call = tape.does(by, action, DONE);
        assert_eq!(tape.broken(), [Promise::Linearizable], "{action:?}");
        tape.history.finish(call, LATE, Elapsed(tape.now));
        assert_eq!(tape.broken(), [], "{action:?}");
    }
}

#[test]
fn a_send_before_the_close_is_not_refused_as_too_late() {
    let mut tape = Tape::new();
    tape.sends(1);
    tape.does(tape.jane, Action::Send, LATE);
    tape.does(tape.sarah, Action::Close, DONE);
    assert_eq!(tape.broken(), [Promise::Linearizable]);
}

#[test]
fn a_conversation_is_rated_once_and_after_the_close() {
    let mut tape = Tape::new();
    tape.sends(1);
    tape.does(tape.jane, Action::Rate, Outcome::Refused(RefusalKind::NotClosed));
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
        tape.does(tape.sarah, Action::Handover(tape.mike), Outcome::Refused(RefusalKind::HandoverPending));
        tape.does(tape.mike, Action::Reply, HELD);
        tape.does(tape.mike, Action::Respond { handover, accept }, DONE);
        let again = Outcome::Refused(RefusalKind::HandoverResolved);
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
    tape.does(tape.mike, Action::Respond { handover, accept: true }, Outcome::Refused(RefusalKind::HandoverResolved));
    assert_eq!(tape.broken(), []);
}

#[test]
fn a_note_shown_to_a_customer_is_found_in_every_channel() {
    type Leak = fn(&mut Tape, Listener, Call);
    let leaks: [Leak; 3] = [
        |tape, listener, note| tape.notifies(listener, Notice::Note(Message::Of(note))),
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
    tape.notifies(sarah, Notice::Note(Message::Of(note)));
    assert_eq!(tape.broken(), []);
    let opening = (2, Some(1), Message::Of(a));
    for (notes, expected) in [(0, &[Promise::NothingLost][..]), (1, &[]), (2, &[Promise::NothingDoubled])] {
        let notes = (3..3 + notes).map(|position| (position, None, Message::Of(note)));
        let agent_view = Some(std::iter::once(opening).chain(notes).collect());
        let stored = FinalRead { visible: vec![(1, Message::Of(a))], agent_view, state: None };
        tape.history.record_final_read(tape.conversation, stored);
        assert_eq!(tape.broken(), expected);
    }
    tape.notifies(sarah, Notice::Note(Message::Of(note)));
    assert_eq!(tape.broken(), [Promise::NothingDoubled]);
}

#[test]
fn listeners_are_notified_of_claim_and_close_once_and_correctly() {
    type Deliveries = fn(&mut Tape, Listener);
    let cases: [(Deliveries, &[Promise]); 6] = [
        (|_, _| {}, &[Promise::NothingLost]),
        (|tape, listener| tape.notifies(listener, Notice::Claimed(tape.sarah)), &[]),
        (
            |tape, listener| (0..2).for_each(|_| tape.notifies(listener, Notice::Claimed(tape.sarah))),
            &[Promise::NothingDoubled],
        ),
        (|tape, listener| tape.notifies(listener, Notice::Claimed(tape.mike)), &[Promise::NothingInvented]),
        (
            |tape, listener| {
                tape.notifies(listener, Notice::Claimed(tape.sarah));
                tape.notifies(listener, Notice::Closed);
            },
            &[Promise::NothingInvented],
        ),
        (
            |tape, listener| {
                tape.notifies(listener, Notice::Claimed(tape.sarah));
                tape.does(tape.sarah, Action::Close, DONE);
            },
            &[Promise::NothingLost],
        ),
    ];
    for (number, (operation, expected)) in cases.into_iter().enumerate() {
        let mut tape = Tape::new();
        tape.sends(1);
        let listener = tape.joins(tape.jane);
        tape.does(tape.sarah, Action::Claim, DONE);
        operation(&mut tape, listener);
        assert_eq!(tape.broken(), expected, "case {number}");
    }
}

#[test]
fn the_first_violations_are_kept_and_all_are_counted() {
    let mut tape = Tape::new();
    let a = tape.sends(1);
    for seq in 2..200 {
        tape.sends(seq);
    }
    tape.reads_back(&[a]);
    let verdict = check(&tape.history);
    assert_eq!((verdict.broken, verdict.violations.len()), (198, Verdict::MAX_VIOLATIONS));
}

#[test]
fn many_claims_of_unknown_outcome_are_decided_or_given_up_in_bounded_time() {
    let mut tape = Tape::new();
    let a = tape.sends(1);
    for number in 0..24 {
        let agent = tape.history.add_person(format!("agent {number}"), true);
        tape.does(agent, Action::Claim, Outcome::Unknown);
        tape.does(agent, Action::Handover(tape.mike), Outcome::Unknown);
    }
    tape.reads_back(&[a]);
    tape.reads_state(Some(tape.sarah), false);
    let verdict = check(&tape.history);
    assert_eq!(verdict.broken + verdict.undecided, 1);
}

#[test]
fn the_assigned_agent_may_claim_a_closed_conversation_again() {
    let mut tape = Tape::new();
    tape.sends(1);
    tape.does(tape.sarah, Action::Claim, DONE);
    tape.does(tape.sarah, Action::Close, DONE);
    tape.does(tape.sarah, Action::Claim, DONE);
    assert_eq!(tape.broken(), []);
    tape.does(tape.mike, Action::Claim, DONE);
    assert_eq!(tape.broken(), [Promise::OneWinner]);
}
