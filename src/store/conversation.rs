//! One conversation, without its messages.

use entity::conversations;
use sea_orm::EntityTrait;

use super::whole::whole;
use crate::database::{Database, DatabaseError};
use crate::domain::{Channel, Conversation, ConversationId};

/// A conversation's state, or nothing where there is none; the thread of a ticket of its own is none, nor is what
/// nobody has written in yet.
///
/// # Errors
/// [`DatabaseError`].
pub async fn conversation(database: &Database, id: ConversationId) -> Result<Option<Conversation>, DatabaseError> {
    database
        .read(async move |connection| {
            let row = conversations::Entity::find_by_id(id.0).one(&connection).await?;
            match row {
                Some(row) if row.channel != Channel::Ticket.as_str() && row.message_count > 0 => {
                    whole(&connection, row).await.map(Some)
                }
                _ => Ok(None),
            }
        })
        .await
}
