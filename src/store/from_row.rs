//! Rows as what they mean. The journal's rows are made from valid values, so a row that makes no sense is a defect or
//! somebody else's hand, and is reported as a fault of the database.

use entity::{conversations, messages};
use sea_orm::DbErr;

use crate::domain::{
    AUTO_REPLY_KEY, Agent, Assignee, Author, Channel, ClientMessageId, Conversation, ConversationId, Customer,
    DeviceMetadata, EmailAddress, EventId, Feedback, Message, MessageText, Owner, Posted, Rating, Status, UserId,
    VisibleMessage,
};

pub(super) fn nonsense(table: &str, column: &str) -> DbErr {
    DbErr::Type(format!("{table}.{column} holds a value that makes no sense"))
}

pub(super) fn user_id(id: &str, table: &str, column: &str) -> Result<UserId, DbErr> {
    UserId::parse(id).map_err(|_| nonsense(table, column))
}

/// A conversation's state without its ticket and its handover, which stand in tables of their own: see
/// [`super::whole`].
pub(crate) fn conversation(row: conversations::Model) -> Result<Conversation, DbErr> {
    const TABLE: &str = "conversations";
    let owner = match (&row.user_id, &row.email) {
        (Some(id), _) => Owner::Account(user_id(id, TABLE, "user_id")?),
        (None, Some(email)) => Owner::Guest(EmailAddress::stored(email)),
        (None, None) => return Err(nonsense(TABLE, "user_id")),
    };
    let assignee = match (row.assigned_to, row.assigned_name, row.assigned_at) {
        (Some(id), name, Some(since)) => {
            Some(Assignee { id: user_id(&id, TABLE, "assigned_to")?, name: name.unwrap_or_default(), since })
        }
        _ => None,
    };
    Ok(Conversation {
        id: ConversationId(row.id),
        channel: Channel::parse(&row.channel).ok_or_else(|| nonsense(TABLE, "channel"))?,
        owner,
        email: row.email,
        phone_number: row.phone_number,
        status: Status::parse(&row.status).ok_or_else(|| nonsense(TABLE, "status"))?,
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
        rating: row
            .rating
            .map(|stars| Rating::parse(f64::from(stars)).map_err(|_| nonsense(TABLE, "rating")))
            .transpose()?,
        feedback: row.feedback.map(Feedback::stored),
        device_metadata: match row.device_metadata {
            Some(serde_json::Value::Object(object)) => Some(DeviceMetadata::stored(object)),
            _ => None,
        },
        ip_address: row.ip_address,
        user_agent: row.user_agent,
        pending_handover: None,
        ticket: None,
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_event_at: row.last_event_at,
    })
}

/// A message.
pub(crate) fn posted(row: messages::Model) -> Result<Posted, DbErr> {
    const TABLE: &str = "messages";
    let sender = row.sender_id.as_deref().map(|id| user_id(id, TABLE, "sender_id")).transpose()?;
    let author = match (row.is_from_user, sender, &row.sender_email) {
        (true, Some(id), _) => Author::Customer(Customer {
            owner: Owner::Account(id),
            name: row.sender_name,
            email: row.sender_email,
            phone_number: None,
        }),
        (true, None, Some(email)) => Author::Customer(Customer {
            owner: Owner::Guest(EmailAddress::stored(email)),
            name: row.sender_name,
            email: row.sender_email,
            phone_number: None,
        }),
        (false, Some(id), _) => {
            Author::Agent(Agent { id, name: row.sender_name.unwrap_or_default(), email: row.sender_email })
        }
        (false, None, _) if row.sender == AUTO_REPLY_KEY => {
            Author::AutoReply { name: row.sender_name.unwrap_or_default() }
        }
        (_, None, _) => return Err(nonsense(TABLE, "sender_id")),
    };
    Ok(Posted {
        id: EventId(row.id),
        conversation: ConversationId(row.conversation_id),
        position: row.position,
        at: row.created_at,
        message: Message {
            seq: row.seq,
            text: MessageText::stored(row.body),
            author,
            client_message_id: row
                .client_message_id
                .map(|id| ClientMessageId::parse(&id).map_err(|_| nonsense(TABLE, "client_message_id")))
                .transpose()?,
        },
    })
}
