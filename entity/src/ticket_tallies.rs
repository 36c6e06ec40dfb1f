//! How many tickets there are of which kind.

use sea_orm::entity::prelude::*;

/// A share of the tickets of one kind, on top of all others. The database moves it when a ticket is made or changes,
/// whoever does it; the shares only keep writers out of each other's way, and only the sum of all of them means
/// something.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket_tallies")]
pub struct Model {
    /// Which share.
    #[sea_orm(primary_key, auto_increment = false)]
    pub share: i32,
    /// The tickets' status.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub status: String,
    /// Their priority.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub priority: String,
    /// Their type.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub support_type: String,
    /// Whether somebody has them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub is_assigned: bool,
    /// How many.
    pub tickets: i64,
    /// How many of them were answered.
    pub responded: i64,
    /// Seconds to the first answer, of all those together.
    pub response_seconds: i64,
    /// How many were rated.
    pub rated: i64,
    /// Stars of all those together.
    pub stars: i64,
}

/// None that a query follows.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
