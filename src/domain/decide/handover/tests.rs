//! Handovers: every refusal in the order of the contract, and the state after each command.

use crate::domain::*;
use crate::testing::{InMemoryConversation, agent, answer_handover, ask_handover, claim, close, customer, open, reply};

/// A conversation assigned to grace.
fn assigned() -> InMemoryConversation {
    let mut chat = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    chat.execute(&claim("grace")).unwrap();
    chat
}

/// Assigned to grace, who has asked edsger to take it over.
fn pending() -> (InMemoryConversation, HandoverId) {
    let mut chat = assigned();
    chat.execute(&ask_handover("grace", "edsger")).unwrap();
    let id = chat.conversation().pending_handover.as_ref().unwrap().id;
    (chat, id)
}

fn refused(chat: &InMemoryConversation, command: &Command) -> String {
    chat.clone().execute(command).unwrap_err().to_string()
}

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.change.kind()).collect()
}

fn with(command: Command, change: impl FnOnce(&mut RequestHandover)) -> Command {
    let Command::RequestHandover(mut ask) = command else { panic!("no handover") };
    change(&mut ask);
    Command::RequestHandover(ask)
}

#[test]
fn refusals_follow_the_order_of_the_contract() {
    // The request violates every rule; each step fixes one violation.
    let (mut chat, _) = pending();
    chat.execute(&close("grace")).unwrap();
    let wrong = || with(ask_handover("edsger", "edsger"), |ask| ask.to_name = None);
    assert_eq!(refused(&chat, &wrong()), "Cannot transfer a closed conversation");
    let (chat, _) = pending();
    assert_eq!(refused(&chat, &wrong()), "Only the currently assigned agent can initiate a handover");
    let to_self = with(ask_handover("grace", "grace"), |ask| ask.to_name = None);
    assert_eq!(refused(&chat, &to_self), "Cannot transfer to yourself");
    let to_unknown = with(ask_handover("grace", "unknown"), |ask| ask.to_name = None);
    assert_eq!(refused(&chat, &to_unknown), "Target admin not found");
    let to_no_id = with(ask_handover("grace", "unknown"), |ask| ask.to = None);
    assert_eq!(refused(&chat, &to_no_id), "Target admin not found");
    let again = ask_handover("grace", "barbara");
    assert_eq!(refused(&chat, &again), "There is already a pending handover for this conversation");
    assert_eq!(kinds(&assigned().execute(&again).unwrap()), ["handover_requested"]);
}

#[test]
fn a_handover_request_changes_nothing_that_the_customer_sees() {
    let before = assigned();
    let (after, _) = pending();
    let (before, after) = (before.conversation(), after.conversation());
    assert_eq!((after.status, &after.assignee), (before.status, &before.assignee));
    assert_eq!(after.updated_at, before.updated_at);
}

#[test]
fn accepting_a_handover_makes_the_target_the_assignee() {
    let (mut chat, id) = pending();
    chat.execute(&reply("grace", "Please wait")).unwrap();
    chat.move_clock(1000);
    assert_eq!(kinds(&chat.execute(&answer_handover("edsger", id, true)).unwrap()), ["handover_accepted"]);
    let state = chat.conversation();
    assert!(state.is_assigned_to(&agent("edsger").id));
    assert_eq!((state.status, state.pending_handover.is_none()), (Status::Active, true));
    assert_eq!(state.updated_at, chat.now);
    assert_eq!(refused(&chat, &reply("grace", "Hm")), Refusal::AssignedToAnother.to_string());
}

#[test]
fn rejecting_a_handover_changes_nothing_else() {
    let (mut chat, id) = pending();
    let before = chat.conversation().clone();
    assert_eq!(kinds(&chat.execute(&answer_handover("edsger", id, false)).unwrap()), ["handover_rejected"]);
    let after = chat.conversation();
    let expected = Conversation { pending_handover: None, pending_since: None, version: after.version, ..before };
    assert_eq!(*after, expected);
    // Another handover may be requested now.
    chat.execute(&ask_handover("grace", "barbara")).unwrap();
}

#[test]
fn only_the_target_answers_a_handover_and_only_once() {
    let (mut chat, id) = pending();
    for stranger in ["grace", "barbara"] {
        let refusal = refused(&chat, &answer_handover(stranger, id, true));
        assert_eq!(refusal, "Only the target admin can respond to this handover");
    }
    chat.execute(&answer_handover("edsger", id, true)).unwrap();
    for who in ["grace", "edsger", "barbara"] {
        let refusal = refused(&chat, &answer_handover(who, id, false));
        assert_eq!(refusal, "This handover has already been resolved");
    }
}

#[test]
fn an_answer_to_an_earlier_handover_does_not_affect_the_pending_one() {
    let (mut chat, first) = pending();
    chat.execute(&answer_handover("edsger", first, false)).unwrap();
    chat.execute(&ask_handover("grace", "edsger")).unwrap();
    assert_eq!(refused(&chat, &answer_handover("edsger", first, true)), "This handover has already been resolved");
}

#[test]
fn closing_rejects_the_pending_handover() {
    let (mut chat, id) = pending();
    assert_eq!(kinds(&chat.execute(&close("barbara")).unwrap()), ["handover_rejected", "closed"]);
    assert!(chat.conversation().pending_handover.is_none());
    assert_eq!(refused(&chat, &answer_handover("edsger", id, true)), "This handover has already been resolved");
}
