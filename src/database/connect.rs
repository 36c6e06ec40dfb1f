//! Opens the connection pools, with the options of each kind of database.

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
use tokio::runtime::Handle;

use super::{Backend, DEFAULT_ANSWER_BYTES, DEFAULT_SEARCH_TIMEOUT, Database, DatabaseError, DatabaseRuntime, Pools};
use crate::config::DatabaseSettings;

impl Database {
    /// Opens the pools. The pool for writes has `writers` connections for the journal, and more for other writes.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer, or SQLite's file cannot be created.
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
            create_folder(url)?;
            keep_private(url)?;
        }
        if backend == Backend::Postgres {
            let (url, limit) = (url.to_owned(), timeout);
            let probe = handle.spawn(async move { probe_postgres(&url, limit).await }).await;
            probe.map_err(|error| DatabaseError::Fault(error.to_string()))??;
        }
        let write_connections = write_connections(backend, settings, writers);
        let mut write_options = options(settings, write_connections);
        write_options.map_sqlx_postgres_opts(move |options| write_plans(with_statement_timeout(options, timeout)));
        let writes = match backend {
            Backend::Postgres => connect(&handle, write_options).await?,
            Backend::Sqlite => connect_first(&handle, write_options, timeout).await?,
        };
        let read_connections = settings.max_connections.saturating_sub(write_connections).max(1);
        let mut read_options = options(settings, read_connections);
        read_options.map_sqlx_postgres_opts(move |options| with_statement_timeout(options, timeout));
        let reads = connect(&handle, read_options).await?;
        let pools = Pools { backend, reads, writes, runtime: handle, timeout: settings.timeout() };
        Ok((
            Self { pools: Arc::new(pools), answer_bytes: DEFAULT_ANSWER_BYTES, search_timeout: DEFAULT_SEARCH_TIMEOUT },
            owner,
        ))
    }
}

/// SQLite has one writer at a time. PostgreSQL gets two connections more than the journal's, for the user directory and
/// the search indexer, as long as one is left for reads.
fn write_connections(backend: Backend, settings: &DatabaseSettings, writers: usize) -> u32 {
    match backend {
        Backend::Sqlite => 1,
        Backend::Postgres => {
            let journal = u32::try_from(writers).unwrap_or(u32::MAX);
            let rest = settings.max_connections.saturating_sub(1);
            journal.saturating_add(2).min(rest).max(journal.saturating_add(1))
        }
    }
}

/// Opens one connection without a pool, whose error would only be that it waited too long, and checks the encoding.
async fn probe_postgres(url: &str, limit: Duration) -> Result<(), DatabaseError> {
    let options: PgConnectOptions = url.parse().map_err(|_| DatabaseError::Fault("its URL is invalid".to_owned()))?;
    let place = format!("{}:{}", options.get_host(), options.get_port());
    match tokio::time::timeout(limit, sqlx::PgConnection::connect_with(&options)).await {
        Ok(Ok(mut connection)) => {
            let encoding: String = sqlx::query_scalar("SHOW server_encoding")
                .fetch_one(&mut connection)
                .await
                .map_err(|error| DatabaseError::from(&error))?;
            // Any other one has characters that it cannot store, and orders and folds texts otherwise.
            if encoding != "UTF8" {
                return Err(DatabaseError::Fault(format!("its encoding is {encoding}, and it must be UTF8")));
            }
            connection.close().await.map_err(|error| (&error).into())
        }
        Ok(Err(sqlx::Error::Io(error))) => Err(DatabaseError::Unavailable(format!("{place}: {error}"))),
        Ok(Err(error)) => Err((&error).into()),
        Err(_) => Err(DatabaseError::Unavailable(format!("{place} does not answer"))),
    }
}

async fn connect(runtime: &Handle, options: ConnectOptions) -> Result<DatabaseConnection, DatabaseError> {
    on_runtime(runtime, sea_orm::Database::connect(options)).await
}

async fn on_runtime(
    runtime: &Handle,
    connecting: impl Future<Output = Result<DatabaseConnection, DbErr>> + Send + 'static,
) -> Result<DatabaseConnection, DatabaseError> {
    match runtime.spawn(connecting).await {
        Ok(connection) => connection.map_err(Into::into),
        Err(error) => Err(DatabaseError::Fault(error.to_string())),
    }
}

/// Opens the first connection to SQLite's file. It switches a new file to WAL mode, for which SQLite needs exclusive access
/// and does not wait for another process that does the same; so this retries.
async fn connect_first(
    runtime: &Handle,
    options: ConnectOptions,
    limit: Duration,
) -> Result<DatabaseConnection, DatabaseError> {
    let backoff = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(5))
        .with_max_delay(Duration::from_millis(100))
        .without_max_times()
        .with_jitter();
    let opening = async move {
        let started = Instant::now();
        (|| sea_orm::Database::connect(options.clone()))
            .retry(backoff)
            .when(|error| is_busy(error) && started.elapsed() < limit)
            .notify(|error, _| tracing::debug!(%error, "retrying to open the file"))
            .await
    };
    on_runtime(runtime, opening).await
}

/// Whether SQLite reports that another process uses the file: 5 in the low byte of an extended code.
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
        // A test costs a round trip, so only a connection that was idle is tested: its database may have restarted.
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(1))
        .map_sqlx_sqlite_before_acquire(|connection, _| Box::pin(is_outside_a_transaction(connection)))
        .map_sqlx_sqlite_opts(move |options| {
            options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // With NORMAL a power failure could undo an acknowledged commit.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(timeout)
        });
    options
}

/// Whether a connection from the pool has no open transaction; if it has one, the pool closes it and opens another.
///
/// SQLite rolls back by itself when the disk is full or fails. The driver's own rollback then finds no transaction, but
/// the driver still counts one: its next transaction would be a savepoint. If that one's commit fails, too, a transaction
/// stays open in which later writes are acknowledged and never stored.
async fn is_outside_a_transaction(connection: &mut sqlx::SqliteConnection) -> Result<bool, sqlx::Error> {
    Ok(!connection.is_in_transaction())
}

/// Cancels a statement in the database at our own time limit, after which no caller waits for it.
fn with_statement_timeout(options: PgConnectOptions, timeout: Duration) -> PgConnectOptions {
    options.application_name("switchboard").options([("statement_timeout", timeout.as_millis().to_string())])
}

/// A prepared statement is planned once per connection, perhaps while the tables are empty and a sequential scan looks
/// cheapest. A commit finds every row by an index, so index scans are forced and one plan serves every size of batch.
fn write_plans(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("plan_cache_mode", "force_generic_plan"),
    ])
}

/// A separate pool without a time limit, for migrations.
///
/// # Errors
/// [`DatabaseError`].
pub async fn unlimited(database: &Database, settings: &DatabaseSettings) -> Result<DatabaseConnection, DatabaseError> {
    connect(database.runtime(), options(settings, 2)).await
}

/// Makes SQLite's file, a new or an existing one, readable and writable by its owner only. SQLite gives the files that it
/// adds, `-wal` and `-shm`, the same permissions; those of an earlier run may still have others.
#[cfg(unix)]
fn keep_private(url: &str) -> Result<(), DatabaseError> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

    const OWNER_ONLY: u32 = 0o600;
    let Ok(options) = url.parse::<sqlx::sqlite::SqliteConnectOptions>() else { return Ok(()) };
    let path = options.get_filename();
    // Created here, so that there is no time at which others can open it.
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(DatabaseError::Unavailable(format!("{} cannot be created: {error}", path.display())));
        }
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let Ok(metadata) = std::fs::metadata(&file) else { continue };
        if metadata.permissions().mode() & 0o077 == 0 {
            continue;
        }
        if let Err(error) = std::fs::set_permissions(&file, std::fs::Permissions::from_mode(OWNER_ONLY)) {
            tracing::warn!(%error, file = %Path::new(&file).display(), "others on this machine can open the database");
        }
    }
    Ok(())
}

/// Elsewhere a file belongs to the user who runs the server.
#[cfg(not(unix))]
fn keep_private(_: &str) -> Result<(), DatabaseError> {
    Ok(())
}

/// Creates the folder of SQLite's file.
fn create_folder(url: &str) -> Result<(), DatabaseError> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or_default();
    match Path::new(path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|error| DatabaseError::Unavailable(format!("{} cannot be created: {error}", folder.display()))),
        _ => Ok(()),
    }
}
