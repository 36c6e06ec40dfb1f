//! A row for each time that an agent asked another to take a conversation over.

use sea_orm::entity::prelude::*;

/// A handover as of now.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "handovers")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The conversation.
    pub conversation_id: Uuid,
    /// The agent who asked.
    #[sea_orm(column_type = "Text")]
    pub from_id: String,
    /// That agent's display name then.
    #[sea_orm(column_type = "Text")]
    pub from_name: String,
    /// The agent who was asked.
    #[sea_orm(column_type = "Text")]
    pub to_id: String,
    /// That agent's display name then.
    #[sea_orm(column_type = "Text")]
    pub to_name: String,
    /// Why, in the words of who asked.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// `pending`, `accepted` or `rejected`; of one conversation at most one is pending.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// When it was accepted or rejected, or the conversation was closed over it.
    pub responded_at: Option<DateTimeUtc>,
}

/// None that a query follows.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
