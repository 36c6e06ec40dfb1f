//! The way to the database: connections on a runtime of their own, each question with a time limit.
//!
//! A connection belongs to the runtime that opened it. Opened on an HTTP worker it would make every query wait for
//! that worker's event loop, so the pools live on their own threads and the rest of the server asks them. What is
//! asked is not this module's business; `journal`, `store` and `identity` bring their own statements.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable as _};
use sea_orm::sqlx::Connection;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, DatabaseConnection, DbErr, RuntimeErr, sqlx};
use secrecy::ExposeSecret;
use tokio::runtime::{Handle, Runtime};

use crate::config::DatabaseSettings;

/// Why the database did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It cannot be reached, or has no room: a passing fault, the same may be asked again.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// It did not answer in time. What was asked may still happen.
    #[error("the database did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// Rolled back because another transaction wrote the same, or waited for this one.
    #[error("written by another at the same moment: {0}")]
    Conflict(String),
    /// It refused the statement or gave an answer that makes no sense: a defect of ours.
    #[error("the database refused: {0}")]
    Fault(String),
}

impl DatabaseError {
    /// Whether the same may be asked again with hope.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        !matches!(self, Self::Fault(_))
    }
}

impl From<DbErr> for DatabaseError {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(_) => Self::Unavailable(error.to_string()),
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => Self::from(inner.as_ref()),
            _ => Self::Fault(error.to_string()),
        }
    }
}

impl From<&sqlx::Error> for DatabaseError {
    fn from(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(inner) if inner.code().as_deref() == Some("3D000") => {
                Self::Fault(inner.message().to_owned())
            }
            sqlx::Error::Database(inner)
                if inner.is_unique_violation() || is_rollback_code(inner.code().as_deref().unwrap_or_default()) =>
            {
                Self::Conflict(error.to_string())
            }
            sqlx::Error::Database(inner) if is_passing_code(inner.code().as_deref().unwrap_or_default()) => {
                Self::Unavailable(error.to_string())
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            _ => Self::Fault(error.to_string()),
        }
    }
}

/// Whether PostgreSQL rolled a transaction back because of another one: a deadlock, or a failed serialisation.
fn is_rollback_code(code: &str) -> bool {
    code.len() == 5 && code.starts_with("40")
}

/// Whether a database's own code means "not now". PostgreSQL: connection (08), resources (53), object not in the needed
/// state (55), operator intervention (57), system error (58). SQLite: busy, locked, read-only for the moment, input or
/// output, full, cannot open, protocol; extended codes carry these in their low byte.
fn is_passing_code(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|code| [5, 6, 8, 10, 13, 14, 15].contains(&(code & 0xff)))
}

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// What production uses.
    Postgres,
    /// The embedded default: one file.
    Sqlite,
}

/// The pools, to be asked from any thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pools: Arc<Pools>,
}

#[derive(Debug)]
struct Pools {
    backend: Backend,
    reads: DatabaseConnection,
    writes: DatabaseConnection,
    runtime: Handle,
    timeout: Duration,
}

/// The threads that the connections live on. They end when this is dropped.
#[derive(Debug)]
pub struct DatabaseRuntime(Option<Runtime>);

impl Drop for DatabaseRuntime {
    fn drop(&mut self) {
        // A connection in the middle of something must not hold up the end.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Database {
    /// Opens the pools; `writers` connections are kept for writing alone, so that no list can hold up a message.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer, or the file cannot be made.
    pub async fn connect(
        settings: &DatabaseSettings,
        writers: usize,
    ) -> Result<(Self, DatabaseRuntime), DatabaseError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(settings.threads)
            .thread_name("database")
            .enable_all()
            .build()
            .map_err(|error| DatabaseError::Unavailable(error.to_string()))?;
        let handle = runtime.handle().clone();
        let owner = DatabaseRuntime(Some(runtime));
        let timeout = settings.timeout();
        let url = settings.url.expose_secret();
        let backend = if url.starts_with("sqlite") { Backend::Sqlite } else { Backend::Postgres };
        if backend == Backend::Sqlite {
            make_folder(url)?;
        }
        if backend == Backend::Postgres {
            let (url, limit) = (url.to_owned(), timeout);
            let tried = handle.spawn(async move { try_postgres(&url, limit).await }).await;
            tried.map_err(|error| DatabaseError::Fault(error.to_string()))??;
        }
        // SQLite has one writer at a time, whatever we wish; PostgreSQL gets two more than the journal's, for people
        // and for what is made searchable, where one is left to read.
        let write_connections = match backend {
            Backend::Sqlite => 1,
            Backend::Postgres => {
                let journal = u32::try_from(writers).unwrap_or(u32::MAX);
                let rest = settings.max_connections.saturating_sub(1);
                journal.saturating_add(2).min(rest).max(journal.saturating_add(1))
            }
        };
        let mut write_options = options(settings, write_connections);
        write_options.map_sqlx_postgres_opts(move |options| write_plans(within_limit(options, timeout)));
        let writes = match backend {
            Backend::Postgres => connect(&handle, write_options).await?,
            Backend::Sqlite => connect_first(&handle, write_options, timeout).await?,
        };
        let read_connections = settings.max_connections.saturating_sub(write_connections).max(1);
        let mut read_options = options(settings, read_connections);
        read_options.map_sqlx_postgres_opts(move |options| within_limit(options, timeout));
        let reads = connect(&handle, read_options).await?;
        let pools = Pools { backend, reads, writes, runtime: handle, timeout: settings.timeout() };
        Ok((Self { pools: Arc::new(pools) }, owner))
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.pools.backend
    }

    /// The runtime that the connections live on, for a task that writes all the time.
    #[must_use]
    pub fn runtime(&self) -> &Handle {
        &self.pools.runtime
    }

    /// How long one question may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.pools.timeout
    }

    /// The pool for writing, for a task that lives on [`Database::runtime`].
    #[must_use]
    pub fn writes(&self) -> &DatabaseConnection {
        &self.pools.writes
    }

    /// Asks something that changes nothing.
    ///
    /// # Errors
    /// [`DatabaseError`]; [`DatabaseError::TimedOut`] when it takes longer than `database.timeout_ms`.
    pub async fn read<T, E, Answer>(
        &self,
        ask: impl FnOnce(DatabaseConnection) -> Answer + Send + 'static,
    ) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        E: Into<DatabaseError> + Send + 'static,
        Answer: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.run(self.pools.reads.clone(), ask).await
    }

    /// Asks something that changes what is stored.
    ///
    /// # Errors
    /// [`DatabaseError`]; after [`DatabaseError::TimedOut`] it may have happened or not.
    pub async fn write<T, E, Answer>(
        &self,
        ask: impl FnOnce(DatabaseConnection) -> Answer + Send + 'static,
    ) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        E: Into<DatabaseError> + Send + 'static,
        Answer: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.run(self.pools.writes.clone(), ask).await
    }

    async fn run<T, E, Answer>(
        &self,
        connection: DatabaseConnection,
        ask: impl FnOnce(DatabaseConnection) -> Answer + Send + 'static,
    ) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        E: Into<DatabaseError> + Send + 'static,
        Answer: Future<Output = Result<T, E>> + Send + 'static,
    {
        let limit = self.pools.timeout;
        let task = self.pools.runtime.spawn(async move {
            match tokio::time::timeout(limit, ask(connection)).await {
                Ok(answer) => answer.map_err(Into::into),
                Err(_) => Err(DatabaseError::TimedOut(limit)),
            }
        });
        match task.await {
            Ok(answer) => answer,
            Err(error) => Err(DatabaseError::Fault(error.to_string())),
        }
    }
}

/// One connection by hand: a pool would only say that it waited.
async fn try_postgres(url: &str, limit: Duration) -> Result<(), DatabaseError> {
    let options: PgConnectOptions =
        url.parse().map_err(|_| DatabaseError::Fault("its address cannot be read".to_owned()))?;
    let place = format!("{}:{}", options.get_host(), options.get_port());
    match tokio::time::timeout(limit, sqlx::PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => connection.close().await.map_err(|error| (&error).into()),
        Ok(Err(sqlx::Error::Io(error))) => Err(DatabaseError::Unavailable(format!("{place}: {error}"))),
        Ok(Err(error)) => Err((&error).into()),
        Err(_) => Err(DatabaseError::Unavailable(format!("{place} does not answer"))),
    }
}

async fn connect(runtime: &Handle, options: ConnectOptions) -> Result<DatabaseConnection, DatabaseError> {
    on(runtime, sea_orm::Database::connect(options)).await
}

async fn on(
    runtime: &Handle,
    connecting: impl Future<Output = Result<DatabaseConnection, DbErr>> + Send + 'static,
) -> Result<DatabaseConnection, DatabaseError> {
    match runtime.spawn(connecting).await {
        Ok(connection) => connection.map_err(Into::into),
        Err(error) => Err(DatabaseError::Fault(error.to_string())),
    }
}

/// The first connection to a file. Where the file is new it is told to keep a log, for which SQLite must have it alone,
/// and does not wait where another process is doing the same.
async fn connect_first(
    runtime: &Handle,
    options: ConnectOptions,
    limit: Duration,
) -> Result<DatabaseConnection, DatabaseError> {
    let again = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(5))
        .with_max_delay(Duration::from_millis(100))
        .without_max_times()
        .with_jitter();
    let opening = async move {
        let begun = Instant::now();
        (|| sea_orm::Database::connect(options.clone()))
            .retry(again)
            .when(|error| is_busy(error) && begun.elapsed() < limit)
            .notify(|error, _| tracing::debug!(%error, "the file is opened again"))
            .await
    };
    on(runtime, opening).await
}

/// Whether SQLite says that another has the file: 5, in the low byte of an extended code.
fn is_busy(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return false };
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

fn options(settings: &DatabaseSettings, connections: u32) -> ConnectOptions {
    let timeout = settings.timeout();
    let mut options = ConnectOptions::new(settings.url.expose_secret().to_owned());
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(timeout)
        .connect_timeout(timeout)
        .sqlx_logging(false)
        // Asking a connection whether it lives costs a round trip; one that was idle may have outlived its database.
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(1))
        .map_sqlx_sqlite_before_acquire(|connection, _| Box::pin(is_outside_a_transaction(connection)))
        .map_sqlx_sqlite_opts(move |options| {
            options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // With NORMAL a power cut could take back what was acknowledged.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(timeout)
        });
    options
}

/// Whether a connection that comes out of the pool is as a new one.
///
/// SQLite ends a transaction by itself when the disk is full or cannot be written. The driver's own roll back finds
/// none then, and it goes on counting one: the next transaction would be a savepoint in it, and one that fails in its
/// commit too leaves a transaction open in which all that comes later is acknowledged and never stored. Such a
/// connection is closed, and another one opened.
async fn is_outside_a_transaction(connection: &mut sqlx::SqliteConnection) -> Result<bool, sqlx::Error> {
    Ok(!connection.is_in_transaction())
}

/// Beyond our own limit nobody waits for a statement: let it not happen behind our back.
fn within_limit(options: PgConnectOptions, timeout: Duration) -> PgConnectOptions {
    options.application_name("switchboard").options([("statement_timeout", timeout.as_millis().to_string())])
}

/// A statement is planned once for a connection's life, perhaps while the tables are empty and reading them whole looks
/// cheapest. What a commit touches it always finds by an index; so there is nothing to plan anew for a batch of another
/// size.
fn write_plans(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("plan_cache_mode", "force_generic_plan"),
    ])
}

/// A pool of its own for changes to the schema, which take as long as they take: no limit, one statement at a time.
///
/// # Errors
/// [`DatabaseError`].
pub async fn unlimited(database: &Database, settings: &DatabaseSettings) -> Result<DatabaseConnection, DatabaseError> {
    connect(database.runtime(), options(settings, 2)).await
}

/// The folder that a SQLite file is to lie in.
fn make_folder(url: &str) -> Result<(), DatabaseError> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or_default();
    match Path::new(path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|error| DatabaseError::Unavailable(format!("{} cannot be made: {error}", folder.display()))),
        _ => Ok(()),
    }
}
