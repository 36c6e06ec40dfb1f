//! The sharded counter of closed conversations (table `tallies`): counting them would read the entire table.

use sea_orm::entity::prelude::*;

/// One shard; the count is the sum of all. It changes in the transaction that closes or reopens a conversation, and the
/// shards keep servers from waiting for each other. The thread of a standalone ticket is not counted.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tallies")]
pub struct Model {
    /// The shard's number.
    #[sea_orm(primary_key, auto_increment = false, column_name = "share")]
    pub shard: i32,
    /// Closes minus reopens on this shard; negative where more were reopened.
    pub closed: i64,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
