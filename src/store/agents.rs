//! Everyone who has ever come with an agent's token, and how much each has to do.

use std::collections::HashMap;

use entity::{conversations, users};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::queue;
use crate::database::{Database, DatabaseError};

/// The most agents that are shown: far more than a team has, and nothing is unbounded.
const MOST_AGENTS: u64 = 10_000;

/// Agents, and how many open conversations each holds.
#[derive(Clone, Debug)]
pub struct Agents {
    /// In order of their accounts.
    pub people: Vec<users::Model>,
    open: HashMap<String, i64>,
}

impl Agents {
    /// How many open conversations an agent holds.
    #[must_use]
    pub fn open_conversations(&self, id: &str) -> i64 {
        self.open.get(id).copied().unwrap_or_default()
    }
}

/// All agents.
///
/// # Errors
/// [`DatabaseError`].
pub async fn agents(database: &Database) -> Result<Agents, DatabaseError> {
    database
        .read(async move |connection| {
            let people = users::Entity::find()
                // Spelt, so that the databases see that the index over agents holds all of them.
                .filter(Expr::cust("users.is_agent"))
                .order_by_asc(users::Column::Id)
                .limit(MOST_AGENTS)
                .all(&connection)
                .await?;
            let open: Vec<(String, i64)> = conversations::Entity::find()
                .select_only()
                .column(conversations::Column::AssignedTo)
                .column_as(Expr::cust("count(*)"), "how_many")
                .filter(queue::open())
                .filter(conversations::Column::AssignedTo.is_not_null())
                .group_by(conversations::Column::AssignedTo)
                .into_tuple()
                .all(&connection)
                .await?;
            Ok::<_, DbErr>(Agents { people, open: open.into_iter().collect() })
        })
        .await
}
