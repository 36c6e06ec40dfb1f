//! Events and state as rows.

use serde_json::{Value, json};

use crate::domain::{
    Agent, Change, Channel, Conversation, Customer, Event, Handover, Message, Party, Ticket, Timestamp,
};
use entity::{conversation_events, conversations, handovers, messages, tickets};

/// A conversation as its row.
pub(super) fn conversation(state: &Conversation) -> conversations::Model {
    conversations::Model {
        id: state.id.0,
        channel: state.channel.as_str().to_owned(),
        user_id: state.owner.account().map(|id| id.as_str().to_owned()),
        email: state.email.clone(),
        phone_number: state.phone_number.clone(),
        status: state.status.as_str().to_owned(),
        assigned_to: state.assignee.as_ref().map(|assignee| assignee.id.as_str().to_owned()),
        assigned_name: state.assignee.as_ref().map(|assignee| assignee.name.clone()),
        assigned_at: state.assignee.as_ref().map(|assignee| assignee.since),
        version: state.version,
        last_seq: state.last_seq,
        message_count: state.message_count,
        last_message: state.last_message.as_ref().map(|message| message.preview.clone()),
        last_message_is_from_user: state.last_message.as_ref().map(|message| message.is_from_user),
        last_message_sender_name: state.last_message.as_ref().and_then(|message| message.sender_name.clone()),
        last_message_at: state.last_message_at,
        rating: state.rating.map(|rating| i16::from(rating.stars())),
        feedback: state.feedback.as_ref().map(|feedback| feedback.as_str().to_owned()),
        device_metadata: state.device_metadata.as_ref().map(|device| Value::Object(device.as_object().clone())),
        ip_address: state.ip_address.clone(),
        user_agent: state.user_agent.clone(),
        ticket_id: state.ticket.as_ref().map(|ticket| ticket.draft.id.0),
        pending_handover_id: state.pending_handover.as_ref().map(|handover| handover.id.0),
        created_at: state.created_at,
        updated_at: state.updated_at,
        last_event_at: state.last_event_at,
    }
}

/// An event as a row of the table that it belongs to.
pub(super) enum EventRow {
    Message(messages::Model),
    Other(conversation_events::Model),
}

pub(super) fn event(event: &Event) -> EventRow {
    match &event.change {
        Change::Message(message) => EventRow::Message(self::message(event, message)),
        Change::Created(origin) => EventRow::Other(other(
            event,
            origin.customer.owner.account().map(|id| id.as_str().to_owned()),
            origin.customer.name.clone(),
            json!({ "channel": origin.channel.as_str() }),
        )),
        Change::Claimed(agent) => EventRow::Other(by_agent(event, agent)),
        Change::Closed(agent) => EventRow::Other(by_agent(event, agent)),
        Change::Reopened(customer) => EventRow::Other(by_customer(event, customer, json!({}))),
        Change::Rated(rate) | Change::TicketRated(rate) => {
            let data = json!({ "rating": rate.rating, "feedback": rate.feedback });
            EventRow::Other(by_customer(event, &rate.from, data))
        }
        Change::HandoverRequested(handover) => EventRow::Other(by_party(
            event,
            &handover.from,
            json!({
                "handover_id": handover.id,
                "to_admin_id": handover.to.id,
                "to_admin_name": handover.to.name,
                "reason": handover.reason,
            }),
        )),
        Change::HandoverResolved { handover, by, .. } => {
            let data = json!({ "handover_id": handover.id, "from_admin_id": handover.from.id });
            EventRow::Other(by_party(event, &Party::from(by), data))
        }
        Change::TicketCreated(creation) => {
            let data = json!({ "ticket_id": creation.draft.id, "subject": creation.draft.subject });
            let by = creation.by.as_ref();
            let (id, name) = (by.map(|agent| agent.id.as_str().to_owned()), by.map(|agent| agent.name.clone()));
            EventRow::Other(other(event, id, name, data))
        }
        Change::TicketStatusChanged(change) => EventRow::Other(by_party(
            event,
            &Party::from(&change.by),
            json!({
                "old_status": change.from.as_str(),
                "new_status": change.to.as_str(),
                "resolution_notes": change.notes,
            }),
        )),
        Change::TicketAssigned { by, to } => {
            let data = json!({ "assigned_to": to.id, "assigned_admin_name": to.name });
            EventRow::Other(by_party(event, &Party::from(by), data))
        }
        Change::TicketPrioritised { by, priority } => {
            let data = json!({ "priority": priority.as_str() });
            EventRow::Other(by_party(event, &Party::from(by), data))
        }
    }
}

/// The ticket of this state as its row.
pub(super) fn ticket(state: &Conversation, ticket: &Ticket) -> tickets::Model {
    let owned = |text: &str| text.to_owned();
    tickets::Model {
        id: ticket.draft.id.0,
        ticket_number: owned(ticket.number.as_str()),
        conversation_id: state.id.0,
        is_of_conversation: state.channel != Channel::Ticket,
        user_id: state.owner.account().map(|id| owned(id.as_str())),
        email: state.email.clone(),
        phone_number: state.phone_number.clone(),
        subject: owned(ticket.draft.subject.as_str()),
        description: owned(ticket.draft.description.as_str()),
        support_type: owned(ticket.draft.support_type.as_str()),
        status: owned(ticket.status.as_str()),
        priority: owned(ticket.draft.priority.as_str()),
        priority_rank: ticket.draft.priority.rank(),
        assigned_to: ticket.assignee.as_ref().map(|assignee| owned(assignee.id.as_str())),
        assigned_name: ticket.assignee.as_ref().map(|assignee| assignee.name.clone()),
        resolved_at: ticket.resolved.as_ref().map(|resolved| resolved.at),
        resolved_by: ticket.resolved.as_ref().map(|resolved| owned(resolved.by.id.as_str())),
        resolved_by_name: ticket.resolved.as_ref().map(|resolved| resolved.by.name.clone()),
        resolution_notes: ticket.resolution_notes.as_ref().map(|notes| owned(notes.as_str())),
        related_transaction_id: ticket.draft.related_transaction_id.as_ref().map(|id| owned(id.as_str())),
        session_id: ticket.draft.session_id.as_ref().map(|id| owned(id.as_str())),
        first_response_at: ticket.first_response_at,
        last_response_at: ticket.last_response_at,
        response_time_seconds: ticket.response_time_seconds(),
        rating: ticket.rating.map(|rating| i16::from(rating.stars())),
        feedback: ticket.feedback.as_ref().map(|feedback| owned(feedback.as_str())),
        created_at: ticket.created_at,
        updated_at: ticket.updated_at,
    }
}

/// A handover that is asked for at this event, as its row.
pub(super) fn handover(event: &Event, handover: &Handover) -> handovers::Model {
    handovers::Model {
        id: handover.id.0,
        conversation_id: event.conversation.0,
        from_id: handover.from.id.as_str().to_owned(),
        from_name: handover.from.name.clone(),
        to_id: handover.to.id.as_str().to_owned(),
        to_name: handover.to.name.clone(),
        reason: handover.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        status: "pending".to_owned(),
        created_at: event.at,
        responded_at: None,
    }
}

fn message(event: &Event, message: &Message) -> messages::Model {
    messages::Model {
        conversation_id: event.conversation.0,
        position: event.position,
        id: event.id.0,
        seq: message.seq,
        body: message.text.as_str().to_owned(),
        is_internal: message.is_note(),
        is_from_user: message.author.is_customer(),
        sender: message.author.sender_key(),
        sender_id: message.author.account().map(|id| id.as_str().to_owned()),
        sender_name: message.author.name().map(ToOwned::to_owned),
        sender_email: message.author.email().map(ToOwned::to_owned),
        client_message_id: message.client_message_id.as_ref().map(|id| id.as_str().to_owned()),
        created_at: event.at,
    }
}

fn by_agent(event: &Event, agent: &Agent) -> conversation_events::Model {
    by_party(event, &Party::from(agent), json!({}))
}

fn by_party(event: &Event, party: &Party, data: Value) -> conversation_events::Model {
    other(event, Some(party.id.as_str().to_owned()), Some(party.name.clone()), data)
}

fn by_customer(event: &Event, customer: &Customer, data: Value) -> conversation_events::Model {
    let id = customer.owner.account().map(|id| id.as_str().to_owned());
    other(event, id, customer.name.clone(), data)
}

fn other(
    event: &Event,
    actor_id: Option<String>,
    actor_name: Option<String>,
    data: Value,
) -> conversation_events::Model {
    let created_at: Timestamp = event.at;
    conversation_events::Model {
        conversation_id: event.conversation.0,
        position: event.position,
        id: event.id.0,
        kind: event.change.kind().to_owned(),
        actor_id,
        actor_name,
        data,
        created_at,
    }
}
