//! Events and state as rows.

use serde_json::{Value, json};

use crate::domain::{Agent, Change, Conversation, Event, Message, Timestamp};
use entity::{conversation_events, conversations, messages};

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
        ticket_id: None,
        pending_handover_id: None,
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
            "created",
            origin.customer.owner.account().map(|id| id.as_str().to_owned()),
            origin.customer.name.clone(),
            json!({ "channel": origin.channel.as_str() }),
        )),
        Change::Claimed(agent) => EventRow::Other(by_agent(event, "claimed", agent)),
        Change::Closed(agent) => EventRow::Other(by_agent(event, "closed", agent)),
        Change::Rated(rate) => EventRow::Other(other(
            event,
            "rated",
            rate.from.owner.account().map(|id| id.as_str().to_owned()),
            rate.from.name.clone(),
            json!({ "rating": rate.rating, "feedback": rate.feedback }),
        )),
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

fn by_agent(event: &Event, kind: &str, agent: &Agent) -> conversation_events::Model {
    other(event, kind, Some(agent.id.as_str().to_owned()), Some(agent.name.clone()), json!({}))
}

fn other(
    event: &Event,
    kind: &str,
    actor_id: Option<String>,
    actor_name: Option<String>,
    data: Value,
) -> conversation_events::Model {
    let created_at: Timestamp = event.at;
    conversation_events::Model {
        conversation_id: event.conversation.0,
        position: event.position,
        id: event.id.0,
        kind: kind.to_owned(),
        actor_id,
        actor_name,
        data,
        created_at,
    }
}
