//! A row a year: how many tickets it has had.

use sea_orm::entity::prelude::*;

/// The last number given in a year. It moves in the transaction that stores the ticket, so no number is skipped.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket_counters")]
pub struct Model {
    /// The year, in UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub year: i32,
    /// The last number that was given.
    pub last: i64,
}

/// None that a query follows.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
