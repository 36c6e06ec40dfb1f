//! A row per nonce of a signed request that could still be replayed.

use sea_orm::entity::prelude::*;

/// A nonce that was used.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "nonces")]
pub struct Model {
    /// As sent.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub nonce: String,
    /// When its request is too old to be accepted anyway.
    pub expires_at: DateTimeUtc,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
