//! One conversation without its messages.

use entity::conversations;
use sea_orm::{DbErr, EntityTrait};

use super::aggregate::aggregate;
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId};

/// A conversation's state; `None` if there is none, or none that is shown ([`Conversation::is_shown`]).
///
/// # Errors
/// [`DatabaseError`].
pub async fn conversation(database: &Database, id: ConversationId) -> Result<Option<Conversation>, DatabaseError> {
    database
        .read(async move |connection| {
            let row = conversations::Entity::find_by_id(id.0).one(&connection).await?;
            let Some(row) = row else { return Ok(None) };
            let conversation = aggregate(&connection, row).await?;
            Ok::<_, DbErr>(conversation.is_shown().then_some(conversation))
        })
        .await
}
