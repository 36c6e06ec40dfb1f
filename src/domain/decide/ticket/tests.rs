//! Tickets: of a conversation, and with a thread of their own.

use crate::domain::*;
use crate::testing::{
    InMemoryConversation, account, agent, claim, close, create_ticket, customer, guest, note, note_on_ticket, open,
    open_ticket, reply, reply_to_ticket, send, send_to_ticket, set_ticket_status,
};

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.change.kind()).collect()
}

fn refused(story: &InMemoryConversation, command: &Command) -> String {
    story.clone().execute(command).unwrap_err().to_string()
}

fn ticket(story: &InMemoryConversation) -> &Ticket {
    story.conversation().ticket.as_deref().expect("a ticket")
}

/// A conversation with a ticket.
fn of_conversation() -> InMemoryConversation {
    let mut story = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    story.execute(&create_ticket("grace")).unwrap();
    story
}

/// A ticket with a thread of its own.
fn of_its_own() -> InMemoryConversation {
    let mut story = InMemoryConversation::empty();
    let events = story.execute(&open_ticket(customer("ada"), "")).unwrap();
    assert_eq!(kinds(&events), ["created", "ticket_created", "message"]);
    story
}

fn rate(from: Customer) -> Command {
    crate::testing::rate(Target::Ticket, from, 4.0)
}

#[test]
fn an_agent_makes_one_of_a_conversation_once() {
    let mut story = of_conversation();
    assert_eq!(ticket(&story).status, TicketStatus::InProgress);
    ticket(&story).number.give("SMI-2026-000001".to_owned());
    assert_eq!(refused(&story, &create_ticket("edsger")), "This conversation already has ticket SMI-2026-000001");
    story.execute(&close("grace")).unwrap();
    assert_eq!(refused(&story, &create_ticket("edsger")), "This conversation already has ticket SMI-2026-000001");
}

#[test]
fn it_takes_the_conversations_assignee() {
    let mut story = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    story.execute(&claim("edsger")).unwrap();
    story.execute(&create_ticket("grace")).unwrap();
    assert_eq!(ticket(&story).assignee.as_ref().unwrap().id, account("edsger"));
}

#[test]
fn one_with_a_thread_of_its_own_is_pending_and_begins_with_its_description() {
    let story = of_its_own();
    assert_eq!((ticket(&story).status, ticket(&story).assignee.is_none()), (TicketStatus::Pending, true));
    let first = story.log.last().unwrap().posted().unwrap();
    assert_eq!((first.message.text.as_str(), first.message.seq), ("It does not work", Some(1)));
}

#[test]
fn a_thread_of_its_own_is_no_conversation_to_anybody() {
    let story = of_its_own();
    let all = [
        send(customer("ada"), "And?"),
        reply("grace", "Hi"),
        note("grace", "Hm"),
        claim("grace"),
        close("grace"),
        create_ticket("grace"),
    ];
    for command in all {
        assert_eq!(refused(&story, &command), "Conversation not found", "{command:?}");
    }
}

#[test]
fn what_is_asked_of_a_ticket_needs_one() {
    let story = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
    assert_eq!(refused(&story, &set_ticket_status("grace", TicketStatus::Closed)), "Ticket not found");
    assert_eq!(refused(&story, &send_to_ticket(customer("ada"), "And?")), "Ticket not found");
}

#[test]
fn the_first_public_answer_starts_the_work_and_a_note_does_not() {
    let mut story = of_its_own();
    story.move_clock(5_999);
    story.execute(&note_on_ticket("grace", "Hm")).unwrap();
    assert_eq!((ticket(&story).status, ticket(&story).first_response_at), (TicketStatus::Pending, None));
    let events = story.execute(&reply_to_ticket("grace", "Hi")).unwrap();
    assert_eq!(kinds(&events), ["message", "ticket_status_changed"]);
    assert_eq!((ticket(&story).status, ticket(&story).response_time_seconds()), (TicketStatus::InProgress, Some(5)));
    story.move_clock(10_000);
    // Anybody answers: a ticket of its own is nobody's to claim.
    let events = story.execute(&reply_to_ticket("edsger", "Also")).unwrap();
    assert_eq!(kinds(&events), ["message"]);
    assert_eq!((ticket(&story).response_time_seconds(), ticket(&story).last_response_at), (Some(5), Some(story.now)));
}

#[test]
fn an_answer_in_a_conversations_ticket_is_the_conversations() {
    let mut story = of_conversation();
    let events = story.execute(&reply_to_ticket("grace", "Hi")).unwrap();
    assert_eq!(kinds(&events), ["claimed", "message"]);
    let other = reply_to_ticket("edsger", "Hi");
    assert_eq!(refused(&story, &other), Refusal::AssignedToAnother.to_string());
    assert_eq!(ticket(&story).first_response_at, Some(story.now));
}

#[test]
fn a_customer_writes_until_it_is_resolved_or_closed() {
    for status in TicketStatus::ALL {
        let mut story = of_its_own();
        story.execute(&set_ticket_status("grace", *status)).unwrap();
        let outcome = story.execute(&send_to_ticket(customer("ada"), "And?"));
        match status {
            TicketStatus::Resolved | TicketStatus::Closed => assert_eq!(outcome, Err(Refusal::TicketDone)),
            _ => assert_eq!(kinds(&outcome.unwrap()), ["message"]),
        }
    }
}

#[test]
fn it_is_written_to_by_its_owner_and_by_whoever_shows_its_address() {
    let own = of_its_own();
    let mut guests = InMemoryConversation::empty();
    guests.execute(&open_ticket(guest("Carol@example.com"), "")).unwrap();
    let send = |story: &InMemoryConversation, from| story.clone().execute(&send_to_ticket(from, "And?")).map(drop);
    assert_eq!(send(&own, customer("ada")), Ok(()));
    assert_eq!(send(&own, guest("ADA@example.com")), Ok(()));
    assert_eq!(send(&own, customer("bob")), Err(Refusal::TicketEmailMismatch));
    assert_eq!(send(&own, guest("bob@example.com")), Err(Refusal::TicketEmailMismatch));
    assert_eq!(send(&guests, guest("carol@example.com")), Ok(()));
    assert_eq!(send(&guests, customer("carol")), Ok(()));
    assert_eq!(send(&guests, customer("ada")), Err(Refusal::TicketEmailMismatch));
}

#[test]
fn a_change_of_status_says_who_ended_it_and_when() {
    let mut story = of_its_own();
    story.move_clock(1000);
    story.execute(&set_ticket_status("grace", TicketStatus::Resolved)).unwrap();
    let resolved = ticket(&story).resolved.clone().unwrap();
    assert_eq!((resolved.at, resolved.by.id), (story.now, account("grace")));
    // The same again is nothing; taken up again it is nobody's end.
    assert_eq!(kinds(&story.execute(&set_ticket_status("edsger", TicketStatus::Resolved)).unwrap()), [""; 0]);
    story.execute(&set_ticket_status("edsger", TicketStatus::Escalated)).unwrap();
    assert_eq!(ticket(&story).resolved, None);
}

#[test]
fn notes_stand_until_others_are_given() {
    let mut story = of_its_own();
    let notes = ResolutionNotes::parse("Fixed").ok();
    let status = TicketStatus::Resolved;
    story.execute(&SetTicketStatus { by: agent("grace"), status, notes: notes.clone() }.into()).unwrap();
    story.execute(&set_ticket_status("grace", TicketStatus::Closed)).unwrap();
    assert_eq!(ticket(&story).resolution_notes, notes);
}

#[test]
fn it_is_rated_once_by_its_owner_when_it_is_done() {
    let mut story = of_its_own();
    assert_eq!(refused(&story, &rate(customer("bob"))), "You can only rate your own tickets");
    assert_eq!(refused(&story, &rate(customer("ada"))), "Can only rate resolved or closed tickets");
    story.execute(&set_ticket_status("grace", TicketStatus::Resolved)).unwrap();
    story.execute(&rate(customer("ada"))).unwrap();
    story.execute(&set_ticket_status("grace", TicketStatus::InProgress)).unwrap();
    assert_eq!(refused(&story, &rate(customer("ada"))), "Ticket already rated");
    assert_eq!(refused(&story, &rate(customer("bob"))), "You can only rate your own tickets");
}

#[test]
fn it_is_given_to_agents_whom_the_directory_knows() {
    let mut story = of_its_own();
    let assign =
        |to: Option<&str>| Command::from(AssignTicket { by: agent("grace"), to: to.map(|id| Party::from(&agent(id))) });
    assert_eq!(refused(&story, &assign(None)), "Assignee not found");
    assert_eq!(kinds(&story.execute(&assign(Some("edsger"))).unwrap()), ["ticket_assigned"]);
    assert_eq!(kinds(&story.execute(&assign(Some("edsger"))).unwrap()), [""; 0]);
    assert_eq!(ticket(&story).assignee.as_ref().unwrap().id, account("edsger"));
}

#[test]
fn a_priority_is_changed_once() {
    let mut story = of_its_own();
    let urgent = Command::from(PrioritiseTicket { by: agent("grace"), priority: TicketPriority::Urgent });
    assert_eq!(kinds(&story.execute(&urgent).unwrap()), ["ticket_priority_changed"]);
    assert_eq!(kinds(&story.execute(&urgent).unwrap()), [""; 0]);
    assert_eq!(ticket(&story).draft.priority, TicketPriority::Urgent);
}

#[test]
fn without_a_priority_it_follows_the_type() {
    let usual = |text: &str| SupportType::parse(text).unwrap().usual_priority();
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
fn the_repeat_of_its_creation_is_shown_it_as_it_was_then() {
    let mut story = of_its_own();
    let (opened, first) = (story.conversation().clone(), story.log[2].posted().unwrap());
    story.move_clock(1000);
    story.execute(&reply_to_ticket("grace", "Hi")).unwrap();
    story.execute(&set_ticket_status("grace", TicketStatus::Closed)).unwrap();
    story.execute(&rate(customer("ada"))).unwrap();
    assert_eq!(story.conversation().as_opened(&first.message), opened);
}
