//! Events of every kind, and conversations, with every optional field present or absent.

use chrono::DateTime;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use uuid::Uuid;

use crate::domain::{
    AccountMove, Agent, Assignee, Author, Change, Channel, ClientMessageId, Conversation, ConversationId, Customer,
    CustomerRating, Description, DeviceMetadata, EmailAddress, Event, EventId, Feedback, Handover, HandoverId, Message,
    MessageText, Origin, Owner, Party, Rating, Reason, Reference, Resolution, ResolutionNotes, Resolved, Status,
    StatusChange, Subject, SupportType, Ticket, TicketCreation, TicketDraft, TicketId, TicketNumber, TicketPriority,
    TicketStatus, Timestamp, UserId, VisibleMessage,
};

fn uuids() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

/// In milliseconds, as the server's clock.
fn times() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000_000_i64).prop_map(|millis| DateTime::from_timestamp_millis(millis).expect("a time"))
}

/// A letter at both ends survives trimming.
fn texts() -> impl Strategy<Value = String> {
    "x\\PC{0,20}y"
}

fn user_ids() -> impl Strategy<Value = UserId> {
    "\\PC{1,20}".prop_map(|id| UserId::parse(&id).expect("a valid id"))
}

fn addresses() -> impl Strategy<Value = EmailAddress> {
    "[a-z]{1,8}@[a-z]{1,8}\\.com".prop_map(|address| EmailAddress::parse(&address).expect("an address"))
}

prop_compose! {
    fn accounts()(id in user_ids(), name in of(texts()), email in of(texts()), phone_number in of(texts())) -> Customer {
        Customer { owner: Owner::Account(id), name, email, phone_number }
    }
}

prop_compose! {
    /// A guest's contact address is the one that they are known by ([`Customer::guest`]).
    fn guests()(address in addresses(), name in of(texts()), phone_number in of(texts())) -> Customer {
        Customer { name, phone_number, ..Customer::guest(address) }
    }
}

fn customers() -> impl Strategy<Value = Customer> {
    prop_oneof![accounts(), guests()]
}

prop_compose! {
    fn agents()(id in user_ids(), name in texts(), email in of(texts())) -> Agent {
        Agent { id, name, email }
    }
}

prop_compose! {
    fn parties()(id in user_ids(), name in texts()) -> Party {
        Party { id, name }
    }
}

fn ratings() -> impl Strategy<Value = Rating> {
    (1..=5_u8).prop_map(|stars| Rating::parse(f64::from(stars)).expect("1 to 5"))
}

prop_compose! {
    fn rates()(from in customers(), rating in ratings(), feedback in of(texts())) -> CustomerRating {
        CustomerRating { from, rating, feedback: feedback.map(Feedback::stored) }
    }
}

fn devices() -> impl Strategy<Value = DeviceMetadata> {
    (texts(), any::<i64>()).prop_map(|(text, number)| {
        let device = json!({ "platform": text, "nested": { "number": number, "null": null, "list": [true, 0.5] } });
        DeviceMetadata::parse(device.as_object().cloned().expect("an object")).expect("a small one")
    })
}

prop_compose! {
    fn origins()(
        channel in select(vec![Channel::Support, Channel::HelpCenter, Channel::Ticket]),
        customer in customers(),
        device_metadata in of(devices()),
        ip_address in of(texts()),
        user_agent in of(texts()),
    ) -> Origin {
        Origin { channel, customer, device_metadata, ip_address, user_agent }
    }
}

fn authors() -> impl Strategy<Value = Author> {
    prop_oneof![
        customers().prop_map(Author::Customer),
        agents().prop_map(Author::Agent),
        texts().prop_map(|name| Author::AutoReply { name }),
    ]
}

prop_compose! {
    fn messages()(
        seq in of(1..i64::MAX),
        text in texts(),
        author in authors(),
        client_message_id in of(texts()),
    ) -> Message {
        let client_message_id = client_message_id.map(|id| ClientMessageId::parse(&id).expect("a valid id"));
        Message { seq, text: MessageText::stored(text), author, client_message_id }
    }
}

prop_compose! {
    fn handovers()(id in uuids(), from in parties(), to in parties(), reason in of(texts())) -> Handover {
        Handover { id: HandoverId(id), from, to, reason: reason.map(Reason::stored) }
    }
}

prop_compose! {
    fn drafts()(
        id in uuids(),
        subject in texts(),
        description in texts(),
        support_type in select(SupportType::ALL),
        priority in select(TicketPriority::ALL),
        related_transaction_id in of(texts()),
        session_id in of(texts()),
    ) -> TicketDraft {
        TicketDraft {
            id: TicketId(id),
            subject: Subject::stored(subject),
            description: Description::stored(description),
            support_type,
            priority,
            related_transaction_id: related_transaction_id.map(Reference::stored),
            session_id: session_id.map(Reference::stored),
        }
    }
}

fn numbers() -> impl Strategy<Value = TicketNumber> {
    texts().prop_map(TicketNumber::stored)
}

prop_compose! {
    fn creations()(draft in drafts(), number in numbers(), by in of(agents())) -> TicketCreation {
        TicketCreation { draft, number, by }
    }
}

prop_compose! {
    fn status_changes()(
        by in of(agents()),
        from in select(TicketStatus::ALL),
        to in select(TicketStatus::ALL),
        notes in of(texts()),
    ) -> StatusChange {
        StatusChange { by, from, to, notes: notes.map(ResolutionNotes::stored) }
    }
}

fn changes() -> impl Strategy<Value = Change> {
    let resolutions = select(vec![
        Resolution::Accepted,
        Resolution::Rejected,
        Resolution::Withdrawn,
        Resolution::Expired,
        Resolution::Closed,
        Resolution::Superseded,
    ]);
    prop_oneof![
        origins().prop_map(|origin| Change::Created(Box::new(origin))),
        messages().prop_map(Change::Message),
        agents().prop_map(Change::Claimed),
        agents().prop_map(Change::Released),
        (agents(), parties(), of(texts())).prop_map(|(by, previous, reason)| Change::TakenOver {
            by,
            previous,
            reason: reason.map(Reason::stored)
        }),
        (agents(), parties(), of(parties())).prop_map(|(by, to, previous)| Change::Assigned { by, to, previous }),
        (agents(), of(select(TicketStatus::ALL))).prop_map(|(by, open_ticket)| Change::Closed { by, open_ticket }),
        agents().prop_map(Change::ReopenedByAgent),
        customers().prop_map(Change::Reopened),
        (accounts(), addresses()).prop_map(|(by, guest)| Change::MovedToAccount(Box::new(AccountMove { by, guest }))),
        rates().prop_map(Change::Rated),
        (handovers(), any::<bool>()).prop_map(|(handover, is_target_online)| Change::HandoverRequested {
            handover: Box::new(handover),
            is_target_online
        }),
        (handovers(), of(agents()), resolutions).prop_map(|(handover, by, resolution)| Change::HandoverResolved {
            handover: Box::new(handover),
            by,
            resolution
        }),
        creations().prop_map(|creation| Change::TicketCreated(Box::new(creation))),
        status_changes().prop_map(|change| Change::TicketStatusChanged(Box::new(change))),
        (agents(), parties(), of(parties())).prop_map(|(by, to, previous)| Change::TicketAssigned { by, to, previous }),
        (agents(), select(TicketPriority::ALL)).prop_map(|(by, priority)| Change::TicketPrioritised { by, priority }),
        rates().prop_map(Change::TicketRated),
    ]
}

prop_compose! {
    fn any_events()(id in uuids(), conversation in uuids(), position in 1..i64::MAX, at in times(), change in changes()) -> Event {
        Event { id: EventId(id), conversation: ConversationId(conversation), position, at, change }
    }
}

prop_compose! {
    /// An event, and its conversation later: the ticket that was created has another priority.
    pub(super) fn events()(event in any_events(), later in conversations(), origin in origins(), priority in select(TicketPriority::ALL)) -> (Event, Conversation) {
        let origin = match &event.change {
            Change::Created(origin) => origin.clone(),
            _ => Box::new(origin),
        };
        let created = Event { change: Change::Created(origin), ..event.clone() };
        let mut conversation = Conversation::apply(None, &created).expect("a conversation");
        conversation.ticket.clone_from(&later.ticket);
        if let (Change::TicketCreated(creation), Some(ticket)) = (&event.change, &mut conversation.ticket) {
            ticket.draft = TicketDraft { priority, ..creation.draft.clone() };
            ticket.number = creation.number.clone();
        }
        (event, conversation)
    }
}

prop_compose! {
    fn tickets()(
        draft in drafts(),
        number in numbers(),
        status in select(TicketStatus::ALL),
        assignee in of(parties()),
        resolved in of((times(), parties())),
        notes in of(texts()),
        first_response_at in of(times()),
        last_response_at in of(times()),
        rate in of((ratings(), of(texts()))),
        created_at in times(),
        updated_at in times(),
    ) -> Ticket {
        Ticket {
            draft,
            number,
            status,
            assignee,
            resolved: resolved.map(|(at, by)| Resolved { at, by }),
            resolution_notes: notes.map(ResolutionNotes::stored),
            first_response_at,
            last_response_at,
            rating: rate.as_ref().map(|(rating, _)| *rating),
            feedback: rate.and_then(|(_, feedback)| feedback).map(Feedback::stored),
            created_at,
            updated_at,
        }
    }
}

fn visible_messages() -> impl Strategy<Value = VisibleMessage> {
    (texts(), any::<bool>(), of(texts())).prop_map(|(preview, is_from_user, sender_name)| VisibleMessage {
        preview,
        is_from_user,
        sender_name,
    })
}

fn assignees() -> impl Strategy<Value = Assignee> {
    (user_ids(), texts(), times()).prop_map(|(id, name, since)| Assignee { id, name, since })
}

prop_compose! {
    /// Always with a ticket.
    pub(super) fn conversations()(
        id in uuids(),
        origin in origins(),
        status in select(Status::ALL.to_vec()),
        assignee in of(assignees()),
        counts in (1..i64::MAX, 0..i64::MAX, 0..i64::MAX),
        last_message in of(visible_messages()),
        times in (times(), times(), times(), times()),
        (rate, is_rating_replaceable) in (of((ratings(), of(texts()))), any::<bool>()),
        pending_handover in of((handovers(), times())),
        ticket in tickets(),
        guest_email in of(addresses()),
    ) -> Conversation {
        let Origin { channel, customer, device_metadata, ip_address, user_agent } = origin;
        Conversation {
            id: ConversationId(id),
            channel,
            owner: customer.owner,
            guest_email,
            email: customer.email,
            phone_number: customer.phone_number,
            status,
            assignee,
            version: counts.0,
            last_seq: counts.1,
            message_count: counts.2,
            last_message,
            last_message_at: times.0,
            rating: rate.as_ref().map(|(rating, _)| *rating),
            feedback: rate.and_then(|(_, feedback)| feedback).map(Feedback::stored),
            is_rating_replaceable,
            device_metadata,
            ip_address,
            user_agent,
            pending_since: pending_handover.as_ref().map(|(_, since)| *since),
            pending_handover: pending_handover.map(|(handover, _)| Box::new(handover)),
            ticket: Some(Box::new(ticket)),
            created_at: times.1,
            updated_at: times.2,
            last_event_at: times.3,
        }
    }
}
