//! Access to the database: two connection pools on a runtime of their own, and a time limit for every query.
//!
//! A connection belongs to the runtime that opened it. On an HTTP worker each query would wait for that worker's event
//! loop, so the pools have their own threads. Reads and writes have separate pools: no list can delay a message.
//!
//! This module knows no tables; `journal`, `store` and `identity` bring their own statements.

mod connect;
mod error;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use tokio::runtime::{Handle, Runtime};

pub use connect::unlimited;
pub use error::DatabaseError;

/// The kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// For production.
    Postgres,
    /// The embedded default, one file.
    Sqlite,
}

/// The pools, usable from any thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pools: Arc<Pools>,
    answer_bytes: usize,
    search_timeout: Duration,
}

/// [`Database::answer_bytes`] where it is not set.
const DEFAULT_ANSWER_BYTES: usize = 1024 * 1024;

/// [`Database::search_timeout`] where it is not set.
const DEFAULT_SEARCH_TIMEOUT: Duration = Duration::from_millis(450);

#[derive(Debug)]
struct Pools {
    backend: Backend,
    reads: DatabaseConnection,
    writes: DatabaseConnection,
    runtime: Handle,
    timeout: Duration,
}

/// The threads of the connections. They stop when this is dropped.
#[derive(Debug)]
pub struct DatabaseRuntime(Option<Runtime>);

impl Drop for DatabaseRuntime {
    fn drop(&mut self) {
        // In the background, so that a query in progress does not delay the shutdown.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Database {
    /// The kind of database.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.pools.backend
    }

    /// The runtime of the connections, for a task that writes continuously.
    #[must_use]
    pub fn runtime(&self) -> &Handle {
        &self.pools.runtime
    }

    /// With another limit of the messages that one read gives.
    #[must_use]
    pub fn with_answer_bytes(self, answer_bytes: usize) -> Self {
        Self { answer_bytes, ..self }
    }

    /// Bytes of messages that one read gives at most, as JSON.
    #[must_use]
    pub fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// With another time limit of a search.
    #[must_use]
    pub fn with_search_timeout(self, search_timeout: Duration) -> Self {
        Self { search_timeout, ..self }
    }

    /// The time limit of a search.
    #[must_use]
    pub fn search_timeout(&self) -> Duration {
        self.search_timeout
    }

    /// The time limit of a query.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.pools.timeout
    }

    /// The pool for writes, for a task on [`Database::runtime`].
    #[must_use]
    pub fn writes(&self) -> &DatabaseConnection {
        &self.pools.writes
    }

    /// Runs a query on the pool for reads.
    ///
    /// # Errors
    /// [`DatabaseError`]; [`DatabaseError::TimedOut`] when it takes longer than `database.timeout_ms`.
    pub async fn read<T, E, Answer>(
        &self,
        query: impl FnOnce(DatabaseConnection) -> Answer + Send + 'static,
    ) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        E: Into<DatabaseError> + Send + 'static,
        Answer: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.run(self.pools.reads.clone(), query).await
    }

    /// Runs a query on the pool for writes.
    ///
    /// # Errors
    /// [`DatabaseError`]; after [`DatabaseError::TimedOut`] it may or may not have taken effect.
    pub async fn write<T, E, Answer>(
        &self,
        query: impl FnOnce(DatabaseConnection) -> Answer + Send + 'static,
    ) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        E: Into<DatabaseError> + Send + 'static,
        Answer: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.run(self.pools.writes.clone(), query).await
    }

    async fn run<T, E, Answer>(
        &self,
        connection: DatabaseConnection,
        query: impl FnOnce(DatabaseConnection) -> Answer + Send + 'static,
    ) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        E: Into<DatabaseError> + Send + 'static,
        Answer: Future<Output = Result<T, E>> + Send + 'static,
    {
        let limit = self.pools.timeout;
        let task = self.pools.runtime.spawn(async move {
            match tokio::time::timeout(limit, query(connection)).await {
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
