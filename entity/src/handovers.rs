//! A row per handover: a request of one agent to another to take over a conversation.

use sea_orm::entity::prelude::*;

/// A handover's present state.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "handovers")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The conversation.
    pub conversation_id: Uuid,
    /// The agent who requested it.
    #[sea_orm(column_type = "Text")]
    pub from_id: String,
    /// That agent's display name at that time.
    #[sea_orm(column_type = "Text")]
    pub from_name: String,
    /// The agent who is to take over.
    #[sea_orm(column_type = "Text")]
    pub to_id: String,
    /// That agent's display name at that time.
    #[sea_orm(column_type = "Text")]
    pub to_name: String,
    /// The reason that the requesting agent gave.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// `pending`, `accepted` or `rejected`; `resolution` has the reason. A conversation has at most one pending handover.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// When it was requested.
    pub created_at: DateTimeUtc,
    /// When it was resolved.
    pub responded_at: Option<DateTimeUtc>,
    /// Why it was rejected: `declined`, `withdrawn`, `expired`, `closed` or `superseded`. Null otherwise, and where a
    /// release before migration 000011 wrote it.
    #[sea_orm(column_type = "Text", nullable)]
    pub resolution: Option<String>,
    /// Whether the target has been notified: they had a socket when it was requested, or have connected since.
    pub is_announced: bool,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
