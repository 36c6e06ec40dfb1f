//! Makes what was written findable on PostgreSQL, behind the sends (migration 000008). It changes nothing that a query
//! answers: a search reads what is not copied yet from the messages themselves.
//!
//! A commit lists its messages as not searchable yet. Every second their texts are copied, many at once, into the table
//! that is indexed by trigrams, and the index's own list of pending entries is emptied. Servers that share a database
//! share this work too: who takes a row of the list takes it from the others.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::database::{Backend, Database, DatabaseError};

/// How long what is new waits.
const EVERY: Duration = Duration::from_secs(1);
/// How long it waits where it could not be copied, for a reason that does not pass by itself.
const AFTER_A_FAULT: Duration = Duration::from_secs(60);

/// The most rows of the list that are copied at once, of at most a hundred messages each. A pass that fails, because it
/// takes longer than `database.timeout_ms` perhaps, is followed by one of half as many.
const PASS: i64 = 256;

/// Failures in a row that somebody should hear of, though each may pass.
const MANY: u32 = 60;

/// A conversation's texts of one pass become one, a hundred messages at most: who searches wants the conversation, and a
/// word that is in several of them is indexed once.
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
SELECT count(*) FROM taken";

/// Its owner alone may do this, which is whoever moved the schema.
const EMPTY: &str = "SELECT count(gin_clean_pending_list(indexrelid)) > 0 FROM pg_index \
                     WHERE indexrelid = to_regclass('searchable_texts_trigrams')";

/// Starts the task, where there is something to copy. It ends with the database's runtime.
pub fn keep_searchable(database: &Database) {
    if database.backend() == Backend::Postgres {
        database.runtime().spawn(keep(database.clone()));
    }
}

async fn keep(database: Database) {
    let mut is_index_ours = true;
    let (mut pass, mut failures) = (PASS, 0);
    loop {
        let pause = match copy_all(&database, &mut pass).await {
            Ok(()) => {
                failures = 0;
                EVERY
            }
            Err(error) if error.is_passing() => {
                failures += 1;
                pass = (pass / 2).max(1);
                tracing::debug!(%error, "what was written waits to be made searchable");
                if failures % MANY == 0 {
                    tracing::warn!(%error, failures, "what was written is not made searchable: searches grow slow");
                }
                EVERY
            }
            Err(error) => {
                tracing::error!(%error, "what was written cannot be made searchable: searches grow slow");
                AFTER_A_FAULT
            }
        };
        if is_index_ours {
            is_index_ours = empty(&database).await;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Copies until nothing is left, a pass at a time, each larger than the one before.
async fn copy_all(database: &Database, pass: &mut i64) -> Result<(), DatabaseError> {
    loop {
        let rows = *pass;
        let copy = database.write(async move |connection| {
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, COPY, [rows.into()]);
            let row = connection.query_one_raw(statement).await?;
            row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0)).map_err(|error: DbErr| error)
        });
        if copy.await? < rows {
            return Ok(());
        }
        *pass = (rows * 2).min(PASS);
    }
}

/// Empties the index's list of pending entries. Whether it is worth another try.
async fn empty(database: &Database) -> bool {
    let emptied = database.read(async move |connection| {
        let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, EMPTY)).await?;
        row.map_or(Ok(false), |row| row.try_get_by_index::<bool>(0)).map_err(|error: DbErr| error)
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
