//! How many tickets were made on which day.

use sea_orm::entity::prelude::*;

/// A share of the tickets of one day, on top of all others; the database moves it as `ticket_tallies`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket_days")]
pub struct Model {
    /// The day in UTC, `2026-11-23`.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub day: String,
    /// Which share.
    #[sea_orm(primary_key, auto_increment = false)]
    pub share: i32,
    /// How many.
    pub tickets: i64,
}

/// None that a query follows.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
