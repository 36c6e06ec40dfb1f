//! A conversation's state, as its row of `conversations`.

use entity::conversations;
use serde_json::Value;

use super::{DecodeError, Table};
use crate::domain::{
    Assignee, Channel, Conversation, ConversationId, DeviceMetadata, EmailAddress, Feedback, Owner, Status,
    VisibleMessage,
};

const TABLE: Table = Table("conversations");

/// The row of a conversation.
pub(crate) fn encode_conversation(state: &Conversation) -> conversations::Model {
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
        is_rating_replaceable: state.is_rating_replaceable,
        device_metadata: state.device_metadata.as_ref().map(|device| Value::Object(device.as_object().clone())),
        ip_address: state.ip_address.clone(),
        user_agent: state.user_agent.clone(),
        ticket_id: state.ticket.as_ref().map(|ticket| ticket.draft.id.0),
        pending_handover_id: state.pending_handover.as_ref().map(|handover| handover.id.0),
        guest_email: state.guest_email.as_ref().map(|email| email.as_str().to_owned()),
        created_at: state.created_at,
        updated_at: state.updated_at,
        last_event_at: state.last_event_at,
    }
}

/// The state of a row, without its ticket and its pending handover: they are rows of other tables.
///
/// # Errors
/// [`DecodeError`].
pub(crate) fn decode_conversation(row: conversations::Model) -> Result<Conversation, DecodeError> {
    let owner = match (&row.user_id, &row.email) {
        (Some(id), _) => Owner::Account(TABLE.user_id("user_id", id)?),
        (None, Some(email)) => Owner::Guest(EmailAddress::stored(email)),
        (None, None) => return Err(TABLE.invalid("user_id")),
    };
    let assignee = match (row.assigned_to, row.assigned_name, row.assigned_at) {
        (Some(id), name, Some(since)) => {
            Some(Assignee { id: TABLE.user_id("assigned_to", &id)?, name: name.unwrap_or_default(), since })
        }
        _ => None,
    };
    Ok(Conversation {
        id: ConversationId(row.id),
        channel: Channel::parse(&row.channel).ok_or_else(|| TABLE.invalid("channel"))?,
        owner,
        guest_email: row.guest_email.as_deref().map(EmailAddress::stored),
        email: row.email,
        phone_number: row.phone_number,
        status: Status::parse(&row.status).ok_or_else(|| TABLE.invalid("status"))?,
        assignee,
        version: row.version,
        last_seq: row.last_seq,
        message_count: row.message_count,
        last_message: row.last_message.map(|preview| VisibleMessage {
            preview,
            is_from_user: row.last_message_is_from_user.unwrap_or_default(),
            sender_name: row.last_message_sender_name,
        }),
        last_message_at: row.last_message_at,
        rating: row.rating.map(|stars| TABLE.rating("rating", f64::from(stars))).transpose()?,
        feedback: row.feedback.map(Feedback::stored),
        is_rating_replaceable: row.is_rating_replaceable,
        device_metadata: match row.device_metadata {
            Some(Value::Object(object)) => Some(DeviceMetadata::stored(object)),
            _ => None,
        },
        ip_address: row.ip_address,
        user_agent: row.user_agent,
        pending_handover: None,
        pending_since: None,
        ticket: None,
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_event_at: row.last_event_at,
    })
}
