//! The sharded counter of tickets by day of creation (table `ticket_days`).

use sea_orm::entity::prelude::*;

/// One shard of one day; the count is the sum of all. Triggers change it, as they do `ticket_tallies`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket_days")]
pub struct Model {
    /// The day in UTC, `2026-11-23`.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub day: String,
    /// The shard's number.
    #[sea_orm(primary_key, auto_increment = false, column_name = "share")]
    pub shard: i32,
    /// Tickets on this shard.
    pub tickets: i64,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
