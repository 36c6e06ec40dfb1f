//! Upkeep of the index that searches messages on PostgreSQL (migration 000005). It changes nothing that a query answers.
//!
//! What was just written waits in the index's list of pending entries. A search reads all of that list, and a send that
//! finds it full must empty it: so it is emptied here, every second, while sends go on.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::database::{Backend, Database, DatabaseError};

/// How long what is new waits.
const EVERY: Duration = Duration::from_secs(1);

/// Starts the task, where there is such an index; where there could be one, says that there is none. It ends with the
/// database's runtime.
pub fn keep_search_fast(database: &Database) {
    if database.backend() == Backend::Postgres {
        database.runtime().spawn(keep(database.clone()));
    }
}

async fn keep(database: Database) {
    // Its owner alone may do this, which is whoever moved the schema.
    const EMPTY: &str = "SELECT count(gin_clean_pending_list(indexrelid)) > 0 FROM pg_index \
                         WHERE indexrelid = to_regclass('messages_body_trigrams')";
    loop {
        match ask(&database, EMPTY).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(
                    "search goes without an index and reads every message: PostgreSQL lacks pg_trgm, see README"
                );
                return;
            }
            Err(error) if error.is_passing() => tracing::debug!(%error, "the search index was not kept up"),
            Err(error) => {
                tracing::warn!(%error, "the search index is not kept up: another role made it");
                return;
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn ask(database: &Database, statement: &'static str) -> Result<bool, DatabaseError> {
    database
        .read(async move |connection| {
            let statement = Statement::from_string(connection.get_database_backend(), statement);
            let row = connection.query_one_raw(statement).await?;
            row.map_or(Ok(false), |row| row.try_get_by_index::<bool>(0)).map_err(|error: DbErr| error)
        })
        .await
}
