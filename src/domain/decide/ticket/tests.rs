//! Tickets attached to a conversation, and tickets with a thread of their own ("standalone").

use crate::domain::*;
use crate::testing::{
    InMemoryConversation, account, agent, assign_ticket, claim, close, create_ticket, customer, guest, note,
    note_on_ticket, open, open_ticket, reply, reply_to_ticket, send, send_to_ticket, set_ticket_status,
};

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.change.kind()).collect()
}

fn refused(chat: &InMemoryConversation, command: &Command) -> String {
    chat.clone().execute(command).unwrap_err().to_string()
}

fn ticket(chat: &InMemoryConversation) -> &Ticket {
    chat.conversation().ticket.as_deref().expect("a ticket")
}

/// A conversation with a ticket.
fn attached_ticket() -> InMemoryConversation {
    let mut chat = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    chat.execute(&create_ticket("grace")).unwrap();
    chat
}

/// A ticket with a thread of its own.
fn standalone_ticket() -> InMemoryConversation {
    let mut chat = InMemoryConversation::empty();
    let events = chat.execute(&open_ticket(customer("ada"), "")).unwrap();
    assert_eq!(kinds(&events), ["created", "ticket_created", "message"]);
    chat
}

fn rate(from: Customer) -> Command {
    crate::testing::rate(Target::Ticket, from, 4.0)
}

#[test]
fn an_agent_creates_at_most_one_ticket_per_conversation() {
    let mut chat = attached_ticket();
    assert_eq!(ticket(&chat).status, TicketStatus::InProgress);
    ticket(&chat).number.assign("SMI-2026-000001".to_owned());
    assert_eq!(refused(&chat, &create_ticket("edsger")), "This conversation already has ticket SMI-2026-000001");
    chat.execute(&close("grace")).unwrap();
    assert_eq!(refused(&chat, &create_ticket("edsger")), "This conversation already has ticket SMI-2026-000001");
}

#[test]
fn a_ticket_inherits_the_assignee_of_its_conversation() {
    let mut chat = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    chat.execute(&claim("edsger")).unwrap();
    chat.execute(&create_ticket("grace")).unwrap();
    assert_eq!(ticket(&chat).assignee.as_ref().unwrap().id, account("edsger"));
}

#[test]
fn a_standalone_ticket_is_pending_and_its_first_message_is_the_description() {
    let chat = standalone_ticket();
    assert_eq!((ticket(&chat).status, ticket(&chat).assignee.is_none()), (TicketStatus::Pending, true));
    let first = chat.log.last().unwrap().posted().unwrap();
    assert_eq!((first.message.text.as_str(), first.message.seq), ("It does not work", Some(1)));
}

#[test]
fn a_ticket_thread_is_not_accessible_as_a_conversation() {
    let chat = standalone_ticket();
    let all = [
        send(customer("ada"), "And?"),
        reply("grace", "Hi"),
        note("grace", "Hm"),
        claim("grace"),
        close("grace"),
        create_ticket("grace"),
    ];
    for command in all {
        assert_eq!(refused(&chat, &command), "Conversation not found", "{command:?}");
    }
}

#[test]
fn a_ticket_command_needs_a_ticket() {
    let chat = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    assert_eq!(refused(&chat, &set_ticket_status("grace", TicketStatus::Closed)), "Ticket not found");
    assert_eq!(refused(&chat, &send_to_ticket(customer("ada"), "And?")), "Ticket not found");
}

#[test]
fn the_first_visible_reply_sets_a_ticket_in_progress_and_a_note_does_not() {
    let mut chat = standalone_ticket();
    chat.move_clock(5_999);
    chat.execute(&note_on_ticket("grace", "Hm")).unwrap();
    assert_eq!((ticket(&chat).status, ticket(&chat).first_response_at), (TicketStatus::Pending, None));
    let events = chat.execute(&reply_to_ticket("grace", "Hi")).unwrap();
    assert_eq!(kinds(&events), ["message", "ticket_status_changed"]);
    assert_eq!((ticket(&chat).status, ticket(&chat).response_time_seconds()), (TicketStatus::InProgress, Some(5)));
    chat.move_clock(10_000);
    // Any agent may reply: a standalone ticket cannot be claimed.
    let events = chat.execute(&reply_to_ticket("edsger", "Also")).unwrap();
    assert_eq!(kinds(&events), ["message"]);
    assert_eq!((ticket(&chat).response_time_seconds(), ticket(&chat).last_response_at), (Some(5), Some(chat.now)));
}

#[test]
fn a_reply_to_the_ticket_of_a_conversation_follows_the_rules_of_the_conversation() {
    let mut chat = attached_ticket();
    let events = chat.execute(&reply_to_ticket("grace", "Hi")).unwrap();
    assert_eq!(kinds(&events), ["claimed", "message"]);
    let other = reply_to_ticket("edsger", "Hi");
    assert_eq!(refused(&chat, &other), Refusal::AssignedToAnother.to_string());
    assert_eq!(ticket(&chat).first_response_at, Some(chat.now));
}

#[test]
fn a_customer_writes_to_a_ticket_until_it_is_resolved_or_closed() {
    for status in TicketStatus::ALL {
        let mut chat = standalone_ticket();
        chat.execute(&set_ticket_status("grace", *status)).unwrap();
        let outcome = chat.execute(&send_to_ticket(customer("ada"), "And?"));
        match status {
            TicketStatus::Resolved | TicketStatus::Closed => assert_eq!(outcome, Err(Refusal::TicketDone)),
            _ => assert_eq!(kinds(&outcome.unwrap()), ["message"]),
        }
    }
}

#[test]
fn a_ticket_accepts_messages_from_its_account_or_its_email_address() {
    let own = standalone_ticket();
    let mut guests = InMemoryConversation::empty();
    guests.execute(&open_ticket(guest("Carol@example.com"), "")).unwrap();
    let send = |chat: &InMemoryConversation, from| chat.clone().execute(&send_to_ticket(from, "And?")).map(drop);
    assert_eq!(send(&own, customer("ada")), Ok(()));
    assert_eq!(send(&own, guest("ADA@example.com")), Ok(()));
    assert_eq!(send(&own, customer("bob")), Err(Refusal::TicketEmailMismatch));
    assert_eq!(send(&own, guest("bob@example.com")), Err(Refusal::TicketEmailMismatch));
    assert_eq!(send(&guests, guest("carol@example.com")), Ok(()));
    assert_eq!(send(&guests, customer("carol")), Ok(()));
    assert_eq!(send(&guests, customer("ada")), Err(Refusal::TicketEmailMismatch));
}

#[test]
fn a_resolved_ticket_records_the_agent_and_the_time() {
    let mut chat = standalone_ticket();
    chat.move_clock(1000);
    chat.execute(&set_ticket_status("grace", TicketStatus::Resolved)).unwrap();
    let resolved = ticket(&chat).resolved.clone().unwrap();
    assert_eq!((resolved.at, resolved.by.id), (chat.now, account("grace")));
    // Setting the same status again changes nothing; reopening clears the resolution.
    assert_eq!(kinds(&chat.execute(&set_ticket_status("edsger", TicketStatus::Resolved)).unwrap()), [""; 0]);
    chat.execute(&set_ticket_status("edsger", TicketStatus::Escalated)).unwrap();
    assert_eq!(ticket(&chat).resolved, None);
}

#[test]
fn resolution_notes_are_kept_until_they_are_replaced() {
    let mut chat = standalone_ticket();
    let notes = ResolutionNotes::parse("Fixed").ok();
    let status = TicketStatus::Resolved;
    chat.execute(&SetTicketStatus { by: agent("grace"), status, notes: notes.clone() }.into()).unwrap();
    chat.execute(&set_ticket_status("grace", TicketStatus::Closed)).unwrap();
    assert_eq!(ticket(&chat).resolution_notes, notes);
}

#[test]
fn only_the_owner_rates_a_finished_ticket_and_only_once() {
    let mut chat = standalone_ticket();
    assert_eq!(refused(&chat, &rate(customer("bob"))), "You can only rate your own tickets");
    assert_eq!(refused(&chat, &rate(customer("ada"))), "Can only rate resolved or closed tickets");
    chat.execute(&set_ticket_status("grace", TicketStatus::Resolved)).unwrap();
    chat.execute(&rate(customer("ada"))).unwrap();
    chat.execute(&set_ticket_status("grace", TicketStatus::InProgress)).unwrap();
    assert_eq!(refused(&chat, &rate(customer("ada"))), "Ticket already rated");
    assert_eq!(refused(&chat, &rate(customer("bob"))), "You can only rate your own tickets");
}

#[test]
fn a_ticket_is_assigned_only_to_agents_in_the_directory() {
    let mut chat = standalone_ticket();
    let assign = |to: Option<&str>| {
        Command::from(AssignTicket { to: to.map(|id| Party::from(&agent(id))), ..assign_ticket("grace", "grace") })
    };
    assert_eq!(refused(&chat, &assign(None)), "Assignee not found");
    assert_eq!(kinds(&chat.execute(&assign(Some("edsger"))).unwrap()), ["ticket_assigned"]);
    assert_eq!(kinds(&chat.execute(&assign(Some("edsger"))).unwrap()), [""; 0]);
    assert_eq!(ticket(&chat).assignee.as_ref().unwrap().id, account("edsger"));
}

#[test]
fn setting_the_same_priority_again_changes_nothing() {
    let mut chat = standalone_ticket();
    let urgent = Command::from(PrioritiseTicket { by: agent("grace"), priority: TicketPriority::Urgent });
    assert_eq!(kinds(&chat.execute(&urgent).unwrap()), ["ticket_priority_changed"]);
    assert_eq!(kinds(&chat.execute(&urgent).unwrap()), [""; 0]);
    assert_eq!(ticket(&chat).draft.priority, TicketPriority::Urgent);
}

#[test]
fn the_default_priority_follows_the_support_type() {
    let usual = |text: &str| SupportType::parse(text).unwrap().default_priority();
    for high in ["SECURITY_ISSUE", "REFUND_REQUEST", "REGISTRATION_ISSUE", "LOGIN_ISSUE"] {
        assert_eq!(usual(high), TicketPriority::High, "{high}");
    }
    for low in ["FEATURE_REQUEST", "GENERAL_INQUIRY", "OTHER"] {
        assert_eq!(usual(low), TicketPriority::Low, "{low}");
    }
    for medium in ["TRANSACTION_ISSUE", "PAYMENT_ISSUE", "ACCOUNT_ISSUE", "BUG_REPORT", "BILLING_ISSUE"] {
        assert_eq!(usual(medium), TicketPriority::Medium, "{medium}");
    }
}

#[test]
fn as_opened_restores_the_ticket_as_created() {
    let mut chat = standalone_ticket();
    let (opened, first) = (chat.conversation().clone(), chat.log[2].posted().unwrap());
    chat.move_clock(1000);
    chat.execute(&reply_to_ticket("grace", "Hi")).unwrap();
    chat.execute(&set_ticket_status("grace", TicketStatus::Closed)).unwrap();
    chat.execute(&rate(customer("ada"))).unwrap();
    assert_eq!(chat.conversation().as_opened(&first.message), opened);
}
