//! The role of each agent's latest token: a row per account that has ever authenticated as an agent.

use sea_orm::entity::prelude::*;

/// The latest token of an account, by its time of issue, then by arrival.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agent_roles")]
pub struct Model {
    /// The token's `sub`.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub user_id: String,
    /// The token's `role`.
    #[sea_orm(column_type = "Text")]
    pub role: String,
    /// The token's `iat`, in milliseconds since 1970; 0 if it has none.
    pub issued_at: i64,
    /// When the token arrived first, in milliseconds since 1970.
    pub arrived_at: i64,
    /// The tokens with this `iat` that have arrived: a JSON array of fingerprint and expiry in seconds.
    #[sea_orm(column_type = "Text")]
    pub tokens: String,
    /// Counts the changes of the row: the fence of every write.
    pub version: i64,
    /// The database's clock at the last change, in milliseconds since 1970.
    pub changed_at: i64,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
