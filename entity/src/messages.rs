//! A row per message, notes included.

use sea_orm::entity::prelude::*;

/// A message; rows never change.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub struct Model {
    /// The conversation it is in.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Its place among the conversation's events: 1, 2, 3 … without a gap, shared with `conversation_events`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// UUID v7.
    pub id: Uuid,
    /// Its place among the messages that the user can see, without a gap; null for a note.
    pub seq: Option<i64>,
    /// The text.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// Whether it is a note, which only agents see.
    pub is_internal: bool,
    /// Whether the user wrote it.
    pub is_from_user: bool,
    /// The sender's key, per which `client_message_id` is unique: `account:<sub>`, `guest:<e-mail>` or `auto-reply`.
    #[sea_orm(column_type = "Text")]
    pub sender: String,
    /// The account that wrote it.
    #[sea_orm(column_type = "Text", nullable)]
    pub sender_id: Option<String>,
    /// The sender's display name at that time.
    #[sea_orm(column_type = "Text", nullable)]
    pub sender_name: Option<String>,
    /// The sender's e-mail address at that time.
    #[sea_orm(column_type = "Text", nullable)]
    pub sender_email: Option<String>,
    /// The sender's phone number at that time, if a customer. Null in rows before migration 000009.
    #[sea_orm(column_type = "Text", nullable)]
    pub sender_phone_number: Option<String>,
    /// The client's idempotency key for this message.
    #[sea_orm(column_type = "Text", nullable)]
    pub client_message_id: Option<String>,
    /// When the server accepted it.
    pub created_at: DateTimeUtc,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
