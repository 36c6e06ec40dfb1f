//! Indexes of the agents' lists, and of what they search.
//!
//! On PostgreSQL every message moves its conversation's row, and with it an entry in each index that holds the row. So
//! there is one for each order in which a list can be walked, and the rest hold only rows that seldom move.
//!
//! On a database that is full already the indexes take their time, in which nothing can be written.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What agents are shown: no ticket's own thread, and nothing that nobody has written in. The store spells it the same
/// way, so that both databases see that an index holds all that is asked for.
const LISTED: &str = "channel <> 'ticket' AND message_count > 0";

/// Name, columns, and what else must be true of a row.
const INDEXES: [(&str, &str, &str); 7] = [
    ("conversations_listed_last_message_at", "(last_message_at, id)", ""),
    ("conversations_listed_updated_at", "(updated_at, id)", ""),
    ("conversations_listed_status", "(status, last_message_at, id)", ""),
    // What is not closed, by who holds it: the counts read this alone, however many are closed.
    ("conversations_listed_open", "(assigned_to, status)", "status <> 'closed'"),
    // Written when one is closed, not with every message.
    ("conversations_listed_closed", "(assigned_to, last_message_at, id)", "status = 'closed'"),
    ("conversations_listed_ticket", "(last_message_at, id)", "ticket_id IS NOT NULL"),
    ("conversations_listed_help_center", "(last_message_at, id)", "channel = 'help_center'"),
];

/// What the earlier indexes held, the new ones hold for fewer rows.
const REPLACED: [(&str, &str); 2] = [
    ("conversations_last_message_at_id", "(last_message_at, id)"),
    ("conversations_status_assigned_to", "(status, assigned_to)"),
];

/// SQLite writes an index only where its columns change.
const SQLITE: &str = "CREATE INDEX conversations_listed_created_at ON conversations (created_at, id)";

/// PostgreSQL writes all indexes of a row whenever one changes. So what never changes of a conversation stands once
/// more, in a row of its own, and is found there: when it began, its e-mail address and its number. The database keeps
/// it, so that a server which does not know of it yet keeps it too.
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

/// Trigrams, where the database has them and lets us; without them a search reads every message. A message waits in the
/// index's list of pending entries, where a search finds it: to give each trigram its place at once would make a send
/// cost five times as much. The list is long because whoever overfills it must empty it, and that would be a send; the
/// server empties it every second beside them.
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
