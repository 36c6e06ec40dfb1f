//! Counts that are kept because counting anew would read the whole table.

use sea_orm::entity::prelude::*;

/// A share of how many conversations are closed, on top of all others. It moves in the transaction that closes one or
/// opens it again; the shares only keep servers out of each other's way. A ticket's own thread is not counted.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tallies")]
pub struct Model {
    /// Which share.
    #[sea_orm(primary_key, auto_increment = false)]
    pub share: i32,
    /// Closed conversations, more or less: only the sum of all shares means something.
    pub closed: i64,
}

/// None that a query follows.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
