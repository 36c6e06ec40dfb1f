//! Makes what was written findable on PostgreSQL, behind the sends (migration 000008). It changes nothing that a query
//! answers: a search reads what is not copied yet from the messages themselves.
//!
//! A commit lists its messages as not searchable yet. Every second their texts are copied, many at once, into the table
//! that is indexed by trigrams, and the index's own list of pending entries is emptied. That is done in small pieces
//! with pauses between them: the sends beside it shall not notice. In a busy moment it waits, for a while. Servers that
//! share a database share this work too: who takes a row of the list takes it from the others.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::time::Instant;

use super::stats::Counters;
use crate::database::{Backend, Database, DatabaseError};

/// How long what is new waits, where there is not so much of it that it takes longer.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// More appends a second than this are a busy moment: what is new waits until it is over …
const BUSY: u64 = 1000;
/// … but not for longer than this.
pub(super) const LONGEST: Duration = Duration::from_secs(10);
/// How long it waits where it could not be copied, for a reason that does not pass by itself.
pub(super) const AFTER_A_FAULT: Duration = Duration::from_secs(60);

/// How long it should take to copy one piece.
const PIECE: Duration = Duration::from_millis(10);
/// The most rows of the list that are a piece, of at most a hundred messages each.
pub(super) const MOST_ROWS: i64 = 256;
/// A pause is this many times as long as the piece before it: copying takes a tenth of one connection's time.
const REST: u32 = 9;
/// From so many rows on a search would feel what it has to read from the messages themselves: copying takes half of the
/// time.
const BEHIND: i64 = 1024;

/// Failures in a row that somebody should hear of, though each may pass.
const MANY: u32 = 60;

/// A conversation's texts of one piece become one, a hundred messages at most: who searches wants the conversation, and
/// a word that is in several of them is indexed once. It happens whole or not at all, so nothing waits until it is on
/// the disk.
const COPY: &str = "
WITH taken AS (
    DELETE FROM unsearchable_messages
    WHERE id = ANY (ARRAY(SELECT id FROM unsearchable_messages ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING conversation_ids, positions
),
listed AS (
    SELECT DISTINCT message.conversation_id, message.position
    FROM taken CROSS JOIN LATERAL unnest(conversation_ids, positions) AS message (conversation_id, position)
),
copied AS (
    INSERT INTO searchable_texts (conversation_id, text)
    SELECT conversation_id, string_agg(body, U&'\\001F' ORDER BY position)
    FROM listed JOIN messages USING (conversation_id, position)
    GROUP BY conversation_id, position / 100
)
SELECT count(*) AS taken,
    (SELECT count(*) FROM (SELECT 1 FROM unsearchable_messages LIMIT $2) AS listed) AS listed,
    set_config('synchronous_commit', 'off', true)
FROM taken";

/// Its owner alone may do this, which is whoever moved the schema.
const EMPTY: &str = "SELECT count(gin_clean_pending_list(indexrelid)) > 0 FROM pg_index \
                     WHERE indexrelid = to_regclass('searchable_texts_trigrams')";

/// Starts the task, where there is something to copy. It ends with the database's runtime.
pub(super) fn start_search_indexer(database: &Database, counters: Arc<Counters>) {
    if database.backend() == Backend::Postgres {
        database.runtime().spawn(keep(database.clone(), counters));
    }
}

async fn keep(database: Database, counters: Arc<Counters>) {
    let mut keeper = Indexer::new(database, counters);
    loop {
        let pause = keeper.step().await;
        tokio::time::sleep(pause).await;
    }
}

/// Who copies, and how far they are.
pub(super) struct Indexer {
    database: Database,
    load: Load,
    /// When nothing was left, last.
    pub(super) all_copied: Instant,
    /// How many rows of the list the next piece may have.
    pub(super) rows: i64,
    /// Pieces in a row that failed and may not the next time.
    failures: u32,
    /// When the index's list of pending entries was emptied, last.
    emptied: Instant,
    is_index_ours: bool,
}

impl Indexer {
    pub(super) fn new(database: Database, counters: Arc<Counters>) -> Self {
        let now = Instant::now();
        let load = Load::new(counters);
        Self { database, load, all_copied: now, rows: MOST_ROWS, failures: 0, emptied: now, is_index_ours: true }
    }

    /// Copies a piece, unless this is a busy moment. Says how long to wait before the next one.
    pub(super) async fn step(&mut self) -> Duration {
        if self.load.is_busy() && self.all_copied.elapsed() < LONGEST {
            return EVERY;
        }
        let begun = Instant::now();
        let copied = copy(&self.database, self.rows).await;
        let pause = match copied {
            Ok(copied) => self.copied(copied, begun.elapsed()),
            Err(error) => self.failed(&error),
        };
        if self.is_index_ours && self.emptied.elapsed() >= EVERY {
            self.is_index_ours = empty(&self.database).await;
            self.emptied = Instant::now();
        }
        pause
    }

    fn copied(&mut self, copied: Copied, took: Duration) -> Duration {
        self.failures = 0;
        self.rows = copied.next_rows(self.rows, took);
        if copied.left <= 0 {
            self.all_copied = Instant::now();
        }
        copied.pause(took)
    }

    fn failed(&mut self, error: &DatabaseError) -> Duration {
        if !error.is_passing() {
            tracing::error!(%error, "what was written cannot be made searchable: searches grow slow");
            return AFTER_A_FAULT;
        }
        self.failures += 1;
        // It took longer than `database.timeout_ms`, perhaps.
        self.rows = (self.rows / 2).max(1);
        tracing::debug!(%error, "what was written waits to be made searchable");
        if self.failures.is_multiple_of(MANY) {
            let failures = self.failures;
            tracing::warn!(%error, failures, "what was written is not made searchable: searches grow slow");
        }
        EVERY
    }
}

/// How busy the journal of this server is.
struct Load {
    counters: Arc<Counters>,
    appends: u64,
    since: Instant,
}

impl Load {
    fn new(counters: Arc<Counters>) -> Self {
        Self { counters, appends: 0, since: Instant::now() }
    }

    /// Whether it has stored so much since this was asked last.
    fn is_busy(&mut self) -> bool {
        let (appends, now) = (self.counters.tally().appends, Instant::now());
        let stored = appends.saturating_sub(std::mem::replace(&mut self.appends, appends));
        let took = now.duration_since(std::mem::replace(&mut self.since, now));
        is_busy(stored, took)
    }
}

fn is_busy(stored: u64, took: Duration) -> bool {
    u128::from(stored) * 1000 > u128::from(BUSY) * took.as_millis()
}

/// What a piece came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copied {
    /// Rows of the list.
    pub(super) rows: i64,
    /// Those that are left; many are not counted.
    pub(super) left: i64,
}

impl Copied {
    /// How many rows the next piece may have, where this one might have had so many and took so long.
    fn next_rows(self, rows: i64, took: Duration) -> i64 {
        if took > PIECE * 2 {
            (rows / 2).max(1)
        } else if took < PIECE / 2 && self.rows == rows {
            (rows * 2).min(MOST_ROWS)
        } else {
            rows
        }
    }

    /// How long to wait before the next piece.
    fn pause(self, took: Duration) -> Duration {
        match self.left {
            ..=0 => EVERY,
            1..BEHIND => (took * REST).min(EVERY),
            _ => took.min(EVERY),
        }
    }
}

/// Copies so many rows of the list, the oldest first.
pub(super) async fn copy(database: &Database, rows: i64) -> Result<Copied, DatabaseError> {
    let copy = database.write(async move |connection| {
        let values = [rows.into(), (rows + BEHIND).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, COPY, values);
        let Some(row) = connection.query_one_raw(statement).await? else { return Ok((0, 0)) };
        Ok::<(i64, i64), sea_orm::DbErr>((row.try_get("", "taken")?, row.try_get("", "listed")?))
    });
    let (taken, listed) = copy.await?;
    Ok(Copied { rows: taken, left: listed - taken })
}

/// Empties the index's list of pending entries. Whether it is worth another try.
async fn empty(database: &Database) -> bool {
    let emptied = database.read(async move |connection| {
        let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, EMPTY)).await?;
        row.map_or(Ok(false), |row| row.try_get_by_index::<bool>(0)).map_err(|error: sea_orm::DbErr| error)
    });
    match emptied.await {
        Ok(true) => true,
        Ok(false) => {
            tracing::warn!("search goes without an index and reads every text: PostgreSQL lacks pg_trgm, see README");
            false
        }
        Err(error) if error.is_passing() => {
            tracing::debug!(%error, "the search index was not kept up");
            true
        }
        Err(error) => {
            tracing::warn!(%error, "the search index is not kept up: another role made it");
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
    fn pieces_grow_and_shrink_towards_the_time_that_they_may_take() {
        let (quick, slow) = (PIECE / 4, PIECE * 3);
        assert_eq!(copied(8, 100).next_rows(8, quick), 16);
        assert_eq!(copied(8, 100).next_rows(8, PIECE), 8);
        assert_eq!(copied(8, 100).next_rows(8, slow), 4);
        assert_eq!(copied(1, 100).next_rows(1, slow), 1);
        assert_eq!(copied(MOST_ROWS, 100).next_rows(MOST_ROWS, quick), MOST_ROWS);
        // One that was not full says nothing of a larger one.
        assert_eq!(copied(3, 0).next_rows(8, quick), 8);
    }

    #[test]
    fn more_than_a_thousand_appends_a_second_are_a_busy_moment() {
        assert!(!is_busy(1000, Duration::from_secs(1)));
        assert!(is_busy(1001, Duration::from_secs(1)));
        assert!(!is_busy(10, Duration::from_millis(10)));
        assert!(is_busy(11, Duration::from_millis(10)));
        assert!(!is_busy(0, Duration::ZERO));
    }

    #[test]
    fn copying_takes_a_tenth_of_the_time_and_half_of_it_where_much_is_left() {
        assert_eq!(copied(8, 0).pause(PIECE), EVERY);
        assert_eq!(copied(8, 1).pause(PIECE), PIECE * 9);
        assert_eq!(copied(8, BEHIND - 1).pause(PIECE), PIECE * 9);
        assert_eq!(copied(8, BEHIND).pause(PIECE), PIECE);
        assert_eq!(copied(8, 1).pause(EVERY), EVERY);
    }
}
