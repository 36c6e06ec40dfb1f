//! Makes what was written findable on PostgreSQL, behind the sends (migration 000008). It changes nothing that a query
//! answers: a search reads what is not copied yet from the messages themselves.
//!
//! A commit lists its messages as not searchable yet. Every second their texts are copied, many at once, into the table
//! that is indexed by trigrams, and the index's own list of pending entries is emptied. Servers that share a database
//! share this work too: who takes a row of the list takes it from the others.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement, TryGetable};

use crate::database::{Backend, Database, DatabaseError};

/// How long what is new waits.
const EVERY: Duration = Duration::from_secs(1);
/// How long it waits where it could not be copied, for a reason that does not pass by itself.
const AFTER_A_FAULT: Duration = Duration::from_secs(60);

/// Rows of the list that are copied at once: of at most a hundred messages each, so that a pass stays far below
/// `database.timeout_ms`.
const PASS: i64 = 256;

/// A conversation's texts of one pass become one, a hundred messages at most: who searches wants the conversation, and a
/// word that is in several of them is indexed once.
const COPY: &str = "
WITH taken AS (
    DELETE FROM unsearchable_messages
    WHERE id IN (SELECT id FROM unsearchable_messages ORDER BY id LIMIT 256 FOR UPDATE SKIP LOCKED)
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
    loop {
        let pause = match copy_all(&database).await {
            Ok(()) => EVERY,
            Err(error) if error.is_passing() => {
                tracing::debug!(%error, "what was written waits to be made searchable");
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

async fn copy_all(database: &Database) -> Result<(), DatabaseError> {
    while ask::<i64>(database, COPY).await? == Some(PASS) {}
    Ok(())
}

/// Whether it is worth another try.
async fn empty(database: &Database) -> bool {
    match ask(database, EMPTY).await {
        Ok(Some(true)) => true,
        Ok(_) => {
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

async fn ask<Value: TryGetable + Send + 'static>(
    database: &Database,
    statement: &'static str,
) -> Result<Option<Value>, DatabaseError> {
    database
        .write(async move |connection| {
            let statement = Statement::from_string(connection.get_database_backend(), statement);
            let row = connection.query_one_raw(statement).await?;
            row.map(|row| row.try_get_by_index::<Value>(0)).transpose().map_err(|error: DbErr| error)
        })
        .await
}
