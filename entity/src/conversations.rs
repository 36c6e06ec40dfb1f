//! A row a conversation: what the lists show, without counting or joining messages.

use sea_orm::entity::prelude::*;

/// The conversation as of its last event.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "conversations")]
pub struct Model {
    /// UUID v7, or derived from the sender and the first message's `client_message_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `support`, `help_center`, or `ticket` for the thread of a ticket that was made without a conversation.
    #[sea_orm(column_type = "Text")]
    pub channel: String,
    /// The account it belongs to; null where it belongs to an e-mail address.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_id: Option<String>,
    /// Contact address; the owner where there is no account.
    #[sea_orm(column_type = "Text", nullable)]
    pub email: Option<String>,
    /// Contact number.
    #[sea_orm(column_type = "Text", nullable)]
    pub phone_number: Option<String>,
    /// `active`, `waiting_support`, `waiting_user` or `closed`.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// The agent who holds it.
    #[sea_orm(column_type = "Text", nullable)]
    pub assigned_to: Option<String>,
    /// That agent's display name when they took it.
    #[sea_orm(column_type = "Text", nullable)]
    pub assigned_name: Option<String>,
    /// When they took it.
    pub assigned_at: Option<DateTimeUtc>,
    /// Position of the last event: the fence of every write.
    pub version: i64,
    /// `seq` of the last message that the user can see, which is also how many they can see.
    pub last_seq: i64,
    /// All messages, notes included.
    pub message_count: i64,
    /// First 100 scalar values of the last visible message.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_message: Option<String>,
    /// Whether the user wrote it.
    pub last_message_is_from_user: Option<bool>,
    /// Who wrote it.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_message_sender_name: Option<String>,
    /// When it was written.
    pub last_message_at: DateTimeUtc,
    /// 1 to 5.
    pub rating: Option<i16>,
    /// Said with the rating.
    #[sea_orm(column_type = "Text", nullable)]
    pub feedback: Option<String>,
    /// What the first message told of the device: an object.
    pub device_metadata: Option<Json>,
    /// Where the first message came from, as the server saw it.
    #[sea_orm(column_type = "Text", nullable)]
    pub ip_address: Option<String>,
    /// What the first message came with, as the server saw it.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
    /// The ticket that was made of it.
    pub ticket_id: Option<Uuid>,
    /// The handover that waits for its target's word.
    pub pending_handover_id: Option<Uuid>,
    /// When the first event happened.
    pub created_at: DateTimeUtc,
    /// When something last changed that the user can see.
    pub updated_at: DateTimeUtc,
    /// When the last event happened; a note moves this alone.
    pub last_event_at: DateTimeUtc,
}

/// None that a query follows.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
