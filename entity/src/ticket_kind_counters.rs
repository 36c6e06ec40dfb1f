//! The sharded counters of tickets by status, priority, type and assignment (table `ticket_tallies`).

use sea_orm::entity::prelude::*;

/// One shard of one kind; a count is the sum of all shards. Triggers change it when a ticket is inserted, updated or
/// deleted. The shards keep writers from waiting for each other.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket_tallies")]
pub struct Model {
    /// The shard's number.
    #[sea_orm(primary_key, auto_increment = false, column_name = "share")]
    pub shard: i32,
    /// The tickets' status.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub status: String,
    /// Their priority.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub priority: String,
    /// Their type.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub support_type: String,
    /// Whether they are assigned.
    #[sea_orm(primary_key, auto_increment = false)]
    pub is_assigned: bool,
    /// Tickets.
    pub tickets: i64,
    /// Tickets that were answered.
    pub responded: i64,
    /// Sum of the seconds to the first answer.
    pub response_seconds: i64,
    /// Tickets that were rated.
    pub rated: i64,
    /// Sum of the stars.
    pub stars: i64,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
