//! The schema's migrations: which are applied, and applying or reverting them.
//!
//! A migration that is applied but unknown belongs to a newer release. It is no reason not to serve: migrations run online
//! next to the previous release.

use std::collections::HashSet;
use std::time::Duration;

use backon::{ConstantBuilder, Retryable as _};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement, TransactionTrait};

use crate::config::DatabaseSettings;
use crate::database::{Backend, Database, DatabaseError, unlimited};

/// The key of PostgreSQL's advisory lock that a server holds while it migrates: "switchbd" in ASCII.
const LOCK: i64 = 0x7377_6974_6368_6264;

/// Number and interval of retries while another process migrates the same SQLite file.
const SQLITE_RETRIES: (usize, Duration) = (50, Duration::from_millis(100));

/// The applied migrations, whether this release knows them or not.
///
/// # Errors
/// [`DatabaseError`].
pub(crate) async fn applied(database: &Database) -> Result<Vec<String>, DatabaseError> {
    database.read(async |connection| applied_steps(&connection).await).await
}

/// This release's migrations that are not applied. Changes nothing.
///
/// # Errors
/// [`DatabaseError`].
pub(crate) async fn pending(database: &Database) -> Result<Vec<String>, DatabaseError> {
    database.read(async |connection| pending_steps(&connection).await).await
}

/// Applies the pending migrations; safe for any number of servers at once.
///
/// # Errors
/// [`DatabaseError`].
pub(crate) async fn up(database: &Database, settings: &DatabaseSettings) -> Result<(), DatabaseError> {
    if pending(database).await?.is_empty() {
        return Ok(());
    }
    let connection = unlimited(database, settings).await?;
    let backend = database.backend();
    on_its_runtime(database, async move {
        match backend {
            Backend::Postgres => {
                // The lock is held by this transaction; the migrations run on another connection.
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

/// Reverts the last migrations.
///
/// # Errors
/// [`DatabaseError`].
pub(crate) async fn down(database: &Database, settings: &DatabaseSettings, steps: u32) -> Result<(), DatabaseError> {
    let connection = unlimited(database, settings).await?;
    on_its_runtime(database, async move { Migrator::down(&connection, Some(steps)).await }).await
}

/// SQLite has no advisory lock: the second process fails on what the first has created, and checks again.
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

/// Reads the table directly: the library's own function creates it if it is missing, and fails on unknown migrations.
async fn applied_steps(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let backend = connection.get_database_backend();
    if !migration::SchemaManager::new(connection).has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let query = Statement::from_string(backend, "SELECT version FROM seaql_migrations ORDER BY version");
    connection.query_all_raw(query).await?.iter().map(|row| row.try_get("", "version")).collect()
}
