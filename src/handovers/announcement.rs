//! Which pending handovers an agent has not been notified of, because they had no socket when these were requested.

use entity::handovers;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};

use crate::database::{Database, DatabaseError};
use crate::domain::UserId;
use crate::store;

/// The pending handovers to this agent that no server has announced, which the caller must announce now. Each is taken
/// once, by one server: an agent's dashboard does not remove doubles.
///
/// # Errors
/// [`DatabaseError`]; what is not taken then is taken later.
pub(crate) async fn take_unannounced(
    database: &Database,
    target: &UserId,
) -> Result<Vec<handovers::Model>, DatabaseError> {
    // A read first: most connections find nothing, and need no write.
    let mut waiting = store::unannounced_handovers(database, target.clone()).await?;
    if waiting.is_empty() {
        return Ok(waiting);
    }
    let ids: Vec<_> = waiting.iter().map(|handover| handover.id).collect();
    let taken = database
        .write(async move |connection| {
            let mut taken = Vec::new();
            for id in ids {
                let updated = handovers::Entity::update_many()
                    .col_expr(handovers::Column::IsAnnounced, Expr::value(true))
                    .filter(handovers::Column::Id.eq(id))
                    .filter(handovers::Column::Status.eq("pending"))
                    .filter(handovers::Column::IsAnnounced.eq(false))
                    .exec(&connection)
                    .await?;
                if updated.rows_affected == 1 {
                    taken.push(id);
                }
            }
            Ok::<_, DbErr>(taken)
        })
        .await?;
    waiting.retain(|handover| taken.contains(&handover.id));
    Ok(waiting)
}
