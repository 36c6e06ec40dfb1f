//! On PostgreSQL, search compares folded texts (`additions.md`, 4), and has an index for terms of one or two characters.
//!
//! The server folds texts, which no SQL function does the same way on every installation. So the rows of
//! `searchable_texts` get a kind: that of a row of earlier releases, and of a server of the previous release that still
//! runs, is -1, and the search indexer folds it in the background. New rows have what a conversation, its ticket and an
//! account can be found by, too. Triggers list what has changed, so that servers of the previous release do, too.
//!
//! Every statement is quick on a large database: the new columns have constant defaults, and the new index is partial
//! and begins empty. What exists is listed for the indexer by its place of work in `search_backfills`.
//!
//! SQLite has no such index, and its search reads everything.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const UP: [&str; 15] = [
    // Each change of a table is quick, but it waits for every transaction that uses the table, and meanwhile every commit
    // of a running server waits for it. After this time it fails, and the operator starts the migration again.
    "SET LOCAL lock_timeout = '3s'",
    "ALTER TABLE searchable_texts ADD COLUMN kind smallint NOT NULL DEFAULT -1, ADD COLUMN user_id text,
        ALTER COLUMN conversation_id DROP NOT NULL",
    // The characters of a text and all pairs of neighbours: what a term of one or two characters is found by.
    r"CREATE FUNCTION search_grams(folded text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT string_to_array(folded, NULL)
            || string_to_array(regexp_replace(folded, '(..)', E'\\1\x1e', 'g'), E'\x1e')
            || string_to_array(regexp_replace(substr(folded, 2), '(..)', E'\\1\x1e', 'g'), E'\x1e')
    $$",
    "CREATE INDEX searchable_texts_grams ON searchable_texts USING gin (search_grams(text))
        WITH (fastupdate = on, gin_pending_list_limit = 65536) WHERE kind >= 0",
    "CREATE INDEX searchable_texts_conversation ON searchable_texts (conversation_id) WHERE kind > 0",
    "CREATE INDEX searchable_texts_unfolded ON searchable_texts (id) WHERE kind < 0",
    "CREATE INDEX searchable_texts_user ON searchable_texts (user_id) WHERE user_id IS NOT NULL",
    "CREATE TABLE unsearchable_rows (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, conversation_id uuid, user_id text
    )",
    "CREATE TABLE search_backfills (kind text NOT NULL PRIMARY KEY, after text NOT NULL)",
    "CREATE FUNCTION list_unsearchable_conversations() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO unsearchable_rows (conversation_id)
        SELECT id FROM made WHERE email IS NOT NULL OR phone_number IS NOT NULL;
        RETURN NULL;
    END
    $$",
    "CREATE FUNCTION list_unsearchable_tickets() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO unsearchable_rows (conversation_id) SELECT conversation_id FROM made;
        RETURN NULL;
    END
    $$",
    "CREATE FUNCTION list_unsearchable_user() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO unsearchable_rows (user_id) VALUES (NEW.id);
        RETURN NULL;
    END
    $$",
    "CREATE TRIGGER conversations_unsearchable AFTER INSERT ON conversations REFERENCING NEW TABLE AS made \
     FOR EACH STATEMENT EXECUTE FUNCTION list_unsearchable_conversations()",
    "CREATE TRIGGER tickets_unsearchable AFTER INSERT ON tickets REFERENCING NEW TABLE AS made \
     FOR EACH STATEMENT EXECUTE FUNCTION list_unsearchable_tickets()",
    "INSERT INTO search_backfills VALUES ('conversations', ''), ('users', '')",
];

/// An account's row is written about once a minute while it is in use; only a change of these columns counts.
const USER_COLUMNS: [&str; 6] = ["first_name", "last_name", "name", "email", "phone_number", "smipay_tag"];

const DOWN: [&str; 15] = [
    "DROP TRIGGER users_unsearchable_changed ON users",
    "DROP TRIGGER users_unsearchable ON users",
    "DROP TRIGGER tickets_unsearchable ON tickets",
    "DROP TRIGGER conversations_unsearchable ON conversations",
    "DROP FUNCTION list_unsearchable_user",
    "DROP FUNCTION list_unsearchable_tickets",
    "DROP FUNCTION list_unsearchable_conversations",
    "DROP TABLE search_backfills",
    "DROP TABLE unsearchable_rows",
    "DROP INDEX searchable_texts_grams",
    "DROP FUNCTION search_grams",
    "TRUNCATE searchable_texts, unsearchable_messages",
    "ALTER TABLE searchable_texts DROP COLUMN user_id, DROP COLUMN kind",
    "ALTER TABLE searchable_texts ALTER COLUMN conversation_id SET NOT NULL",
    "INSERT INTO searchable_texts (conversation_id, text)
        SELECT conversation_id, string_agg(body, U&'\\001F' ORDER BY position)
        FROM messages GROUP BY conversation_id, position / 100",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = |row: &str| USER_COLUMNS.map(|column| format!("{row}.{column}")).join(", ");
        let is_changed = format!("WHEN (({}) IS DISTINCT FROM ({}))", columns("OLD"), columns("NEW"));
        let of_users = |name: &str, on: &str, when: &str| {
            format!(
                "CREATE TRIGGER {name} AFTER {on} ON users FOR EACH ROW {when} EXECUTE FUNCTION list_unsearchable_user()"
            )
        };
        let inserted = of_users("users_unsearchable", "INSERT", "");
        let changed = of_users("users_unsearchable_changed", "UPDATE", &is_changed);
        carry_out(manager, UP.into_iter().chain([inserted.as_str(), changed.as_str()])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        carry_out(manager, DOWN.into_iter()).await
    }
}

async fn carry_out(manager: &SchemaManager<'_>, statements: impl Iterator<Item = &str>) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
    }
    Ok(())
}
