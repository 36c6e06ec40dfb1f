//! The user directory: a row per account that has authenticated.

use sea_orm::entity::prelude::*;

/// A user as their last token describes them.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The token's `sub`.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub id: String,
    /// Whether the role is one of the configured agent roles.
    pub is_agent: bool,
    /// The token's `role`.
    #[sea_orm(column_type = "Text")]
    pub role: String,
    /// E-mail address.
    #[sea_orm(column_type = "Text", nullable)]
    pub email: Option<String>,
    /// First name.
    #[sea_orm(column_type = "Text", nullable)]
    pub first_name: Option<String>,
    /// Last name.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_name: Option<String>,
    /// Full name, if the token has it as one claim.
    #[sea_orm(column_type = "Text", nullable)]
    pub name: Option<String>,
    /// Phone number.
    #[sea_orm(column_type = "Text", nullable)]
    pub phone_number: Option<String>,
    /// The account's tag.
    #[sea_orm(column_type = "Text", nullable)]
    pub smipay_tag: Option<String>,
    /// URL of the profile picture.
    #[sea_orm(column_type = "Text", nullable)]
    pub picture: Option<String>,
    /// The `iat` of the latest token, in milliseconds since 1970; 0 if none had one.
    pub token_issued_at: i64,
    /// When they first authenticated.
    pub created_at: DateTimeUtc,
    /// When the row was last refreshed.
    pub last_seen_at: DateTimeUtc,
}

/// No query follows a relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
