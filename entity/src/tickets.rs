//! A row a ticket: what the lists show.

use sea_orm::entity::prelude::*;

/// The ticket as of now. What is written in it stands in `messages`, under its conversation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tickets")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `<prefix>-<year>-<6 digits>`, unlike all others.
    #[sea_orm(column_type = "Text", unique)]
    pub ticket_number: String,
    /// The conversation that its messages are in: the one it was made of, or a thread of its own (channel `ticket`).
    #[sea_orm(unique)]
    pub conversation_id: Uuid,
    /// Whether it was made of a conversation that customers and agents know.
    pub is_of_conversation: bool,
    /// The account it belongs to, as the conversation's.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_id: Option<String>,
    /// Contact address, as the conversation's.
    #[sea_orm(column_type = "Text", nullable)]
    pub email: Option<String>,
    /// Contact number, as the conversation's.
    #[sea_orm(column_type = "Text", nullable)]
    pub phone_number: Option<String>,
    /// What it is about.
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    /// What it is about, at length.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// `GENERAL_INQUIRY`, …
    #[sea_orm(column_type = "Text")]
    pub support_type: String,
    /// `pending`, `in_progress`, `waiting_user`, `resolved`, `closed` or `escalated`.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// `low`, `medium`, `high` or `urgent`.
    #[sea_orm(column_type = "Text")]
    pub priority: String,
    /// 1 for `low` to 4 for `urgent`, to sort by.
    pub priority_rank: i16,
    /// The agent who has it.
    #[sea_orm(column_type = "Text", nullable)]
    pub assigned_to: Option<String>,
    /// That agent's display name then.
    #[sea_orm(column_type = "Text", nullable)]
    pub assigned_name: Option<String>,
    /// When it became `resolved` or `closed`.
    pub resolved_at: Option<DateTimeUtc>,
    /// The agent who made it so.
    #[sea_orm(column_type = "Text", nullable)]
    pub resolved_by: Option<String>,
    /// That agent's display name then.
    #[sea_orm(column_type = "Text", nullable)]
    pub resolved_by_name: Option<String>,
    /// Said with the last change of status.
    #[sea_orm(column_type = "Text", nullable)]
    pub resolution_notes: Option<String>,
    /// A transaction of another system that it is about.
    #[sea_orm(column_type = "Text", nullable)]
    pub related_transaction_id: Option<String>,
    /// The registration that it came out of.
    #[sea_orm(column_type = "Text", nullable)]
    pub session_id: Option<String>,
    /// When support first answered visibly.
    pub first_response_at: Option<DateTimeUtc>,
    /// When support last answered visibly.
    pub last_response_at: Option<DateTimeUtc>,
    /// Seconds from its creation to the first answer.
    pub response_time_seconds: Option<i64>,
    /// 1 to 5.
    pub rating: Option<i16>,
    /// Said with the rating.
    #[sea_orm(column_type = "Text", nullable)]
    pub feedback: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When something last changed that the customer can see.
    pub updated_at: DateTimeUtc,
}

/// None that a query follows.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
