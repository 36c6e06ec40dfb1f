//! A row for each nonce of a signed request that could still come again.

use sea_orm::entity::prelude::*;

/// A nonce that has come.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "nonces")]
pub struct Model {
    /// As sent.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub nonce: String,
    /// When its request is too old to be taken in any case.
    pub expires_at: DateTimeUtc,
}

/// None that a query follows.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
