//! How far conversations have been read: the stored marks, and what each side has written.

use std::collections::HashMap;

use entity::messages;
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Statement, Value,
};

use crate::database::{Backend, Database, DatabaseError};
use crate::domain::{Channel, Conversation, ConversationId, Reading};

/// How many events back a side's own last message is searched, and unread messages are counted.
pub const MAX_UNREAD: i64 = 1000;

/// How far a page of conversations has been read.
#[derive(Clone, Debug, Default)]
pub(super) struct Readings(HashMap<Uuid, Reading>);

impl Readings {
    pub(super) fn of(&self, conversation: &Conversation) -> Reading {
        self.0.get(&conversation.id.0).copied().unwrap_or_default()
    }
}

/// How far a conversation has been read.
///
/// # Errors
/// [`DatabaseError`].
pub async fn reading_of(database: &Database, conversation: &Conversation) -> Result<Reading, DatabaseError> {
    let conversation = conversation.clone();
    database
        .read(async move |connection| {
            Ok::<_, DbErr>(load_readings(&connection, std::slice::from_ref(&conversation)).await?.of(&conversation))
        })
        .await
}

/// The `seq` of the last visible message at or before a position.
///
/// # Errors
/// [`DatabaseError`].
pub async fn seq_at(database: &Database, id: ConversationId, position: i64) -> Result<i64, DatabaseError> {
    use messages::Column;
    database
        .read(async move |connection| {
            let seq: Option<Option<i64>> = messages::Entity::find()
                .select_only()
                .column(Column::Seq)
                .filter(Column::ConversationId.eq(id.0))
                .filter(Column::Position.lte(position))
                .filter(Column::Position.gt(position.saturating_sub(MAX_UNREAD)))
                .filter(Column::Seq.is_not_null())
                .order_by_desc(Column::Position)
                .limit(1)
                .into_tuple()
                .one(&connection)
                .await?;
            Ok::<_, DbErr>(seq.flatten().unwrap_or_default())
        })
        .await
}

/// One row for each conversation. A message with `seq` n is at position n or later, so what is after a mark is found by
/// position. What a side wrote is searched from the end, [`MAX_UNREAD`] events at most. A note does not count: the customer
/// sees the agents' mark.
fn query(backend: Backend, ids: usize) -> String {
    let (greatest, placeholders): (_, Vec<String>) = match backend {
        Backend::Postgres => ("GREATEST", (1..=ids).map(|number| format!("${number}")).collect()),
        Backend::Sqlite => ("MAX", vec!["?".to_owned(); ids]),
    };
    let placeholders = placeholders.join(", ");
    let help_center = Channel::HelpCenter.as_str();
    format!(
        "WITH own AS (
            SELECT c.id, c.channel, c.last_seq,
                COALESCE((
                    SELECT m.seq FROM messages m
                    WHERE m.conversation_id = c.id AND m.position > c.version - {MAX_UNREAD} AND m.is_from_user
                    ORDER BY m.position DESC LIMIT 1
                ), 0) AS customer_own,
                COALESCE((
                    SELECT m.seq FROM messages m
                    WHERE m.conversation_id = c.id AND m.position > c.version - {MAX_UNREAD} AND m.seq IS NOT NULL
                        AND NOT m.is_from_user AND m.sender <> 'auto-reply'
                    ORDER BY m.position DESC LIMIT 1
                ), 0) AS agent_own,
                COALESCE(r.customer_seq, 0) AS customer_mark, COALESCE(r.agent_seq, 0) AS agent_mark
            FROM conversations c LEFT JOIN read_marks r ON r.conversation_id = c.id
            WHERE c.id IN ({placeholders})
        ),
        reading AS (
            SELECT id, channel, last_seq, {greatest}(customer_own, customer_mark) AS customer,
                {greatest}(agent_own, agent_mark) AS agent
            FROM own
        )
        SELECT id, last_seq, customer, agent,
            CASE WHEN channel = '{help_center}' THEN (
                SELECT count(*) FROM (
                    SELECT 1 FROM messages m
                    WHERE m.conversation_id = reading.id AND m.position > reading.agent AND m.seq > reading.agent
                        AND m.is_from_user
                    LIMIT {MAX_UNREAD}
                ) AS unread
            ) END AS counted
        FROM reading"
    )
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    last_seq: i64,
    customer: i64,
    agent: i64,
    /// Only in the help center, where not all messages after the agents' mark are the customer's: auto-replies are not.
    counted: Option<i64>,
}

/// How far these conversations have been read.
pub(super) async fn load_readings(
    connection: &DatabaseConnection,
    conversations: &[Conversation],
) -> Result<Readings, DbErr> {
    if conversations.is_empty() {
        return Ok(Readings::default());
    }
    let backend = connection.get_database_backend();
    let kind = match backend {
        sea_orm::DbBackend::Postgres => Backend::Postgres,
        _ => Backend::Sqlite,
    };
    let ids = conversations.iter().map(|conversation| Value::from(conversation.id.0));
    let statement = Statement::from_sql_and_values(backend, query(kind, conversations.len()), ids);
    let rows = Row::find_by_statement(statement).all(connection).await?;
    let reading = |row: Row| {
        // A mark may be ahead of what else the page shows, which was read before it.
        let unread = |mark: i64| (row.last_seq - mark).clamp(0, MAX_UNREAD);
        let unread_by_agents = row.counted.unwrap_or_else(|| unread(row.agent));
        let unread_by_customer = unread(row.customer);
        (row.id, Reading { customer: row.customer, agent: row.agent, unread_by_customer, unread_by_agents })
    };
    Ok(Readings(rows.into_iter().map(reading).collect()))
}
