//! Reads for a conversation's actor: the state, the events to announce, and messages by idempotency key.

use entity::{conversations, messages};
use sea_orm::{ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::aggregate::aggregate;
use super::events::{EventRange, events};
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId, Event, IdempotencyKey, Posted};
use crate::event_codec::decode_message;

/// A stored message that was found by its idempotency key, and its conversation.
#[derive(Clone, Debug)]
pub struct FoundSend {
    /// The key.
    pub key: IdempotencyKey,
    /// The message.
    pub message: Posted,
    /// The conversation's present state.
    pub conversation: Conversation,
}

/// What an actor loads.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The state; `None` if there is no such conversation.
    pub conversation: Option<Conversation>,
    /// The stored messages among those with the given keys, in any conversation.
    pub sends: Vec<FoundSend>,
    /// The events of the given range, up to the state's version, in order.
    pub events: Vec<Event>,
}

/// Loads a conversation, the messages with these idempotency keys, and a range of events.
///
/// # Errors
/// [`DatabaseError`].
pub async fn load(
    database: &Database,
    id: ConversationId,
    keys: Vec<IdempotencyKey>,
    range: Option<EventRange>,
) -> Result<Snapshot, DatabaseError> {
    database
        .read(async move |connection| {
            let conversation = conversations::Entity::find_by_id(id.0).one(&connection).await?;
            let conversation = match conversation {
                Some(row) => Some(aggregate(&connection, row).await?),
                None => None,
            };
            // Read after the state, so that the list is complete up to the state's version.
            let events = match (&conversation, range) {
                (Some(conversation), Some(range)) => events(&connection, conversation, range).await?,
                _ => Vec::new(),
            };
            let sends = sends(&connection, keys).await?;
            Ok::<_, DbErr>(Snapshot { conversation, sends, events })
        })
        .await
}

/// The stored version of a conversation; 0 if there is none.
///
/// # Errors
/// [`DatabaseError`].
pub async fn version(database: &Database, id: ConversationId) -> Result<i64, DatabaseError> {
    database
        .read(async move |connection| {
            let version = conversations::Entity::find_by_id(id.0).select_only().column(conversations::Column::Version);
            Ok::<_, DbErr>(version.into_tuple().one(&connection).await?.unwrap_or(0))
        })
        .await
}

/// Finds a message by its idempotency key.
///
/// # Errors
/// [`DatabaseError`].
pub async fn find_send(database: &Database, key: IdempotencyKey) -> Result<Option<FoundSend>, DatabaseError> {
    database.read(async move |connection| sends(&connection, vec![key]).await).await.map(|mut found| found.pop())
}

async fn sends(connection: &DatabaseConnection, keys: Vec<IdempotencyKey>) -> Result<Vec<FoundSend>, DbErr> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let any = keys.iter().fold(Condition::any(), |any, key| {
        any.add(
            Condition::all()
                .add(messages::Column::Sender.eq(key.sender.as_str()))
                .add(messages::Column::ClientMessageId.eq(key.client_message_id.as_str())),
        )
    });
    let rows = messages::Entity::find().filter(any).all(connection).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(conversation) = conversations::Entity::find_by_id(row.conversation_id).one(connection).await? else {
            continue;
        };
        let name = (row.sender.clone(), row.client_message_id.clone());
        let Some(key) =
            keys.iter().find(|key| (Some(key.client_message_id.as_str()), &key.sender) == (name.1.as_deref(), &name.0))
        else {
            continue;
        };
        found.push(FoundSend {
            key: key.clone(),
            message: decode_message(row)?,
            conversation: aggregate(connection, conversation).await?,
        });
    }
    Ok(found)
}
