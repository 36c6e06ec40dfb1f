//! What a conversation's actor asks: the state, what of it has not been told yet, and sends by their name.

use entity::{conversations, messages};
use sea_orm::{ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::aggregate::aggregate;
use super::events::{EventRange, events};
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId, Event, IdempotencyKey, Posted};
use crate::event_codec::decode_message;

/// A send that is stored, and the conversation that it is in.
#[derive(Clone, Debug)]
pub struct FoundSend {
    /// Its name.
    pub key: IdempotencyKey,
    /// The message.
    pub message: Posted,
    /// The conversation as it is now.
    pub conversation: Conversation,
}

/// What an actor needs to go on.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The state; `None` where there is no such conversation.
    pub conversation: Option<Conversation>,
    /// Which of the named sends that were asked for are stored, in whatever conversation.
    pub sends: Vec<FoundSend>,
    /// What happened behind the position that was asked for, up to the state's version, in order.
    pub events: Vec<Event>,
}

/// Loads a conversation, the sends of these names, and what happened behind a position.
///
/// # Errors
/// [`DatabaseError`].
pub async fn load(
    database: &Database,
    id: ConversationId,
    keys: Vec<IdempotencyKey>,
    behind: Option<EventRange>,
) -> Result<Snapshot, DatabaseError> {
    database
        .read(async move |connection| {
            let conversation = conversations::Entity::find_by_id(id.0).one(&connection).await?;
            let conversation = match conversation {
                Some(row) => Some(aggregate(&connection, row).await?),
                None => None,
            };
            // Behind the state, so that up to the state's version this list is complete.
            let events = match (&conversation, behind) {
                (Some(conversation), Some(behind)) => events(&connection, conversation, behind).await?,
                _ => Vec::new(),
            };
            let sends = sends(&connection, keys).await?;
            Ok::<_, DbErr>(Snapshot { conversation, sends, events })
        })
        .await
}

/// The stored version of a conversation; 0 where there is none.
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

/// Looks for one send by its name.
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
