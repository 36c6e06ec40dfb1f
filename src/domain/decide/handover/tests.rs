//! Handovers, refusal by refusal in the contract's order, and what is left behind each of them.

use crate::domain::*;
use crate::testing::{InMemoryConversation, agent, answer_handover, ask_handover, claim, close, customer, open, reply};

/// Held by grace.
fn held() -> InMemoryConversation {
    let mut story = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    story.execute(&claim("grace")).unwrap();
    story
}

/// Held by grace, who has asked edsger.
fn pending() -> (InMemoryConversation, HandoverId) {
    let mut story = held();
    story.execute(&ask_handover("grace", "edsger")).unwrap();
    let id = story.conversation().pending_handover.as_ref().unwrap().id;
    (story, id)
}

fn refused(story: &InMemoryConversation, command: &Command) -> String {
    story.clone().execute(command).unwrap_err().to_string()
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
fn refusals_come_in_the_order_in_which_the_contract_lists_them() {
    // Everything is wrong with it; one thing after the other is mended.
    let (mut story, _) = pending();
    story.execute(&close("grace")).unwrap();
    let wrong = || with(ask_handover("edsger", "edsger"), |ask| ask.to_name = None);
    assert_eq!(refused(&story, &wrong()), "Cannot transfer a closed conversation");
    let (story, _) = pending();
    assert_eq!(refused(&story, &wrong()), "Only the currently assigned agent can initiate a handover");
    let to_self = with(ask_handover("grace", "grace"), |ask| ask.to_name = None);
    assert_eq!(refused(&story, &to_self), "Cannot transfer to yourself");
    let to_nobody = with(ask_handover("grace", "nobody"), |ask| ask.to_name = None);
    assert_eq!(refused(&story, &to_nobody), "Target admin not found");
    let to_no_id = with(ask_handover("grace", "nobody"), |ask| ask.to = None);
    assert_eq!(refused(&story, &to_no_id), "Target admin not found");
    let again = ask_handover("grace", "barbara");
    assert_eq!(refused(&story, &again), "There is already a pending handover for this conversation");
    assert_eq!(kinds(&held().execute(&again).unwrap()), ["handover_requested"]);
}

#[test]
fn asking_changes_nothing_that_the_customer_sees() {
    let before = held();
    let (after, _) = pending();
    let (before, after) = (before.conversation(), after.conversation());
    assert_eq!((after.status, &after.assignee), (before.status, &before.assignee));
    assert_eq!(after.updated_at, before.updated_at);
}

#[test]
fn an_accepted_one_makes_the_conversation_the_targets_from_that_moment() {
    let (mut story, id) = pending();
    story.execute(&reply("grace", "One moment")).unwrap();
    story.move_clock(1000);
    assert_eq!(kinds(&story.execute(&answer_handover("edsger", id, true)).unwrap()), ["handover_accepted"]);
    let state = story.conversation();
    assert!(state.is_held_by(&agent("edsger").id));
    assert_eq!((state.status, state.pending_handover.is_none()), (Status::Active, true));
    assert_eq!(state.updated_at, story.now);
    assert_eq!(refused(&story, &reply("grace", "Hm")), Refusal::AssignedToAnother.to_string());
}

#[test]
fn a_rejected_one_changes_nothing_else() {
    let (mut story, id) = pending();
    let before = story.conversation().clone();
    assert_eq!(kinds(&story.execute(&answer_handover("edsger", id, false)).unwrap()), ["handover_rejected"]);
    let after = story.conversation();
    let so_far = Conversation { pending_handover: None, version: after.version, ..before };
    assert_eq!(*after, so_far);
    // And another may be asked for.
    story.execute(&ask_handover("grace", "barbara")).unwrap();
}

#[test]
fn an_answer_is_the_targets_and_is_given_once() {
    let (mut story, id) = pending();
    for stranger in ["grace", "barbara"] {
        let refusal = refused(&story, &answer_handover(stranger, id, true));
        assert_eq!(refusal, "Only the target admin can respond to this handover");
    }
    story.execute(&answer_handover("edsger", id, true)).unwrap();
    for who in ["grace", "edsger", "barbara"] {
        let refusal = refused(&story, &answer_handover(who, id, false));
        assert_eq!(refusal, "This handover has already been resolved");
    }
}

#[test]
fn an_answer_to_an_earlier_one_does_not_touch_the_one_that_waits() {
    let (mut story, first) = pending();
    story.execute(&answer_handover("edsger", first, false)).unwrap();
    story.execute(&ask_handover("grace", "edsger")).unwrap();
    assert_eq!(refused(&story, &answer_handover("edsger", first, true)), "This handover has already been resolved");
}

#[test]
fn closing_rejects_the_one_that_waits() {
    let (mut story, id) = pending();
    assert_eq!(kinds(&story.execute(&close("barbara")).unwrap()), ["handover_rejected", "closed"]);
    assert!(story.conversation().pending_handover.is_none());
    assert_eq!(refused(&story, &answer_handover("edsger", id, true)), "This handover has already been resolved");
}
