//! How far the two sides of a conversation have read it: a row per conversation that was read and not only answered.

use sea_orm::entity::prelude::*;

/// The marks; they only increase.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "read_marks")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// The `seq` up to which the customer has read; 0 for nothing.
    pub customer_seq: i64,
    /// The `seq` up to which an agent has read; 0 for nothing.
    pub agent_seq: i64,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
