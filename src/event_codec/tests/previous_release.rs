//! Rows without what migration 000009 added, as a release before it writes them.

use serde_json::json;

use super::*;
use crate::domain::{
    Agent, Author, Channel, ConversationId, Customer, CustomerRating, EventId, HandoverId, Message, MessageText,
    Origin, Party, Resolution, Ticket, TicketCreation, TicketNumber, TicketPriority, Timestamp,
};
use crate::testing::{agent, customer, draft, guest};

fn event(change: Change) -> Event {
    let id = Uuid::now_v7();
    Event { id: EventId(id), conversation: ConversationId(id), position: 1, at: Timestamp::UNIX_EPOCH, change }
}

fn conversation(customer: Customer) -> Conversation {
    let origin =
        Origin { channel: Channel::Support, customer, device_metadata: None, ip_address: None, user_agent: None };
    Conversation::apply(None, &event(Change::Created(Box::new(origin)))).expect("a conversation")
}

fn handover() -> Handover {
    let party = |id| Party::from(&agent(id));
    Handover { id: HandoverId(Uuid::now_v7()), from: party("grace"), to: party("edsger"), reason: None }
}

/// The change that is read where an earlier release wrote it.
fn read_old(change: Change, conversation: &Conversation) -> Change {
    let handover = match &change {
        Change::HandoverResolved { handover, .. } => Some(handover.clone()),
        _ => None,
    };
    let mut row = encode(&event(change));
    match &mut row {
        EventRow::Message(row) => row.sender_phone_number = None,
        EventRow::Other(row) => row.detail = None,
    }
    read_back(row, conversation, handover.as_deref()).change
}

#[test]
fn an_agent_has_no_address() {
    let nameless = Agent { email: None, ..agent("grace") };
    let read = read_old(Change::Claimed(agent("grace")), &conversation(customer("ada")));
    assert_eq!(read, Change::Claimed(nameless));
}

#[test]
fn a_customer_who_rates_has_the_contact_data_of_the_conversation() {
    for opener in [customer("ada"), guest("ada@example.com")] {
        let from = Customer { phone_number: Some("another".to_owned()), ..opener.clone() };
        let rate = |from| CustomerRating { from, rating: Rating::parse(4.0).expect("a rating"), feedback: None };
        let read = read_old(Change::Rated(rate(from)), &conversation(opener.clone()));
        assert_eq!(read, Change::Rated(rate(opener)));
    }
}

#[test]
fn a_customer_who_writes_has_no_phone_number() {
    for writer in [customer("ada"), Customer { phone_number: Some("another".to_owned()), ..guest("ada@example.com") }] {
        let message = |from| Message {
            seq: Some(2),
            text: MessageText::stored("Hello".to_owned()),
            author: Author::Customer(from),
            client_message_id: None,
        };
        let read = read_old(Change::Message(message(writer.clone())), &conversation(writer.clone()));
        assert_eq!(read, Change::Message(message(Customer { phone_number: None, ..writer })));
    }
}

#[test]
fn a_rejected_handover_was_rejected_by_its_target() {
    for resolution in [Resolution::Rejected, Resolution::Closed] {
        let resolved =
            Change::HandoverResolved { handover: Box::new(handover()), by: Some(agent("edsger")), resolution };
        let Change::HandoverResolved { resolution, .. } = read_old(resolved, &conversation(customer("ada"))) else {
            panic!("a handover that was resolved")
        };
        assert_eq!(resolution, Resolution::Rejected);
    }
}

#[test]
fn a_ticket_was_created_with_the_priority_that_it_has_now() {
    let mut conversation = conversation(customer("ada"));
    let created = TicketCreation { draft: draft("Broken"), number: TicketNumber::stored("N-1".to_owned()), by: None };
    let created = event(Change::TicketCreated(Box::new(created)));
    conversation = Conversation::apply(Some(conversation), &created).expect("a conversation");
    let ticket: &mut Ticket = conversation.ticket.as_mut().expect("a ticket");
    ticket.draft.priority = TicketPriority::Urgent;
    let Change::TicketCreated(creation) = read_old(created.change, &conversation) else { panic!("a ticket") };
    assert_eq!(creation.draft.priority, TicketPriority::Urgent);
}

#[test]
fn a_row_that_no_release_writes_is_an_error() {
    let conversation = conversation(customer("ada"));
    let context = EventContext { conversation: &conversation, handovers: &HashMap::new() };
    let EventRow::Other(row) = encode(&event(Change::Claimed(agent("grace")))) else { panic!("no message") };
    let error = |row| decode_event(row, &context).expect_err("an invalid row").to_string();
    let newer = conversation_events::Model { kind: "of_a_newer_release".to_owned(), ..row.clone() };
    assert_eq!(error(newer), "conversation_events.type holds an invalid value");
    let nobodys = conversation_events::Model { actor_id: None, ..row.clone() };
    assert_eq!(error(nobodys), "conversation_events.actor_id holds an invalid value");
    let broken = conversation_events::Model { detail: Some(json!("text")), ..row };
    assert_eq!(error(broken), "conversation_events.detail holds an invalid value");
    let EventRow::Other(row) = encode(&event(Change::HandoverResolved {
        handover: Box::new(handover()),
        by: Some(agent("edsger")),
        resolution: Resolution::Rejected,
    })) else {
        panic!("no message")
    };
    assert_eq!(error(row), "conversation_events.data holds an invalid value", "its handover is not there");
}
