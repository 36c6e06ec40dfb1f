//! Releasing, taking over, assigning, reopening, and the ticket that has its conversation's owner: every refusal, and the
//! state after each command.

use chrono::TimeDelta;

use crate::domain::*;
use crate::testing::{
    InMemoryConversation, account, agent, ask_handover, assign, assign_ticket, claim, close, create_ticket, customer,
    expire_handover, open, rate, release, reopen, reply, send, set_ticket_status, take_over, withdraw_handover, write,
};

fn unassigned() -> InMemoryConversation {
    InMemoryConversation::opened(&open(customer("ada"), "Hello", ""))
}

/// Assigned to grace.
fn assigned() -> InMemoryConversation {
    let mut chat = unassigned();
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

fn closed() -> InMemoryConversation {
    let mut chat = assigned();
    chat.execute(&close("grace")).unwrap();
    chat
}

/// Assigned to grace, with a ticket.
fn with_ticket() -> InMemoryConversation {
    let mut chat = assigned();
    chat.execute(&create_ticket("grace")).unwrap();
    chat
}

fn outcome(chat: &InMemoryConversation, command: &Command) -> String {
    match chat.clone().execute(command) {
        Ok(events) => events.iter().map(|event| event.change.kind()).collect::<Vec<_>>().join(", "),
        Err(refusal) => refusal.to_string(),
    }
}

fn ticket(chat: &InMemoryConversation) -> &Ticket {
    chat.conversation().ticket.as_deref().expect("a ticket")
}

fn owners(chat: &InMemoryConversation) -> (Option<&str>, Option<&str>) {
    let assignee = chat.conversation().assignee.as_ref().map(|assignee| assignee.id.as_str());
    (assignee, ticket(chat).assignee.as_ref().map(|assignee| assignee.id.as_str()))
}

/// Takes over from grace, who is absent now.
fn take_over_now(by: &str, chat: &InMemoryConversation) -> Command {
    take_over(by, Some(("grace", chat.now)))
}

#[test]
fn only_the_holder_releases_an_open_conversation() {
    let forbidden = "Only the currently assigned agent can release this conversation";
    for (chat, by, expected) in [
        (unassigned(), "grace", forbidden),
        (assigned(), "edsger", forbidden),
        (closed(), "edsger", forbidden),
        (closed(), "grace", "Cannot release a closed conversation"),
        (assigned(), "grace", "released"),
    ] {
        assert_eq!(outcome(&chat, &release(by)), expected);
    }
    let mut chat = assigned();
    chat.move_clock(1000);
    chat.execute(&release("grace")).unwrap();
    let state = chat.conversation();
    assert_eq!((&state.assignee, state.status, state.updated_at), (&None, Status::WaitingSupport, chat.now));
    assert_eq!(outcome(&chat, &claim("edsger")), "claimed");
}

#[test]
fn a_conversation_is_taken_over_from_an_absent_holder_only() {
    let present = "The assigned agent is present. Use the handover flow to request a transfer.";
    let chat = assigned();
    let since = chat.conversation().assignee.as_ref().unwrap().since;
    for (absent, expected) in [
        (None, present),
        // Another one is absent: the conversation has changed hands since it was asked.
        (Some(("barbara", chat.now)), present),
        // They have held it for less than the time.
        (Some(("grace", since - TimeDelta::milliseconds(1))), present),
        (Some(("grace", since)), "taken_over"),
    ] {
        assert_eq!(outcome(&chat, &take_over("edsger", absent)), expected, "{absent:?}");
    }
    assert_eq!(outcome(&unassigned(), &take_over("edsger", None)), "claimed");
    assert_eq!(outcome(&assigned(), &take_over("grace", None)), "");
    let closed = closed();
    for by in ["grace", "edsger"] {
        assert_eq!(outcome(&closed, &take_over_now(by, &closed)), "Cannot take over a closed conversation");
    }
}

#[test]
fn taking_over_makes_the_agent_the_holder() {
    let mut chat = assigned();
    chat.execute(&send(customer("ada"), "And?")).unwrap();
    chat.move_clock(1000);
    let events = chat.execute(&take_over_now("edsger", &chat)).unwrap();
    let previous = Party::from(&agent("grace"));
    let expected = Change::TakenOver { by: agent("edsger"), previous, reason: Reason::parse("They left").ok() };
    assert_eq!(events[0].change, expected);
    let state = chat.conversation();
    assert!(state.is_assigned_to(&account("edsger")));
    assert_eq!((state.status, state.assignee.as_ref().unwrap().since), (Status::Active, chat.now));
    assert_eq!(outcome(&chat, &reply("grace", "Hi")), Refusal::AssignedToAnother.to_string());
}

#[test]
fn a_supervisor_assigns_an_open_conversation_at_any_time() {
    let unknown = Command::from(AssignConversation { by: agent("boss"), to: None });
    for (chat, command, expected) in [
        (unassigned(), assign("boss", "edsger"), "assigned"),
        (assigned(), assign("boss", "edsger"), "assigned"),
        (assigned(), assign("boss", "boss"), "assigned"),
        (assigned(), assign("boss", "grace"), ""),
        (assigned(), unknown.clone(), "Assignee not found"),
        (closed(), unknown, "Assignee not found"),
        (closed(), assign("boss", "grace"), "Cannot assign a closed conversation"),
    ] {
        assert_eq!(outcome(&chat, &command), expected, "{command:?}");
    }
    let mut chat = assigned();
    chat.execute(&assign("boss", "edsger")).unwrap();
    assert!(chat.conversation().is_assigned_to(&account("edsger")));
}

#[test]
fn what_moves_a_conversation_ends_its_pending_handover() {
    let (chat, id) = pending();
    for (command, kind) in [
        (release("grace"), "released"),
        (take_over_now("edsger", &chat), "taken_over"),
        (assign("boss", "barbara"), "assigned"),
    ] {
        let mut chat = chat.clone();
        let events = chat.execute(&command).unwrap();
        let Change::HandoverResolved { handover, by, resolution } = &events[0].change else { panic!("{events:?}") };
        assert_eq!((handover.id, *resolution, by.is_some()), (id, Resolution::Superseded, true));
        assert_eq!(events[1].change.kind(), kind);
        let state = chat.conversation();
        assert_eq!((state.pending_handover.is_none(), state.pending_since), (true, None));
    }
}

#[test]
fn only_the_requester_withdraws_a_pending_handover() {
    let (mut chat, id) = pending();
    for by in ["edsger", "barbara"] {
        let refusal = outcome(&chat, &withdraw_handover(by, id));
        assert_eq!(refusal, "Only the agent who requested the handover can withdraw it");
    }
    assert_eq!(outcome(&chat, &withdraw_handover("grace", id)), "handover_withdrawn");
    let before = chat.conversation().clone();
    chat.execute(&withdraw_handover("grace", id)).unwrap();
    let after = chat.conversation();
    let expected = Conversation { pending_handover: None, pending_since: None, version: after.version, ..before };
    assert_eq!(*after, expected, "nothing else changes");
    for by in ["grace", "edsger"] {
        let refusal = outcome(&chat, &withdraw_handover(by, id));
        assert_eq!(refusal, "This handover has already been resolved");
    }
    chat.execute(&ask_handover("grace", "edsger")).unwrap();
}

#[test]
fn a_handover_expires_once_and_only_while_it_is_pending() {
    let (mut chat, first) = pending();
    assert_eq!(outcome(&chat, &expire_handover(first)), "handover_expired");
    let events = chat.execute(&expire_handover(first)).unwrap();
    let by_no_agent = Change::HandoverResolved {
        handover: Box::new(Handover {
            id: first,
            from: Party::from(&agent("grace")),
            to: Party::from(&agent("edsger")),
            reason: Reason::parse("lunch").ok(),
        }),
        by: None,
        resolution: Resolution::Expired,
    };
    assert_eq!(events[0].change, by_no_agent);
    assert_eq!(outcome(&chat, &expire_handover(first)), "", "a second server asks for it, too");
    chat.execute(&ask_handover("grace", "edsger")).unwrap();
    assert_eq!(outcome(&chat, &expire_handover(first)), "", "a later handover is another one");
}

#[test]
fn any_agent_reopens_a_closed_conversation_and_becomes_its_holder() {
    for chat in [unassigned(), assigned()] {
        assert_eq!(outcome(&chat, &reopen("grace")), "Conversation is not closed");
    }
    for by in ["grace", "edsger"] {
        let mut chat = closed();
        chat.move_clock(1000);
        assert_eq!(chat.execute(&reopen(by)).unwrap()[0].change.kind(), "reopened");
        let state = chat.conversation();
        assert!(state.is_assigned_to(&account(by)));
        assert_eq!((state.status, state.updated_at), (Status::Active, chat.now));
        chat.execute(&send(customer("ada"), "Thanks")).unwrap();
    }
}

#[test]
fn a_rating_may_be_replaced_once_per_reopening() {
    let rate = |stars| rate(Target::Conversation, customer("ada"), stars);
    let mut chat = closed();
    chat.execute(&rate(1.0)).unwrap();
    assert_eq!(outcome(&chat, &rate(2.0)), "Conversation already rated");
    chat.execute(&reopen("grace")).unwrap();
    assert_eq!(chat.conversation().rating, Rating::parse(1.0).ok(), "the rating stays");
    assert_eq!(outcome(&chat, &rate(2.0)), "Can only rate closed conversations");
    chat.execute(&close("grace")).unwrap();
    chat.execute(&rate(2.0)).unwrap();
    assert_eq!(chat.conversation().rating, Rating::parse(2.0).ok());
    assert_eq!(outcome(&chat, &rate(3.0)), "Conversation already rated");
    // One that was not rated has nothing to replace: the first rating counts, as always.
    let mut chat = closed();
    chat.execute(&reopen("grace")).unwrap();
    chat.execute(&close("grace")).unwrap();
    chat.execute(&rate(4.0)).unwrap();
    assert_eq!(outcome(&chat, &rate(5.0)), "Conversation already rated");
}

#[test]
fn the_ticket_of_a_conversation_has_its_owner_after_every_command() {
    let mut chat = with_ticket();
    assert_eq!(owners(&chat), (Some("grace"), Some("grace")));
    chat.execute(&ask_handover("grace", "edsger")).unwrap();
    let id = chat.conversation().pending_handover.as_ref().unwrap().id;
    chat.execute(&crate::testing::answer_handover("edsger", id, true)).unwrap();
    assert_eq!(owners(&chat), (Some("edsger"), Some("edsger")));
    chat.execute(&release("edsger")).unwrap();
    assert_eq!(owners(&chat), (None, None));
    chat.execute(&claim("grace")).unwrap();
    assert_eq!(owners(&chat), (Some("grace"), Some("grace")));
    chat.execute(&take_over_now("barbara", &chat)).unwrap();
    assert_eq!(owners(&chat), (Some("barbara"), Some("barbara")));
    chat.execute(&assign("boss", "edsger")).unwrap();
    assert_eq!(owners(&chat), (Some("edsger"), Some("edsger")));
    chat.execute(&assign_ticket("edsger", "grace").into()).unwrap();
    assert_eq!(owners(&chat), (Some("grace"), Some("grace")));
    chat.execute(&close("grace")).unwrap();
    chat.execute(&reopen("barbara")).unwrap();
    assert_eq!(owners(&chat), (Some("barbara"), Some("barbara")));
    chat.execute(&release("barbara")).unwrap();
    chat.execute(&reply("edsger", "Hi")).unwrap();
    assert_eq!(owners(&chat), (Some("edsger"), Some("edsger")));
}

#[test]
fn who_may_assign_the_ticket_of_a_conversation() {
    let forbidden = "This ticket belongs to a conversation that is assigned to another support agent";
    let present = "The assigned agent is present. Use the handover flow to request a transfer.";
    let held = with_ticket();
    let mut free = held.clone();
    free.execute(&release("grace")).unwrap();
    let by_supervisor = |to| AssignTicket { is_supervisor: true, ..assign_ticket("boss", to) };
    let absence = Some(Absence { agent: account("grace"), since: held.now });
    let of_absent = |by, to| AssignTicket { absence: absence.clone(), ..assign_ticket(by, to) };
    for (chat, command, expected) in [
        (&held, assign_ticket("grace", "edsger"), "ticket_assigned"),
        (&held, assign_ticket("grace", "grace"), ""),
        (&free, assign_ticket("edsger", "barbara"), "ticket_assigned"),
        (&held, assign_ticket("edsger", "edsger"), present),
        (&held, of_absent("edsger", "edsger"), "ticket_assigned"),
        (&held, of_absent("edsger", "barbara"), forbidden),
        (&held, assign_ticket("edsger", "barbara"), forbidden),
        (&held, assign_ticket("edsger", "grace"), forbidden),
        (&held, by_supervisor("edsger"), "ticket_assigned"),
        (&held, AssignTicket { to: None, ..assign_ticket("edsger", "x") }, "Assignee not found"),
    ] {
        assert_eq!(outcome(chat, &command.clone().into()), expected, "{command:?}");
    }
    let mut chat = held.clone();
    chat.execute(&ask_handover("grace", "edsger")).unwrap();
    assert_eq!(outcome(&chat, &assign_ticket("grace", "barbara").into()), "handover_rejected, ticket_assigned");
}

#[test]
fn assigning_the_ticket_of_a_closed_conversation_does_not_reopen_it() {
    let mut chat = with_ticket();
    chat.execute(&close("grace")).unwrap();
    chat.execute(&assign_ticket("grace", "edsger").into()).unwrap();
    assert_eq!(owners(&chat), (Some("edsger"), Some("edsger")));
    assert_eq!(chat.conversation().status, Status::Closed);
}

#[test]
fn closing_resolves_the_open_ticket_without_an_entry_of_its_own() {
    for status in TicketStatus::ALL {
        let mut chat = with_ticket();
        chat.execute(&set_ticket_status("edsger", *status)).unwrap();
        chat.move_clock(1000);
        let before = ticket(&chat).clone();
        let events = chat.execute(&close("barbara")).unwrap();
        let open_ticket = (!status.is_done()).then_some(*status);
        assert_eq!(
            events.iter().map(|event| &event.change).collect::<Vec<_>>(),
            [&Change::Closed { by: agent("barbara"), open_ticket }]
        );
        if status.is_done() {
            assert_eq!(*ticket(&chat), before);
        } else {
            let by = Party::from(&agent("barbara"));
            assert_eq!(ticket(&chat).status, TicketStatus::Resolved);
            assert_eq!(ticket(&chat).resolved, Some(Resolved { at: chat.now, by }));
        }
    }
}

#[test]
fn a_customers_message_reopens_a_resolved_ticket() {
    for status in TicketStatus::ALL {
        let mut chat = with_ticket();
        chat.execute(&set_ticket_status("grace", *status)).unwrap();
        let events = chat.execute(&send(customer("ada"), "Again")).unwrap();
        let is_reopened = *status == TicketStatus::Resolved;
        assert_eq!(events.len(), if is_reopened { 2 } else { 1 });
        let expected = if is_reopened { TicketStatus::InProgress } else { *status };
        assert_eq!((ticket(&chat).status, ticket(&chat).resolved.is_some()), (expected, expected.is_done()));
        // An agent's message does not.
        chat.execute(&set_ticket_status("grace", TicketStatus::Resolved)).unwrap();
        chat.execute(&reply("grace", "Done")).unwrap();
        assert_eq!(ticket(&chat).status, TicketStatus::Resolved);
    }
}

#[test]
fn a_message_in_the_help_center_reopens_conversation_and_ticket() {
    let write = || write(customer("ada"), "Hello", AutoReplyPolicy::Unassigned);
    let mut chat = InMemoryConversation::empty();
    chat.execute(&write()).unwrap();
    chat.execute(&claim("grace")).unwrap();
    chat.execute(&create_ticket("grace")).unwrap();
    chat.execute(&close("grace")).unwrap();
    assert_eq!(outcome(&chat, &write()), "reopened, message, ticket_status_changed, message");
    chat.execute(&write()).unwrap();
    assert_eq!((owners(&chat), ticket(&chat).status), ((None, None), TicketStatus::InProgress));
}

#[test]
fn no_ticket_is_made_of_a_closed_conversation() {
    assert_eq!(outcome(&closed(), &create_ticket("grace")), "Cannot create a ticket from a closed conversation");
}
