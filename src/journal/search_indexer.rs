//! Indexes messages for search on PostgreSQL in the background (migration 000008). It does not change the result of any
//! search: a search reads messages that are not indexed yet from their own table.
//!
//! A trigger lists the messages of a commit as not indexed. Once a second the indexer copies their texts, many at once,
//! into the table with the trigram index, and empties the index's list of pending entries. It works in small chunks with
//! pauses between them, and waits while the server is busy, so that it does not slow sends. Servers that share a database
//! share the work: each takes rows of the list that no other has locked.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::time::Instant;

use super::stats::StatsCounter;
use crate::database::{Backend, Database, DatabaseError};

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

/// A conversation's texts in a chunk become one row of at most a hundred messages: a search looks for conversations, and
/// a word in several messages is indexed once. `synchronous_commit` is off: a crash undoes the copy and the removal from
/// the list together.
const COPY: &str = "
WITH dequeued AS (
    DELETE FROM unsearchable_messages
    WHERE id = ANY (ARRAY(SELECT id FROM unsearchable_messages ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING conversation_ids, positions
),
listed AS (
    SELECT DISTINCT message.conversation_id, message.position
    FROM dequeued CROSS JOIN LATERAL unnest(conversation_ids, positions) AS message (conversation_id, position)
),
copied AS (
    INSERT INTO searchable_texts (conversation_id, text)
    SELECT conversation_id, string_agg(body, U&'\\001F' ORDER BY position)
    FROM listed JOIN messages USING (conversation_id, position)
    GROUP BY conversation_id, position / 100
)
SELECT count(*) AS dequeued,
    (SELECT count(*) FROM (SELECT 1 FROM unsearchable_messages LIMIT $2) AS listed) AS listed,
    set_config('synchronous_commit', 'off', true)
FROM dequeued";

/// Only the index's owner may do this: the role that ran the migrations.
const CLEAN_PENDING_LIST: &str = "SELECT count(gin_clean_pending_list(indexrelid)) > 0 FROM pg_index \
                     WHERE indexrelid = to_regclass('searchable_texts_trigrams')";

/// Starts the indexer on PostgreSQL. It stops with the database's runtime.
pub(super) fn start_search_indexer(database: &Database, stats: Arc<StatsCounter>) {
    if database.backend() == Backend::Postgres {
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
        let copied = copy(&self.database, self.rows).await;
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

/// Copies up to this many rows of the list, the oldest first.
pub(super) async fn copy(database: &Database, rows: i64) -> Result<Copied, DatabaseError> {
    let copy = database.write(async move |connection| {
        let values = [rows.into(), (rows + BACKLOG).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, COPY, values);
        let Some(row) = connection.query_one_raw(statement).await? else { return Ok((0, 0)) };
        Ok::<(i64, i64), sea_orm::DbErr>((row.try_get("", "dequeued")?, row.try_get("", "listed")?))
    });
    let (dequeued, listed) = copy.await?;
    Ok(Copied { rows: dequeued, left: listed - dequeued })
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
