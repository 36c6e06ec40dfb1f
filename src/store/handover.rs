//! What handing over has to know beforehand: who may take over, and which conversation a handover is of.

use entity::{handovers, users};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

use crate::database::{Database, DatabaseError};
use crate::domain::{ConversationId, HandoverId, NAMELESS_AGENT, Party, UserId, display_name};

/// An agent whom the directory knows, under the name that it has for them; nothing for anybody else.
///
/// # Errors
/// [`DatabaseError`].
pub async fn agent(database: &Database, id: UserId) -> Result<Option<Party>, DatabaseError> {
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

/// The conversation that a handover is of; nothing where there is no such handover.
///
/// # Errors
/// [`DatabaseError`].
pub async fn handed_over(database: &Database, id: HandoverId) -> Result<Option<ConversationId>, DatabaseError> {
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
