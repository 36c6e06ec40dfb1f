//! A row per ticket: everything that lists show.

use sea_orm::entity::prelude::*;

/// A ticket's present state. Its messages are in `messages`, under its conversation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tickets")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `<prefix>-<year>-<6 digits>`, unique.
    #[sea_orm(column_type = "Text", unique)]
    pub ticket_number: String,
    /// The conversation of its messages: the one it was created from, or a thread of its own (channel `ticket`).
    #[sea_orm(unique)]
    pub conversation_id: Uuid,
    /// Whether it was created from a conversation.
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
    /// The subject.
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    /// The description.
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
    /// The agent it is assigned to.
    #[sea_orm(column_type = "Text", nullable)]
    pub assigned_to: Option<String>,
    /// That agent's display name at that time.
    #[sea_orm(column_type = "Text", nullable)]
    pub assigned_name: Option<String>,
    /// When it became `resolved` or `closed`.
    pub resolved_at: Option<DateTimeUtc>,
    /// The agent who made it so.
    #[sea_orm(column_type = "Text", nullable)]
    pub resolved_by: Option<String>,
    /// That agent's display name at that time.
    #[sea_orm(column_type = "Text", nullable)]
    pub resolved_by_name: Option<String>,
    /// The text given with the last change of status.
    #[sea_orm(column_type = "Text", nullable)]
    pub resolution_notes: Option<String>,
    /// The transaction in another system that it is about.
    #[sea_orm(column_type = "Text", nullable)]
    pub related_transaction_id: Option<String>,
    /// The registration session that it was created in.
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
    /// The text given with the rating.
    #[sea_orm(column_type = "Text", nullable)]
    pub feedback: Option<String>,
    /// When it was created.
    pub created_at: DateTimeUtc,
    /// Time of the last change that the customer can see.
    pub updated_at: DateTimeUtc,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
