//! Folds and indexes texts for search on PostgreSQL in the background (migrations 000008 and 000012). It does not change
//! the result of any search: a search reads what is not indexed yet from its own table.
//!
//! Triggers list the messages of a commit, and new or changed conversations, tickets and accounts, as not indexed. Once a
//! second the indexer folds their texts, many at once, into the table with the indexes, and empties the indexes' lists of
//! pending entries. After an upgrade it does the same with what is there already, in bounded steps. It works in small chunks with
//! pauses between them, and waits while the server is busy, so that it does not slow sends. Servers that share a database
//! share the work: each takes rows of the list that no other has locked.

mod copy;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::prelude::Uuid;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait,
};
use tokio::time::Instant;

pub(super) use copy::copy;

use super::stats::StatsCounter;
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::TextKind;

/// The interval between runs.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);
/// Above this many appends per second the server is busy, and indexing waits …
const BUSY_APPENDS_PER_SECOND: u64 = 1000;
/// … but not longer than this.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(10);
/// The pause after a permanent failure.
pub(super) const FAULT_PAUSE: Duration = Duration::from_secs(60);

/// How long copying a chunk should take.
const CHUNK_TIME: Duration = Duration::from_millis(10);
/// The most rows of the list in a chunk; a row lists at most a hundred messages.
pub(super) const MAX_ROWS: i64 = 256;
/// A pause is this many times as long as the chunk before it: copying uses a tenth of one connection's time.
const PAUSE_FACTOR: u32 = 9;
/// From this many rows on, searches would notice the messages they have to read unindexed, so copying uses half of the
/// time.
const BACKLOG: i64 = 1024;

/// Transient failures in a row after which a warning is logged.
const FAILURES_PER_WARNING: u32 = 60;

/// Only the index's owner may do this: the role that ran the migrations.
const CLEAN_PENDING_LIST: &str = "SELECT count(gin_clean_pending_list(indexrelid)) > 0 FROM pg_index \
    WHERE indexrelid IN (to_regclass('searchable_texts_trigrams'), to_regclass('searchable_texts_grams'))";

/// How long the start of a server waits until the texts of an earlier release are folded. Searches are refused until that
/// is done, on a small database so at no time.
const BACKFILL_AT_START: Duration = Duration::from_secs(2);

/// Starts the indexer on PostgreSQL. It stops with the database's runtime.
pub(super) async fn start_search_indexer(database: &Database, stats: Arc<StatsCounter>) {
    if database.backend() == Backend::Postgres {
        let started = Instant::now();
        while started.elapsed() < BACKFILL_AT_START {
            match rows::backfill(database, MAX_ROWS).await {
                Ok(false) => break,
                Ok(true) => {}
                Err(error) => {
                    tracing::warn!(%error, "texts of an earlier release are not indexed for search yet");
                    break;
                }
            }
        }
        database.runtime().spawn(run(database.clone(), stats));
    }
}

async fn run(database: Database, stats: Arc<StatsCounter>) {
    let mut indexer = Indexer::new(database, stats);
    loop {
        let pause = indexer.step().await;
        tokio::time::sleep(pause).await;
    }
}

/// The indexer's state.
pub(super) struct Indexer {
    database: Database,
    load: JournalLoad,
    /// When the list was last empty.
    pub(super) caught_up: Instant,
    /// The most rows of the list in the next chunk.
    pub(super) rows: i64,
    /// Transient failures in a row.
    failures: u32,
    /// When the index's list of pending entries was last emptied.
    cleaned: Instant,
    owns_index: bool,
}

impl Indexer {
    pub(super) fn new(database: Database, stats: Arc<StatsCounter>) -> Self {
        let now = Instant::now();
        let load = JournalLoad::new(stats);
        Self { database, load, caught_up: now, rows: MAX_ROWS, failures: 0, cleaned: now, owns_index: true }
    }

    /// Copies a chunk, unless the server is busy. Gives the pause before the next one.
    pub(super) async fn step(&mut self) -> Duration {
        if self.load.is_busy() && self.caught_up.elapsed() < MAX_DELAY {
            return INTERVAL;
        }
        let started = Instant::now();
        let copied = index(&self.database, self.rows).await;
        let pause = match copied {
            Ok(copied) => self.succeeded(copied, started.elapsed()),
            Err(error) => self.failed(&error),
        };
        if self.owns_index && self.cleaned.elapsed() >= INTERVAL {
            self.owns_index = clean_pending_list(&self.database).await;
            self.cleaned = Instant::now();
        }
        pause
    }

    fn succeeded(&mut self, copied: Copied, took: Duration) -> Duration {
        self.failures = 0;
        self.rows = copied.next_rows(self.rows, took);
        if copied.left <= 0 {
            self.caught_up = Instant::now();
        }
        copied.pause(took)
    }

    fn failed(&mut self, error: &DatabaseError) -> Duration {
        if !error.is_passing() {
            tracing::error!(%error, "messages cannot be indexed for search: searches become slow");
            return FAULT_PAUSE;
        }
        self.failures += 1;
        // It may have taken longer than `database.timeout_ms`.
        self.rows = (self.rows / 2).max(1);
        tracing::debug!(%error, "messages are not indexed yet");
        if self.failures.is_multiple_of(FAILURES_PER_WARNING) {
            let failures = self.failures;
            tracing::warn!(%error, failures, "messages are not indexed for search: searches become slow");
        }
        INTERVAL
    }
}

/// Indexes up to this many rows of each list.
async fn index(database: &Database, rows: i64) -> Result<Copied, DatabaseError> {
    let copied = copy(database, rows).await?;
    let has_more = rows::refresh(database, rows).await? | rows::backfill(database, rows).await?;
    Ok(Copied { left: copied.left.max(i64::from(has_more)), ..copied })
}

/// How busy this server's journal is.
struct JournalLoad {
    stats: Arc<StatsCounter>,
    appends: u64,
    since: Instant,
}

impl JournalLoad {
    fn new(stats: Arc<StatsCounter>) -> Self {
        Self { stats, appends: 0, since: Instant::now() }
    }

    /// Whether it was busy since the previous call.
    fn is_busy(&mut self) -> bool {
        let (appends, now) = (self.stats.read().appends, Instant::now());
        let stored = appends.saturating_sub(std::mem::replace(&mut self.appends, appends));
        let took = now.duration_since(std::mem::replace(&mut self.since, now));
        is_busy(stored, took)
    }
}

fn is_busy(stored: u64, took: Duration) -> bool {
    u128::from(stored) * 1000 > u128::from(BUSY_APPENDS_PER_SECOND) * took.as_millis()
}

/// A chunk that was copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copied {
    /// Its rows of the list.
    pub(super) rows: i64,
    /// Rows still listed; beyond [`BACKLOG`] they are not counted.
    pub(super) left: i64,
}

impl Copied {
    /// The most rows of the next chunk, after one that could have had `rows` rows and took this long.
    fn next_rows(self, rows: i64, took: Duration) -> i64 {
        if took > CHUNK_TIME * 2 {
            (rows / 2).max(1)
        } else if took < CHUNK_TIME / 2 && self.rows == rows {
            (rows * 2).min(MAX_ROWS)
        } else {
            rows
        }
    }

    /// The pause before the next chunk.
    fn pause(self, took: Duration) -> Duration {
        match self.left {
            ..=0 => INTERVAL,
            1..BACKLOG => (took * PAUSE_FACTOR).min(INTERVAL),
            _ => took.min(INTERVAL),
        }
    }
}

/// Begins a transaction in a task of its own, as the journal does: one that begins after its caller has stopped waiting is
/// rolled back. `synchronous_commit` is off: a crash undoes the copy and the removal from the list together.
async fn begin(connection: DatabaseConnection) -> Result<DatabaseTransaction, DatabaseError> {
    let begun = tokio::spawn(async move { connection.begin().await });
    let transaction = begun.await.map_err(|error| DatabaseError::Fault(error.to_string()))??;
    transaction.execute_unprepared("SET LOCAL synchronous_commit = off").await?;
    Ok(transaction)
}

fn statement<const N: usize>(sql: &str, values: [sea_orm::Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Inserts folded texts of conversations or of accounts.
async fn insert(transaction: &DatabaseTransaction, texts: Vec<FoldedText>) -> Result<(), DbErr> {
    if texts.is_empty() {
        return Ok(());
    }
    let (mut conversations, mut users, mut kinds, mut bodies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for FoldedText { conversation, user, kind, text } in texts {
        // Empty stands for null: SeaORM's arrays have none.
        conversations.push(conversation.unwrap_or_default());
        users.push(user.unwrap_or_default());
        kinds.push(kind as i16);
        bodies.push(text);
    }
    let values = [conversations.into(), users.into(), kinds.into(), bodies.into()];
    transaction.execute_raw(statement(INSERT, values)).await.map(|_| ())
}

const INSERT: &str = "INSERT INTO searchable_texts (conversation_id, user_id, kind, text)
    SELECT nullif(conversation_id, '00000000-0000-0000-0000-000000000000'), nullif(user_id, ''), kind, text
    FROM unnest($1::uuid[], $2::text[], $3::int2[], $4::text[]) AS folded (conversation_id, user_id, kind, text)";

/// A row of the searched table.
struct FoldedText {
    conversation: Option<Uuid>,
    user: Option<String>,
    kind: TextKind,
    text: String,
}

/// Empties the index's list of pending entries. Gives whether to try again later.
async fn clean_pending_list(database: &Database) -> bool {
    let emptied = database.read(async move |connection| {
        let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, CLEAN_PENDING_LIST)).await?;
        row.map_or(Ok(false), |row| row.try_get_by_index::<bool>(0)).map_err(|error: sea_orm::DbErr| error)
    });
    match emptied.await {
        Ok(true) => true,
        Ok(false) => {
            tracing::warn!("search has no index and reads every text: PostgreSQL lacks pg_trgm, see README");
            false
        }
        Err(error) if error.is_passing() => {
            tracing::debug!(%error, "the search index could not be cleaned");
            true
        }
        Err(error) => {
            tracing::warn!(%error, "the search index cannot be cleaned: another role owns it");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn copied(rows: i64, left: i64) -> Copied {
        Copied { rows, left }
    }

    #[test]
    fn chunks_grow_and_shrink_towards_their_target_time() {
        let (quick, slow) = (CHUNK_TIME / 4, CHUNK_TIME * 3);
        assert_eq!(copied(8, 100).next_rows(8, quick), 16);
        assert_eq!(copied(8, 100).next_rows(8, CHUNK_TIME), 8);
        assert_eq!(copied(8, 100).next_rows(8, slow), 4);
        assert_eq!(copied(1, 100).next_rows(1, slow), 1);
        assert_eq!(copied(MAX_ROWS, 100).next_rows(MAX_ROWS, quick), MAX_ROWS);
        // The time of a chunk that was not full does not predict that of a larger one.
        assert_eq!(copied(3, 0).next_rows(8, quick), 8);
    }

    #[test]
    fn more_than_a_thousand_appends_per_second_are_busy() {
        assert!(!is_busy(1000, Duration::from_secs(1)));
        assert!(is_busy(1001, Duration::from_secs(1)));
        assert!(!is_busy(10, Duration::from_millis(10)));
        assert!(is_busy(11, Duration::from_millis(10)));
        assert!(!is_busy(0, Duration::ZERO));
    }

    #[test]
    fn copying_uses_a_tenth_of_the_time_and_half_of_it_with_a_backlog() {
        assert_eq!(copied(8, 0).pause(CHUNK_TIME), INTERVAL);
        assert_eq!(copied(8, 1).pause(CHUNK_TIME), CHUNK_TIME * 9);
        assert_eq!(copied(8, BACKLOG - 1).pause(CHUNK_TIME), CHUNK_TIME * 9);
        assert_eq!(copied(8, BACKLOG).pause(CHUNK_TIME), CHUNK_TIME);
        assert_eq!(copied(8, 1).pause(INTERVAL), INTERVAL);
    }
}
