//! People as the directory has them.

use std::collections::HashMap;

use entity::users;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};

use crate::domain::UserId;

/// People by account.
pub type People = HashMap<String, users::Model>;

/// Those of these accounts whom the directory knows, in one question.
pub(super) async fn people<'a>(
    connection: &DatabaseConnection,
    ids: impl Iterator<Item = &'a UserId>,
) -> Result<People, DbErr> {
    let ids: Vec<&str> = ids.map(UserId::as_str).collect();
    if ids.is_empty() {
        return Ok(People::new());
    }
    let rows = users::Entity::find().filter(users::Column::Id.is_in(ids)).all(connection).await?;
    Ok(rows.into_iter().map(|user| (user.id.clone(), user)).collect())
}
