//! A row per event that is not a message.

use sea_orm::entity::prelude::*;

/// An event; rows never change. Merged with `messages` by `position`, they are the timeline.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "conversation_events")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Its place among the conversation's events, shared with `messages`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// UUID v7.
    pub id: Uuid,
    /// `created`, `claimed`, `closed`, …: the types of the timeline.
    #[sea_orm(column_name = "type", column_type = "Text")]
    pub kind: String,
    /// The account that caused it.
    #[sea_orm(column_type = "Text", nullable)]
    pub actor_id: Option<String>,
    /// The account's display name at that time.
    #[sea_orm(column_type = "Text", nullable)]
    pub actor_name: Option<String>,
    /// What the timeline shows of it: an object whose fields depend on the type.
    pub data: Json,
    /// What it holds beyond that: an object, see `switchboard::event_codec`. Null where there is nothing, and in rows
    /// before migration 000009.
    pub detail: Option<Json>,
    /// When it happened.
    pub created_at: DateTimeUtc,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
