//! On PostgreSQL, messages are indexed for search in the background.
//!
//! An index over the trigrams of every message was the most expensive part of a send and doubled the write-ahead log. Now
//! a send only lists its messages as not indexed; the server copies their texts into an indexed table, many at once. Until
//! then a search reads the listed messages, so a message is still found as soon as it is stored.
//!
//! SQLite has no such index, and searches the messages themselves.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// A text has messages of one conversation, separated by U+001F. A trigger lists new messages, so that servers of the
/// previous release and imports do, too: a row per hundred messages of a statement.
const UP: [&str; 6] = [
    "CREATE TABLE searchable_texts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, conversation_id uuid NOT NULL, text text NOT NULL
    )",
    "CREATE TABLE unsearchable_messages (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, conversation_ids uuid[] NOT NULL, positions bigint[] NOT NULL
    )",
    "CREATE VIEW unsearchable_texts AS
        SELECT messages.conversation_id, messages.body AS text
        FROM unsearchable_messages AS listed
        CROSS JOIN LATERAL unnest(listed.conversation_ids, listed.positions) AS message (conversation_id, position)
        JOIN messages USING (conversation_id, position)",
    "CREATE FUNCTION list_unsearchable_messages() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO unsearchable_messages (conversation_ids, positions)
        SELECT array_agg(conversation_id), array_agg(position)
        FROM (SELECT conversation_id, position, (row_number() OVER () - 1) / 100 AS part FROM made) AS listed
        GROUP BY part;
        RETURN NULL;
    END
    $$",
    "CREATE TRIGGER messages_unsearchable AFTER INSERT ON messages REFERENCING NEW TABLE AS made \
     FOR EACH STATEMENT EXECUTE FUNCTION list_unsearchable_messages()",
    "INSERT INTO searchable_texts (conversation_id, text)
        SELECT conversation_id, string_agg(body, U&'\\001F' ORDER BY position)
        FROM messages GROUP BY conversation_id, position / 100",
];

/// A trigram index, if the extension is available; without it a search reads all texts. The server empties the index's
/// list of pending entries after copying.
const INDEX: &str = "DO $$
BEGIN
    CREATE INDEX searchable_texts_trigrams ON searchable_texts USING gin (text gin_trgm_ops)
        WITH (fastupdate = on, gin_pending_list_limit = 65536);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
    RAISE WARNING 'search goes without an index: %', SQLERRM;
END
$$";

const DOWN: [&str; 6] = [
    "DROP TRIGGER messages_unsearchable ON messages",
    "DROP FUNCTION list_unsearchable_messages",
    "DROP VIEW unsearchable_texts",
    "DROP TABLE unsearchable_messages",
    "DROP TABLE searchable_texts",
    "DO $$
    BEGIN
        CREATE INDEX messages_body_trigrams ON messages USING gin (body gin_trgm_ops)
            WITH (fastupdate = on, gin_pending_list_limit = 65536);
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
        RAISE WARNING 'search goes without an index: %', SQLERRM;
    END
    $$",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let before = ["DROP INDEX IF EXISTS messages_body_trigrams"];
        carry_out(manager, before.into_iter().chain(UP).chain([INDEX, "ANALYZE searchable_texts"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        carry_out(manager, DOWN.into_iter()).await
    }
}

async fn carry_out(manager: &SchemaManager<'_>, statements: impl Iterator<Item = &'static str>) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
    }
    Ok(())
}
