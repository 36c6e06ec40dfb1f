//! One conversation, without its messages.

use entity::conversations;
use sea_orm::EntityTrait;

use super::stored;
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId};

/// A conversation's state, or nothing where there is none.
///
/// # Errors
/// [`DatabaseError`].
pub async fn conversation(database: &Database, id: ConversationId) -> Result<Option<Conversation>, DatabaseError> {
    database
        .read(async move |connection| {
            let row = conversations::Entity::find_by_id(id.0).one(&connection).await?;
            row.map(stored::conversation).transpose()
        })
        .await
}
