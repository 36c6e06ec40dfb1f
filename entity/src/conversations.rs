//! A row per conversation: everything that lists show, without counting or joining messages.

use sea_orm::entity::prelude::*;

/// The conversation as of its last event.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "conversations")]
pub struct Model {
    /// UUID v7, or derived from the sender and the first message's `client_message_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `support`, `help_center`, or `ticket` for the thread of a standalone ticket.
    #[sea_orm(column_type = "Text")]
    pub channel: String,
    /// The account it belongs to; null if it belongs to an e-mail address.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_id: Option<String>,
    /// Contact address; the owner if there is no account.
    #[sea_orm(column_type = "Text", nullable)]
    pub email: Option<String>,
    /// Contact number.
    #[sea_orm(column_type = "Text", nullable)]
    pub phone_number: Option<String>,
    /// `active`, `waiting_support`, `waiting_user` or `closed`.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// The agent it is assigned to.
    #[sea_orm(column_type = "Text", nullable)]
    pub assigned_to: Option<String>,
    /// That agent's display name at that time.
    #[sea_orm(column_type = "Text", nullable)]
    pub assigned_name: Option<String>,
    /// When it was assigned to them.
    pub assigned_at: Option<DateTimeUtc>,
    /// Position of the last event: the fence of every write.
    pub version: i64,
    /// `seq` of the last message that the user can see, which is also the number of those.
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
    /// The text given with the rating.
    #[sea_orm(column_type = "Text", nullable)]
    pub feedback: Option<String>,
    /// Whether an agent has reopened it since it was rated.
    pub is_rating_replaceable: bool,
    /// The device metadata sent with the first message: an object.
    pub device_metadata: Option<Json>,
    /// The IP address that the first message was sent from.
    #[sea_orm(column_type = "Text", nullable)]
    pub ip_address: Option<String>,
    /// The User-Agent header of the first message.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
    /// The ticket created from it.
    pub ticket_id: Option<Uuid>,
    /// The handover that its target has not answered.
    pub pending_handover_id: Option<Uuid>,
    /// The e-mail address that it belonged to before its guest moved it to an account.
    #[sea_orm(column_type = "Text", nullable)]
    pub guest_email: Option<String>,
    /// Time of the first event.
    pub created_at: DateTimeUtc,
    /// Time of the last change that the user can see.
    pub updated_at: DateTimeUtc,
    /// Time of the last event; a note changes only this one.
    pub last_event_at: DateTimeUtc,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
