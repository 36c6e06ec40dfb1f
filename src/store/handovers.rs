//! Handovers of a conversation, and what requesting one needs to know.

use entity::{handovers, users};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::database::{Database, DatabaseError};
use crate::domain::{ConversationId, HandoverId, NAMELESS_AGENT, Party, UserId, display_name};

/// The list's bound: the newest ones.
const MAX_HANDOVERS: u64 = 1000;

/// A conversation's handovers in the order they were requested.
///
/// # Errors
/// [`DatabaseError`].
pub async fn handovers_of(
    database: &Database,
    conversation: ConversationId,
) -> Result<Vec<handovers::Model>, DatabaseError> {
    use handovers::Column;
    database
        .read(async move |connection| {
            let mut newest_first = handovers::Entity::find()
                .filter(Column::ConversationId.eq(conversation.0))
                .order_by_desc(Column::CreatedAt)
                .order_by_desc(Column::Id)
                .limit(MAX_HANDOVERS)
                .all(&connection)
                .await?;
            newest_first.reverse();
            Ok::<_, DbErr>(newest_first)
        })
        .await
}

/// The conversation of a handover; `None` if there is no such handover.
///
/// # Errors
/// [`DatabaseError`].
pub async fn handover_conversation(
    database: &Database,
    id: HandoverId,
) -> Result<Option<ConversationId>, DatabaseError> {
    database
        .read(async move |connection| {
            let conversation: Option<Uuid> = handovers::Entity::find_by_id(id.0)
                .select_only()
                .column(handovers::Column::ConversationId)
                .into_tuple()
                .one(&connection)
                .await?;
            Ok::<_, DbErr>(conversation.map(ConversationId))
        })
        .await
}

/// An agent with their display name, as the directory has them; `None` if it has no agent with this account.
///
/// # Errors
/// [`DatabaseError`].
pub async fn find_agent(database: &Database, id: UserId) -> Result<Option<Party>, DatabaseError> {
    database
        .read(async move |connection| {
            let row =
                users::Entity::find_by_id(id.as_str()).filter(users::Column::IsAgent.eq(true)).one(&connection).await?;
            Ok::<_, DbErr>(row.map(|row| {
                let (first, last) = (row.first_name.as_deref(), row.last_name.as_deref());
                let name = display_name(first, last, row.name.as_deref(), row.email.as_deref());
                Party { id, name: name.unwrap_or_else(|| NAMELESS_AGENT.to_owned()) }
            }))
        })
        .await
}
