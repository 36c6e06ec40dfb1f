//! Commits a batch on PostgreSQL in one statement: one round trip and one commit, whatever its size.
//!
//! Each column is one array parameter, so one prepared statement serves every size of batch. The arrays are the driver's:
//! SeaORM's values have no arrays with nulls.

use std::collections::HashSet;
use std::time::Duration;

use entity::{conversation_events, conversations, messages};
use sea_orm::prelude::Uuid;
use sea_orm::sqlx;
use sea_orm::sqlx::Postgres;
use sea_orm::sqlx::pool::PoolConnection;
use tokio::time::{Instant, timeout};

use super::batch::Batch;
use crate::database::{Database, DatabaseError};
use crate::domain::{ConversationId, IdempotencyKey};
use crate::event_codec::{EventRow, encode, encode_conversation};
use crate::failpoints;

/// What each query of it does:
/// - `batch`: a row for each conversation, with its columns as they are to be and the version that must be stored now.
/// - `duplicates`: conversations in which a `client_message_id` is used that its sender has used before.
/// - `locked`: the existing conversations whose version is the expected one, their rows locked. Every server locks in
///   the order of ids, so that two of them cannot deadlock. A row that another transaction has locked is waited for, and
///   its version is then compared again.
/// - `updated` and `inserted`: rows changed and created. `committed`: both; what is missing in it met a conflict.
/// - `messages_inserted` and `events_inserted`: the events of committed conversations. Messages are inserted in the
///   order of their idempotency keys on every server, as an insert waits for another server's one of the same key.
///
/// `batch` and its descendants are never joined with each other: hash joins are off for writes (`database`), so that
/// would be a nested loop. `IS TRUE` keeps the planner from turning the subquery over `committed` into such a join.
const COMMIT: &str = "
WITH batch AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::timestamptz[], $11::int8[], $12::int8[], $13::int8[], $14::text[], $15::bool[], $16::text[],
        $17::timestamptz[], $18::int2[], $19::text[], $20::text[], $21::text[], $22::text[], $23::timestamptz[],
        $24::timestamptz[], $25::timestamptz[]
    ) AS batch (
        id, expected_version, channel, user_id, email, phone_number, status, assigned_to, assigned_name,
        assigned_at, version, last_seq, message_count, last_message, last_message_is_from_user,
        last_message_sender_name, last_message_at, rating, feedback, device_metadata, ip_address, user_agent,
        created_at, updated_at, last_event_at
    )
),
duplicates AS (
    SELECT used.conversation_id
    FROM unnest($26::uuid[], $27::text[], $28::text[]) AS used (conversation_id, sender, client_message_id)
    JOIN messages ON messages.sender = used.sender AND messages.client_message_id = used.client_message_id
),
locked AS (
    SELECT batch.*
    FROM conversations
    JOIN batch ON batch.id = conversations.id AND batch.expected_version = conversations.version
    WHERE conversations.id NOT IN (SELECT conversation_id FROM duplicates)
    ORDER BY conversations.id
    FOR UPDATE OF conversations
),
updated AS (
    UPDATE conversations SET
        status = locked.status, assigned_to = locked.assigned_to, assigned_name = locked.assigned_name,
        assigned_at = locked.assigned_at, version = locked.version, last_seq = locked.last_seq,
        message_count = locked.message_count, last_message = locked.last_message,
        last_message_is_from_user = locked.last_message_is_from_user,
        last_message_sender_name = locked.last_message_sender_name, last_message_at = locked.last_message_at,
        rating = locked.rating, feedback = locked.feedback, updated_at = locked.updated_at,
        last_event_at = locked.last_event_at
    FROM locked
    WHERE conversations.id = locked.id AND conversations.version = locked.expected_version
    RETURNING conversations.id
),
inserted AS (
    INSERT INTO conversations (
        id, channel, user_id, email, phone_number, status, assigned_to, assigned_name, assigned_at, version, last_seq,
        message_count, last_message, last_message_is_from_user, last_message_sender_name, last_message_at, rating,
        feedback, device_metadata, ip_address, user_agent, created_at, updated_at, last_event_at
    )
    SELECT
        id, channel, user_id, email, phone_number, status, assigned_to, assigned_name, assigned_at, version, last_seq,
        message_count, last_message, last_message_is_from_user, last_message_sender_name, last_message_at, rating,
        feedback, device_metadata::json, ip_address, user_agent, created_at, updated_at, last_event_at
    FROM batch
    WHERE expected_version = 0 AND id NOT IN (SELECT conversation_id FROM duplicates)
    ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING id
),
committed AS (
    SELECT id FROM updated UNION ALL SELECT id FROM inserted
),
messages_inserted AS (
    INSERT INTO messages (
        conversation_id, position, id, seq, body, is_internal, is_from_user, sender, sender_id, sender_name,
        sender_email, sender_phone_number, client_message_id, created_at
    )
    SELECT message.*
    FROM unnest(
        $29::uuid[], $30::int8[], $31::uuid[], $32::int8[], $33::text[], $34::bool[], $35::bool[], $36::text[],
        $37::text[], $38::text[], $39::text[], $40::text[], $41::text[], $42::timestamptz[]
    ) AS message (
        conversation_id, position, id, seq, body, is_internal, is_from_user, sender, sender_id, sender_name,
        sender_email, sender_phone_number, client_message_id, created_at
    )
    WHERE (message.conversation_id IN (SELECT id FROM committed)) IS TRUE
    ORDER BY message.sender, message.client_message_id
),
events_inserted AS (
    INSERT INTO conversation_events (
        conversation_id, position, id, type, actor_id, actor_name, data, detail, created_at
    )
    SELECT event.conversation_id, event.position, event.id, event.type, event.actor_id, event.actor_name,
        event.data::json, event.detail::json, event.created_at
    FROM unnest(
        $43::uuid[], $44::int8[], $45::uuid[], $46::text[], $47::text[], $48::text[], $49::text[], $50::text[],
        $51::timestamptz[]
    ) AS event (conversation_id, position, id, type, actor_id, actor_name, data, detail, created_at)
    WHERE (event.conversation_id IN (SELECT id FROM committed)) IS TRUE
)
SELECT id FROM committed";

/// How long an idle connection is used without a test; after that the pool tests it.
const MAX_IDLE: Duration = Duration::from_secs(1);

/// A writer's connection, kept from one batch to the next. The pool would rotate through all of its connections, none
/// of them warm, and test each one.
pub(super) struct ConnectionCache {
    /// The connection, and when it was last used.
    cached: Option<(PoolConnection<Postgres>, Instant)>,
    /// See [`MAX_IDLE`].
    max_idle: Duration,
}

impl Default for ConnectionCache {
    fn default() -> Self {
        Self::with_max_idle(MAX_IDLE)
    }
}

impl ConnectionCache {
    /// An empty cache whose connection is tested after being idle for this long.
    pub(super) const fn with_max_idle(max_idle: Duration) -> Self {
        Self { cached: None, max_idle }
    }

    /// The cached connection, or one from the pool.
    async fn take(&mut self, database: &Database) -> Result<PoolConnection<Postgres>, DatabaseError> {
        if let Some((connection, used)) = self.cached.take()
            && used.elapsed() < self.max_idle
        {
            return Ok(connection);
        }
        // The old connection has been dropped, which returns it to the pool. If the pool has no other, we get it, tested.
        let pool = database.writes().get_postgres_connection_pool();
        pool.acquire().await.map_err(|error| DatabaseError::from(&error))
    }

    fn keep(&mut self, connection: PoolConnection<Postgres>) {
        self.cached = Some((connection, Instant::now()));
    }
}

/// Commits a batch. Gives the conversations that passed their fence.
pub(super) async fn commit(
    database: &Database,
    cache: &mut ConnectionCache,
    batch: &Batch,
) -> Result<HashSet<ConversationId>, DatabaseError> {
    let rows = Rows::of(batch);
    let mut connection = cache.take(database).await?;
    let ids: Vec<Uuid> = match timeout(database.timeout(), rows.bind().fetch_all(&mut *connection)).await {
        Ok(ids) => ids.map_err(|error| DatabaseError::from(&error))?,
        Err(_) => {
            // The pool would test it without a time limit, and its peer may be unreachable.
            connection.close_on_drop();
            return Err(DatabaseError::TimedOut(database.timeout()));
        }
    };
    cache.keep(connection);
    Ok(ids.into_iter().map(ConversationId).collect())
}

/// A batch by table.
#[derive(Default)]
struct Rows {
    conversations: Vec<(i64, conversations::Model)>,
    keys: Vec<(Uuid, IdempotencyKey)>,
    messages: Vec<messages::Model>,
    events: Vec<conversation_events::Model>,
}

type Query<'a> = sqlx::query::QueryScalar<'a, Postgres, Uuid, sqlx::postgres::PgArguments>;

impl Rows {
    fn of(batch: &Batch) -> Self {
        let mut rows = Self::default();
        for (conversation, batch) in &batch.conversations {
            let Some(state) = batch.state() else { continue };
            rows.conversations.push((batch.expected_version(), encode_conversation(state)));
            rows.keys.extend(batch.idempotency_keys().map(|key| (conversation.0, key)));
            for event in batch.events() {
                match encode(event) {
                    EventRow::Message(message) => rows.messages.push(message),
                    EventRow::Other(event) => rows.events.push(event),
                }
            }
        }
        rows
    }

    fn bind(&self) -> Query<'_> {
        let query = self.bind_conversations(sqlx::query_scalar(failpoints::statement(COMMIT)));
        let query = query
            .bind(self.keys.iter().map(|(conversation, _)| *conversation).collect::<Vec<_>>())
            .bind(self.keys.iter().map(|(_, key)| key.sender.as_str()).collect::<Vec<_>>())
            .bind(self.keys.iter().map(|(_, key)| key.client_message_id.as_str()).collect::<Vec<_>>());
        self.bind_events(self.bind_messages(query))
    }

    fn bind_conversations<'a>(&'a self, query: Query<'a>) -> Query<'a> {
        let column = Column(&self.conversations);
        query
            .bind(column.of(|(_, row)| row.id))
            .bind(column.of(|(expected_version, _)| *expected_version))
            .bind(column.of(|(_, row)| row.channel.as_str()))
            .bind(column.of(|(_, row)| row.user_id.as_deref()))
            .bind(column.of(|(_, row)| row.email.as_deref()))
            .bind(column.of(|(_, row)| row.phone_number.as_deref()))
            .bind(column.of(|(_, row)| row.status.as_str()))
            .bind(column.of(|(_, row)| row.assigned_to.as_deref()))
            .bind(column.of(|(_, row)| row.assigned_name.as_deref()))
            .bind(column.of(|(_, row)| row.assigned_at))
            .bind(column.of(|(_, row)| row.version))
            .bind(column.of(|(_, row)| row.last_seq))
            .bind(column.of(|(_, row)| row.message_count))
            .bind(column.of(|(_, row)| row.last_message.as_deref()))
            .bind(column.of(|(_, row)| row.last_message_is_from_user))
            .bind(column.of(|(_, row)| row.last_message_sender_name.as_deref()))
            .bind(column.of(|(_, row)| row.last_message_at))
            .bind(column.of(|(_, row)| row.rating))
            .bind(column.of(|(_, row)| row.feedback.as_deref()))
            .bind(column.of(|(_, row)| row.device_metadata.as_ref().map(ToString::to_string)))
            .bind(column.of(|(_, row)| row.ip_address.as_deref()))
            .bind(column.of(|(_, row)| row.user_agent.as_deref()))
            .bind(column.of(|(_, row)| row.created_at))
            .bind(column.of(|(_, row)| row.updated_at))
            .bind(column.of(|(_, row)| row.last_event_at))
    }

    fn bind_messages<'a>(&'a self, query: Query<'a>) -> Query<'a> {
        let column = Column(&self.messages);
        query
            .bind(column.of(|row| row.conversation_id))
            .bind(column.of(|row| row.position))
            .bind(column.of(|row| row.id))
            .bind(column.of(|row| row.seq))
            .bind(column.of(|row| row.body.as_str()))
            .bind(column.of(|row| row.is_internal))
            .bind(column.of(|row| row.is_from_user))
            .bind(column.of(|row| row.sender.as_str()))
            .bind(column.of(|row| row.sender_id.as_deref()))
            .bind(column.of(|row| row.sender_name.as_deref()))
            .bind(column.of(|row| row.sender_email.as_deref()))
            .bind(column.of(|row| row.sender_phone_number.as_deref()))
            .bind(column.of(|row| row.client_message_id.as_deref()))
            .bind(column.of(|row| row.created_at))
    }

    fn bind_events<'a>(&'a self, query: Query<'a>) -> Query<'a> {
        let column = Column(&self.events);
        query
            .bind(column.of(|row| row.conversation_id))
            .bind(column.of(|row| row.position))
            .bind(column.of(|row| row.id))
            .bind(column.of(|row| row.kind.as_str()))
            .bind(column.of(|row| row.actor_id.as_deref()))
            .bind(column.of(|row| row.actor_name.as_deref()))
            .bind(column.of(|row| row.data.to_string()))
            .bind(column.of(|row| row.detail.as_ref().map(ToString::to_string)))
            .bind(column.of(|row| row.created_at))
    }
}

/// Gives rows as columns.
struct Column<'a, Row>(&'a [Row]);

impl<'a, Row> Column<'a, Row> {
    fn of<Value>(&self, value: impl Fn(&'a Row) -> Value) -> Vec<Value> {
        self.0.iter().map(value).collect()
    }
}
