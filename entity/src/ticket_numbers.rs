//! A row per year: the last ticket number (table `ticket_counters`).

use sea_orm::entity::prelude::*;

/// The last number assigned in a year. It changes in the transaction that stores the ticket, so no number is skipped.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket_counters")]
pub struct Model {
    /// The year, in UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub year: i32,
    /// The last number that was assigned.
    pub last: i64,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
