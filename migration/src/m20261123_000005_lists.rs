//! Indexes of the agents' lists and their search.
//!
//! On PostgreSQL every message updates its conversation's row, which adds an entry to each index that has the row. So
//! there is one index per sort order, and the others have only rows that seldom change.
//!
//! On a large database creating the indexes takes a while, and blocks writes during that time.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The conversations that agents see: no thread of a standalone ticket, and none without a message. The store's queries
/// have the same text, so that the planner sees that an index covers them.
const LISTED: &str = "channel <> 'ticket' AND message_count > 0";

/// Name, columns, and a further condition.
const INDEXES: [(&str, &str, &str); 7] = [
    ("conversations_listed_last_message_at", "(last_message_at, id)", ""),
    ("conversations_listed_updated_at", "(updated_at, id)", ""),
    ("conversations_listed_status", "(status, last_message_at, id)", ""),
    // Open ones by assignee: the counts read only this index, however many are closed.
    ("conversations_listed_open", "(assigned_to, status)", "status <> 'closed'"),
    // Written when a conversation is closed, not with every message.
    ("conversations_listed_closed", "(assigned_to, last_message_at, id)", "status = 'closed'"),
    ("conversations_listed_ticket", "(last_message_at, id)", "ticket_id IS NOT NULL"),
    ("conversations_listed_help_center", "(last_message_at, id)", "channel = 'help_center'"),
];

/// Earlier indexes, replaced by partial ones.
const REPLACED: [(&str, &str); 2] = [
    ("conversations_last_message_at_id", "(last_message_at, id)"),
    ("conversations_status_assigned_to", "(status, assigned_to)"),
];

/// SQLite writes an index only when its columns change.
const SQLITE: &str = "CREATE INDEX conversations_listed_created_at ON conversations (created_at, id)";

/// PostgreSQL writes all indexes of a row whenever an indexed column changes. So the columns that never change, time of
/// creation and contact data, are copied to a table of their own and indexed there. A trigger copies them, so that
/// servers of the previous release do, too.
const ORIGINS: [&str; 6] = [
    "CREATE TABLE conversation_origins (
        conversation_id uuid NOT NULL PRIMARY KEY, created_at timestamptz NOT NULL, contact text NOT NULL
    )",
    "CREATE FUNCTION keep_conversation_origin() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO conversation_origins
        VALUES (NEW.id, NEW.created_at, concat_ws(E'\\n', NEW.email, NEW.phone_number));
        RETURN NULL;
    END
    $$",
    "CREATE TRIGGER keep_conversation_origin AFTER INSERT ON conversations FOR EACH ROW \
     EXECUTE FUNCTION keep_conversation_origin()",
    "INSERT INTO conversation_origins SELECT id, created_at, concat_ws(E'\\n', email, phone_number) FROM conversations",
    "CREATE INDEX conversation_origins_created_at ON conversation_origins (created_at, conversation_id)",
    "ANALYZE conversation_origins",
];

/// Trigram indexes, if the extension is available and permitted; without them a search reads every message. A message is
/// first added to the index's list of pending entries, which a search reads, too: indexing every trigram immediately would
/// make a send five times as expensive. The list is long because the insert that fills it must empty it; the server
/// empties it every second in the background.
const TRIGRAMS: &str = "DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX messages_body_trigrams ON messages USING gin (body gin_trgm_ops)
        WITH (fastupdate = on, gin_pending_list_limit = 65536);
    CREATE INDEX conversation_origins_trigrams ON conversation_origins USING gin (contact gin_trgm_ops);
    CREATE INDEX users_trigrams ON users USING gin ((coalesce(first_name, '') || ' ' || coalesce(last_name, '')
        || E'\\n' || coalesce(email, '') || E'\\n' || coalesce(phone_number, '') || E'\\n' || coalesce(smipay_tag, ''))
        gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
    RAISE WARNING 'search goes without an index: %', SQLERRM;
END
$$";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for (name, columns, also) in INDEXES {
            let and = if also.is_empty() { "" } else { " AND " };
            let index = format!("CREATE INDEX {name} ON conversations {columns} WHERE {LISTED}{and}{also}");
            connection.execute_unprepared(&index).await?;
        }
        connection.execute_unprepared("CREATE INDEX users_agents ON users (id) WHERE is_agent").await?;
        for (name, _) in REPLACED {
            connection.execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            for statement in ORIGINS.into_iter().chain([TRIGRAMS]) {
                connection.execute_unprepared(statement).await?;
            }
        } else {
            connection.execute_unprepared(&format!("{SQLITE} WHERE {LISTED}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let statements = if manager.get_database_backend() == DbBackend::Postgres {
            &[
                "DROP INDEX IF EXISTS users_trigrams",
                "DROP INDEX IF EXISTS messages_body_trigrams",
                "DROP TRIGGER keep_conversation_origin ON conversations",
                "DROP FUNCTION keep_conversation_origin",
                "DROP TABLE conversation_origins",
            ][..]
        } else {
            &["DROP INDEX conversations_listed_created_at"][..]
        };
        for statement in statements {
            connection.execute_unprepared(statement).await?;
        }
        for (name, columns) in REPLACED {
            connection.execute_unprepared(&format!("CREATE INDEX {name} ON conversations {columns}")).await?;
        }
        connection.execute_unprepared("DROP INDEX users_agents").await?;
        for (name, _, _) in INDEXES {
            connection.execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        Ok(())
    }
}
