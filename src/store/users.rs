//! Users as the directory has them.

use std::collections::HashMap;

use entity::users;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};

use crate::domain::UserId;

/// Users by account.
pub type Users = HashMap<String, users::Model>;

/// The users with these accounts, in one query; an account that the directory does not have is missing.
pub(super) async fn users_by_id<'a>(
    connection: &DatabaseConnection,
    ids: impl Iterator<Item = &'a UserId>,
) -> Result<Users, DbErr> {
    let ids: Vec<&str> = ids.map(UserId::as_str).collect();
    if ids.is_empty() {
        return Ok(Users::new());
    }
    let rows = users::Entity::find().filter(users::Column::Id.is_in(ids)).all(connection).await?;
    Ok(rows.into_iter().map(|user| (user.id.clone(), user)).collect())
}
