//! The database's schema: which steps are applied, and moving it on or back.
//!
//! A step that the database has and this program does not know is a newer server's: it is left alone, and is no reason
//! to stop serving, since steps go forward without stopping a running server.

use std::collections::HashSet;
use std::time::Duration;

use backon::{ConstantBuilder, Retryable as _};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement, TransactionTrait};

use crate::config::DatabaseSettings;
use crate::database::{Backend, Database, DatabaseError, unlimited};

/// Names PostgreSQL's lock that one server at a time holds while it changes the schema: "switchbd" in ASCII.
const LOCK: i64 = 0x7377_6974_6368_6264;

/// How often, and after how long, a step is looked at again that another process is applying to the same file.
const SQLITE_RETRIES: (usize, Duration) = (50, Duration::from_millis(100));

/// The steps that the database has, this program's or not.
///
/// # Errors
/// [`DatabaseError`].
pub async fn applied(database: &Database) -> Result<Vec<String>, DatabaseError> {
    database.read(async |connection| applied_steps(&connection).await).await
}

/// This program's steps that the database does not have. Changes nothing.
///
/// # Errors
/// [`DatabaseError`].
pub async fn pending(database: &Database) -> Result<Vec<String>, DatabaseError> {
    database.read(async |connection| pending_steps(&connection).await).await
}

/// Applies what is pending, however many servers begin to at once.
///
/// # Errors
/// [`DatabaseError`].
pub async fn up(database: &Database, settings: &DatabaseSettings) -> Result<(), DatabaseError> {
    if pending(database).await?.is_empty() {
        return Ok(());
    }
    let connection = unlimited(database, settings).await?;
    let backend = database.backend();
    on_its_runtime(database, async move {
        match backend {
            Backend::Postgres => {
                // Held until the transaction ends, on a connection of its own; the steps run on the other.
                let lock = connection.begin().await?;
                let statement = format!("SELECT pg_advisory_xact_lock({LOCK})");
                lock.execute_unprepared(&statement).await?;
                if !pending_steps(&connection).await?.is_empty() {
                    Migrator::up(&connection, None).await?;
                }
                lock.commit().await
            }
            Backend::Sqlite => up_sqlite(&connection).await,
        }
    })
    .await
}

/// Takes the last steps back.
///
/// # Errors
/// [`DatabaseError`].
pub async fn down(database: &Database, settings: &DatabaseSettings, steps: u32) -> Result<(), DatabaseError> {
    let connection = unlimited(database, settings).await?;
    on_its_runtime(database, async move { Migrator::down(&connection, Some(steps)).await }).await
}

/// A file has no such lock: who comes second fails over what the first has made, and looks again.
async fn up_sqlite(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let step = || async {
        match Migrator::up(connection, None).await {
            Err(_) if pending_steps(connection).await.is_ok_and(|pending| pending.is_empty()) => Ok(()),
            outcome => outcome,
        }
    };
    let (tries, pause) = SQLITE_RETRIES;
    step.retry(ConstantBuilder::new().with_delay(pause).with_max_times(tries)).await
}

async fn on_its_runtime(
    database: &Database,
    work: impl Future<Output = Result<(), DbErr>> + Send + 'static,
) -> Result<(), DatabaseError> {
    match database.runtime().spawn(work).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(error) => Err(DatabaseError::Fault(error.to_string())),
    }
}

async fn pending_steps(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let applied: HashSet<String> = applied_steps(connection).await?.into_iter().collect();
    let ours = Migrator::migrations().into_iter().map(|step| step.name().to_owned());
    Ok(ours.filter(|step| !applied.contains(step)).collect())
}

/// Reads the table directly: the library's own question makes it where it is missing, and fails over steps that it
/// does not know.
async fn applied_steps(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let backend = connection.get_database_backend();
    if !migration::SchemaManager::new(connection).has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let all = Statement::from_string(backend, "SELECT version FROM seaql_migrations ORDER BY version");
    connection.query_all_raw(all).await?.iter().map(|row| row.try_get("", "version")).collect()
}
