//! All agents in the user directory, and the number of open conversations of each.

use std::collections::HashMap;

use entity::{conversations, users};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::queue;
use crate::database::{Database, DatabaseError};

/// The list's bound: far more than a team has.
const MAX_AGENTS: u64 = 10_000;

/// Agents and their numbers of open conversations.
#[derive(Clone, Debug)]
pub struct Agents {
    /// Ordered by account.
    pub users: Vec<users::Model>,
    open_conversations: HashMap<String, i64>,
}

impl Agents {
    /// The number of open conversations assigned to an agent.
    #[must_use]
    pub fn open_conversations(&self, id: &str) -> i64 {
        self.open_conversations.get(id).copied().unwrap_or_default()
    }
}

/// All agents.
///
/// # Errors
/// [`DatabaseError`].
pub async fn agents(database: &Database) -> Result<Agents, DatabaseError> {
    database
        .read(async move |connection| {
            let users = users::Entity::find()
                // As raw SQL, so that the planner sees that the partial index over agents covers the query.
                .filter(Expr::cust("users.is_agent"))
                .order_by_asc(users::Column::Id)
                .limit(MAX_AGENTS)
                .all(&connection)
                .await?;
            let open: Vec<(String, i64)> = conversations::Entity::find()
                .select_only()
                .column(conversations::Column::AssignedTo)
                .column_as(Expr::cust("count(*)"), "count")
                .filter(queue::open())
                .filter(conversations::Column::AssignedTo.is_not_null())
                .group_by(conversations::Column::AssignedTo)
                .into_tuple()
                .all(&connection)
                .await?;
            Ok::<_, DbErr>(Agents { users, open_conversations: open.into_iter().collect() })
        })
        .await
}
