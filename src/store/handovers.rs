//! A conversation's handovers.

use entity::handovers::{self, Column};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::database::{Database, DatabaseError};
use crate::domain::ConversationId;

/// The most that are shown, the newest: nobody reads further back, and nothing is unbounded.
const MOST_HANDOVERS: u64 = 1000;

/// Handovers in the order in which they were asked for.
///
/// # Errors
/// [`DatabaseError`].
pub async fn handovers_of(
    database: &Database,
    conversation: ConversationId,
) -> Result<Vec<handovers::Model>, DatabaseError> {
    database
        .read(async move |connection| {
            let mut newest_first = handovers::Entity::find()
                .filter(Column::ConversationId.eq(conversation.0))
                .order_by_desc(Column::CreatedAt)
                .order_by_desc(Column::Id)
                .limit(MOST_HANDOVERS)
                .all(&connection)
                .await?;
            newest_first.reverse();
            Ok::<_, DbErr>(newest_first)
        })
        .await
}
