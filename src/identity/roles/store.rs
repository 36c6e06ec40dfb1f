//! The table `agent_roles`: what this server observes is written, and what others write is read.

use std::sync::Arc;
use std::time::Duration;

use entity::{agent_roles, users};
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::Shared;
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::UserId;
use crate::identity::latest_role::{LatestRole, PresentedToken};

/// Rows in one read.
const PAGE: u64 = 1000;

/// How far changes are read again: a change that was made earlier may be committed later.
const OVERLAP_MS: i64 = 60_000;

/// Before a write that failed is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A row, and how often it has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredRole {
    pub(super) latest: LatestRole,
    pub(super) version: i64,
}

/// Writes what these tokens change; returns what is stored then.
pub(super) async fn record(
    database: &Database,
    id: &UserId,
    tokens: Vec<PresentedToken>,
) -> Result<StoredRole, DatabaseError> {
    let (id, backend) = (id.as_str().to_owned(), database.backend());
    database
        .write(async move |connection| {
            // Ends when no other server writes the row in between, or with the time limit of the query.
            loop {
                let row = agent_roles::Entity::find_by_id(&id).one(&connection).await?;
                let is_new = row.is_none();
                let StoredRole { mut latest, version } = match row {
                    Some(row) => decode(row)?.1,
                    None => StoredRole { latest: earlier_token(&connection, &id, &tokens).await?, version: 0 },
                };
                let changes = tokens.iter().filter(|token| latest.observe(token)).count();
                if changes == 0 && !is_new {
                    return Ok(StoredRole { latest, version });
                }
                let stored = StoredRole { latest, version: version + 1 };
                if write(&connection, backend, &id, &stored).await? {
                    return Ok::<_, DbErr>(stored);
                }
            }
        })
        .await
}

/// The token that the directory knows of a person who has not come as an agent before, or else the first of these.
async fn earlier_token(
    connection: &DatabaseConnection,
    id: &str,
    tokens: &[PresentedToken],
) -> Result<LatestRole, DbErr> {
    use users::Column;
    let known: Option<(String, i64)> = users::Entity::find_by_id(id)
        .select_only()
        .columns([Column::Role, Column::TokenIssuedAt])
        .filter(Column::TokenIssuedAt.gt(0))
        .into_tuple()
        .one(connection)
        .await?;
    let directory = known.map(|(role, issued_at)| LatestRole { role, issued_at, arrived_at: 0, tokens: Vec::new() });
    let first = || tokens.first().map(LatestRole::of);
    directory.or_else(first).ok_or_else(|| DbErr::Custom("no token to record".to_owned()))
}

/// Writes the version after the one that was read; false if another server was faster.
async fn write(
    connection: &DatabaseConnection,
    backend: Backend,
    id: &str,
    StoredRole { latest, version }: &StoredRole,
) -> Result<bool, DbErr> {
    use agent_roles::Column;
    let LatestRole { role, issued_at, arrived_at, tokens } = latest;
    let fault = |error: &dyn std::error::Error| DbErr::Custom(error.to_string());
    let tokens = serde_json::to_string(tokens).map_err(|error| fault(&error))?;
    let changed =
        [Column::Role, Column::IssuedAt, Column::ArrivedAt, Column::Tokens, Column::Version, Column::ChangedAt];
    let read = Expr::cust("agent_roles.version = excluded.version - 1");
    let values = [
        id.into(),
        role.as_str().into(),
        (*issued_at).into(),
        (*arrived_at).into(),
        tokens.into(),
        (*version).into(),
        now(backend),
    ];
    let upsert = Query::insert()
        .into_table(agent_roles::Entity)
        .columns([Column::UserId].into_iter().chain(changed))
        .values(values)
        .map_err(|error| fault(&error))?
        .on_conflict(OnConflict::column(Column::UserId).update_columns(changed).action_and_where(read).to_owned())
        .to_owned();
    Ok(connection.execute(&upsert).await?.rows_affected() == 1)
}

/// The database's clock in milliseconds since 1970: that of one machine, unlike those of the servers.
fn now(backend: Backend) -> Expr {
    Expr::cust(match backend {
        Backend::Postgres => "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        Backend::Sqlite => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    })
}

fn decode(row: agent_roles::Model) -> Result<(String, StoredRole), DbErr> {
    let tokens = serde_json::from_str(&row.tokens).map_err(|error| DbErr::Type(error.to_string()))?;
    let latest = LatestRole { role: row.role, issued_at: row.issued_at, arrived_at: row.arrived_at, tokens };
    Ok((row.user_id, StoredRole { latest, version: row.version }))
}

/// Reads everything, then what has changed, again and again.
pub(super) async fn read_changes(shared: Arc<Shared>) {
    let (mut last, mut has_failed) = (0, false);
    loop {
        match read_since(&shared, last.max(OVERLAP_MS) - OVERLAP_MS).await {
            Ok(latest) => {
                last = last.max(latest);
                has_failed = false;
            }
            // Once: it is tried again soon.
            Err(error) if !std::mem::replace(&mut has_failed, true) => {
                tracing::warn!(%error, "the roles of agents cannot be read");
            }
            Err(_) => {}
        }
        tokio::time::sleep(shared.refresh).await;
    }
}

/// Merges what has changed since this time; returns the time of the last change.
async fn read_since(shared: &Shared, from: i64) -> Result<i64, DatabaseError> {
    let (mut last, mut last_id) = (from, String::new());
    loop {
        let rows = changes_after(&shared.database, last, last_id.clone()).await?;
        let is_complete = (rows.len() as u64) < PAGE;
        for row in rows {
            last = row.changed_at;
            last_id.clone_from(&row.user_id);
            match decode(row) {
                Ok((id, stored)) => {
                    if let Ok(id) = UserId::parse(&id) {
                        shared.merge(&id, stored);
                    }
                }
                Err(error) => tracing::error!(%error, "a row of agent_roles cannot be read"),
            }
        }
        if is_complete {
            return Ok(last);
        }
    }
}

async fn changes_after(database: &Database, at: i64, id: String) -> Result<Vec<agent_roles::Model>, DatabaseError> {
    use agent_roles::Column;
    database
        .read(async move |connection| {
            let later = Condition::all().add(Column::ChangedAt.eq(at)).add(Column::UserId.gt(id));
            agent_roles::Entity::find()
                .filter(Column::ChangedAt.gte(at))
                .filter(Condition::any().add(Column::ChangedAt.gt(at)).add(later))
                .order_by_asc(Column::ChangedAt)
                .order_by_asc(Column::UserId)
                .limit(PAGE)
                .all(&connection)
                .await
        })
        .await
}

/// Writes tokens that have been observed; retries until it succeeds.
pub(super) async fn write_tokens(shared: Arc<Shared>) {
    loop {
        shared.has_unwritten.notified().await;
        while let Some((id, tokens)) = shared.unwritten() {
            match record(&shared.database, &id, tokens).await {
                Ok(stored) => shared.merge(&id, stored),
                Err(error) => {
                    tracing::warn!(%error, "an agent's role cannot be written, and is tried again");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }
}
