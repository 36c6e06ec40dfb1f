//! A row a message, notes included.

use sea_orm::entity::prelude::*;

/// A message as it was written; it never changes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub struct Model {
    /// The conversation it is in.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Its place among all that happened to the conversation: 1, 2, 3 … without a gap, shared with
    /// `conversation_events`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// UUID v7.
    pub id: Uuid,
    /// Its place among what the user can see, without a gap; null for a note.
    pub seq: Option<i64>,
    /// The text.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// A note, for agents only.
    pub is_internal: bool,
    /// Written by the user, not by support.
    pub is_from_user: bool,
    /// Who wrote it, as a key in which `client_message_id` is unique: `account:<sub>`, `guest:<e-mail>` or
    /// `auto-reply`.
    #[sea_orm(column_type = "Text")]
    pub sender: String,
    /// The account that wrote it.
    #[sea_orm(column_type = "Text", nullable)]
    pub sender_id: Option<String>,
    /// The writer's display name then.
    #[sea_orm(column_type = "Text", nullable)]
    pub sender_name: Option<String>,
    /// The writer's e-mail then.
    #[sea_orm(column_type = "Text", nullable)]
    pub sender_email: Option<String>,
    /// The phone number then of the customer who wrote it. Null in rows before migration 000009.
    #[sea_orm(column_type = "Text", nullable)]
    pub sender_phone_number: Option<String>,
    /// The client's own name for this send.
    #[sea_orm(column_type = "Text", nullable)]
    pub client_message_id: Option<String>,
    /// When the server took it.
    pub created_at: DateTimeUtc,
}

/// None that a query follows.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
