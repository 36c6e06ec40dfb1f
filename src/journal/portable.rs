//! Commits a batch as one statement after another in one transaction, on any database: every batch on SQLite; on
//! PostgreSQL those that write tickets and their numbers, handovers, or the counter of closed conversations. These are
//! rare compared with messages, which take one statement (`postgres`).
//!
//! On SQLite the transaction holds the write lock from its beginning. On PostgreSQL every server locks rows in the same
//! order: ticket numbers by year, conversations by id, what belongs to them, the counter of closed conversations.

use std::collections::{BTreeMap, HashSet};

use chrono::Datelike;
use entity::{closed_counters, conversation_events, conversations, handovers, messages, ticket_numbers, tickets};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::time::timeout;

use super::batch::{Batch, ConversationBatch};
use crate::database::{Database, DatabaseError};
use crate::domain::{Change, Channel, Conversation, ConversationId, Event, TicketNumber};
use crate::event_codec::{EventRow, encode, encode_conversation, encode_handover, encode_ticket};
use crate::failpoints;

/// Rows per statement: SQLite takes 32 766 values, and a message has 14.
const ROWS_PER_STATEMENT: usize = 2000;

/// Shards of the counter of closed conversations: about as many servers count without waiting for each other.
const SHARDS: i32 = 64;

/// What a writer needs to move counters that conversations share.
pub(super) struct SharedCounters {
    /// What ticket numbers begin with.
    ticket_prefix: String,
    /// This writer's shard of the counter of closed conversations.
    closed_shard: i32,
}

impl SharedCounters {
    pub(super) fn new(ticket_prefix: &str) -> Self {
        Self { ticket_prefix: ticket_prefix.to_owned(), closed_shard: rand::random_range(0..SHARDS) }
    }
}

/// Commits a batch. Gives the conversations that passed their fence.
pub(super) async fn commit(
    database: &Database,
    batch: &Batch,
    shared: &SharedCounters,
) -> Result<HashSet<ConversationId>, DatabaseError> {
    let limit = database.timeout();
    let transaction = timeout(limit, transaction(database.writes(), batch, shared));
    let (committed, numbers) = transaction.await.unwrap_or(Err(DatabaseError::TimedOut(limit)))?;
    for (ticket, number) in numbers {
        ticket.assign(number);
    }
    Ok(committed)
}

/// Ticket numbers that the transaction assigns; the tickets get them after the commit.
type Numbers = Vec<(TicketNumber, String)>;

async fn transaction(
    connection: &DatabaseConnection,
    batch: &Batch,
    shared: &SharedCounters,
) -> Result<(HashSet<ConversationId>, Numbers), DatabaseError> {
    let transaction = begin(connection.clone()).await?;
    let mut ticket_numbers = TicketNumbers::lock(&transaction, batch).await?;
    let duplicates = duplicates(&transaction, batch).await?;
    let mut committed = HashSet::new();
    let mut rows = Rows::default();
    let mut numbers = Numbers::new();
    let mut closed = 0;
    for (conversation, batch) in &batch.conversations {
        let Some(state) = batch.state() else { continue };
        if duplicates.contains(conversation) || !store_conversation(&transaction, batch, state).await? {
            continue;
        }
        committed.insert(*conversation);
        rows.add(batch);
        closed += closed_delta(batch, state);
        store_handovers(&transaction, batch).await?;
        store_ticket(&transaction, batch, state, |year| {
            let number = format!("{}-{year}-{:06}", shared.ticket_prefix, ticket_numbers.next(year));
            if let Some(ticket) = &state.ticket {
                numbers.push((ticket.number.clone(), number.clone()));
            }
            number
        })
        .await?;
    }
    rows.insert(&transaction).await?;
    ticket_numbers.store(&transaction).await?;
    add_to_closed_counter(&transaction, shared.closed_shard, closed).await?;
    transaction.commit().await?;
    Ok((committed, numbers))
}

/// Begins a transaction in a task of its own, which also ends when its caller has stopped waiting.
///
/// sqlx counts a transaction only when its `BEGIN` is answered. A `BEGIN` that is dropped before would leave the
/// transaction open on a connection of the pool: what is committed there later is acknowledged and never stored. The
/// transaction that the task begins too late is dropped with its result, which rolls it back.
async fn begin(connection: DatabaseConnection) -> Result<DatabaseTransaction, DatabaseError> {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let begun = tokio::spawn(async move { connection.begin_with_options(options).await });
    Ok(begun.await.map_err(|error| DatabaseError::Fault(error.to_string()))??)
}

/// Messages and other events of all committed conversations.
#[derive(Default)]
struct Rows {
    messages: Vec<messages::ActiveModel>,
    events: Vec<conversation_events::ActiveModel>,
}

impl Rows {
    fn add(&mut self, batch: &ConversationBatch) {
        for event in batch.events() {
            match encode(event) {
                EventRow::Message(message) => self.messages.push(message.into_active_model()),
                EventRow::Other(event) => self.events.push(event.into_active_model()),
            }
        }
    }

    async fn insert(self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        for rows in self.messages.chunks(ROWS_PER_STATEMENT) {
            messages::Entity::insert_many(rows.iter().cloned()).exec_without_returning(transaction).await?;
        }
        for rows in self.events.chunks(ROWS_PER_STATEMENT) {
            conversation_events::Entity::insert_many(rows.iter().cloned()).exec_without_returning(transaction).await?;
        }
        Ok(())
    }
}

/// The last ticket numbers, stored and assigned, of the years that the batch needs. Their rows are locked until the
/// transaction ends, so no number is skipped: not by a conversation that fails its fence, nor by a transaction that fails.
struct TicketNumbers(BTreeMap<i32, (i64, i64)>);

impl TicketNumbers {
    async fn lock(transaction: &DatabaseTransaction, batch: &Batch) -> Result<Self, DbErr> {
        let mut years = BTreeMap::new();
        for event in batch.conversations.values().flat_map(ConversationBatch::events) {
            if matches!(event.change, Change::TicketCreated(_)) {
                years.insert(event.at.year(), (0, 0));
            }
        }
        for (year, last) in &mut years {
            let first = ticket_numbers::ActiveModel { year: Set(*year), last: Set(0) };
            ticket_numbers::Entity::insert(first)
                .on_conflict(OnConflict::column(ticket_numbers::Column::Year).do_nothing().to_owned())
                .exec_without_returning(transaction)
                .await?;
            let counter = ticket_numbers::Entity::find_by_id(*year).lock_exclusive().one(transaction).await?;
            let stored = counter.map_or(0, |counter| counter.last);
            *last = (stored, stored);
        }
        Ok(Self(years))
    }

    fn next(&mut self, year: i32) -> i64 {
        let (_, last) = self.0.entry(year).or_default();
        *last += 1;
        *last
    }

    async fn store(self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        for (year, (stored, last)) in self.0 {
            if last > stored {
                let row = ticket_numbers::ActiveModel { year: Set(year), last: Set(last) };
                ticket_numbers::Entity::update(row).exec(transaction).await?;
            }
        }
        Ok(())
    }
}

/// The conversations in which a `client_message_id` is used that its sender has used before.
async fn duplicates(transaction: &DatabaseTransaction, batch: &Batch) -> Result<HashSet<ConversationId>, DbErr> {
    let mut duplicates = HashSet::new();
    for (conversation, batch) in &batch.conversations {
        for key in batch.idempotency_keys() {
            let used: Option<Uuid> = messages::Entity::find()
                .select_only()
                .column(messages::Column::Id)
                .filter(messages::Column::Sender.eq(key.sender))
                .filter(messages::Column::ClientMessageId.eq(key.client_message_id.as_str()))
                .into_tuple()
                .one(transaction)
                .await?;
            if used.is_some() {
                duplicates.insert(*conversation);
            }
        }
    }
    Ok(duplicates)
}

/// Inserts the conversation's row, or updates it if its version is the expected one. Gives whether it did.
async fn store_conversation(
    transaction: &DatabaseTransaction,
    batch: &ConversationBatch,
    state: &Conversation,
) -> Result<bool, DbErr> {
    let row = encode_conversation(state);
    if batch.expected_version() == 0 {
        let inserted = conversations::Entity::insert(row.into_active_model())
            // Its id is used, or it would be its account's second one in the help center.
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(transaction)
            .await?;
        return Ok(inserted == 1);
    }
    let id = row.id;
    let updated = conversations::Entity::update_many()
        .set(variable_columns(row))
        .filter(conversations::Column::Id.eq(id))
        .filter(failpoints::condition(conversations::Column::Version.eq(batch.expected_version())))
        .exec(transaction)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// The columns that events change. Those that describe the conversation's origin never change, but for its owner.
fn variable_columns(row: conversations::Model) -> conversations::ActiveModel {
    conversations::ActiveModel {
        user_id: Set(row.user_id),
        guest_email: Set(row.guest_email),
        status: Set(row.status),
        assigned_to: Set(row.assigned_to),
        assigned_name: Set(row.assigned_name),
        assigned_at: Set(row.assigned_at),
        version: Set(row.version),
        last_seq: Set(row.last_seq),
        message_count: Set(row.message_count),
        last_message: Set(row.last_message),
        last_message_is_from_user: Set(row.last_message_is_from_user),
        last_message_sender_name: Set(row.last_message_sender_name),
        last_message_at: Set(row.last_message_at),
        rating: Set(row.rating),
        feedback: Set(row.feedback),
        is_rating_replaceable: Set(row.is_rating_replaceable),
        ticket_id: Set(row.ticket_id),
        pending_handover_id: Set(row.pending_handover_id),
        updated_at: Set(row.updated_at),
        last_event_at: Set(row.last_event_at),
        ..Default::default()
    }
}

/// In order of events: a conversation has at most one pending handover, and a batch may resolve one and request the next.
async fn store_handovers(transaction: &DatabaseTransaction, batch: &ConversationBatch) -> Result<(), DbErr> {
    for event in batch.events() {
        match &event.change {
            Change::HandoverRequested { handover, is_target_online } => {
                let row = encode_handover(event, handover, *is_target_online).into_active_model();
                handovers::Entity::insert(row).exec_without_returning(transaction).await?;
            }
            Change::HandoverResolved { handover, resolution, .. } => {
                let resolved = handovers::ActiveModel {
                    id: Set(handover.id.0),
                    status: Set(resolution.as_str().to_owned()),
                    responded_at: Set(Some(event.at)),
                    resolution: Set(resolution.rejection().map(ToOwned::to_owned)),
                    ..Default::default()
                };
                handovers::Entity::update(resolved).exec(transaction).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Stores the ticket as it is after the batch; a new one gets its number.
async fn store_ticket(
    transaction: &DatabaseTransaction,
    batch: &ConversationBatch,
    state: &Conversation,
    number: impl FnOnce(i32) -> String,
) -> Result<(), DbErr> {
    let Some(ticket) = &state.ticket else { return Ok(()) };
    let mut row = encode_ticket(state, ticket);
    let creation = batch.events().find(|event| matches!(event.change, Change::TicketCreated(_)));
    if let Some(creation) = creation {
        row.ticket_number = number(creation.at.year());
        tickets::Entity::insert(row.into_active_model()).exec_without_returning(transaction).await?;
    } else if !batch.is_plain() {
        let mut row = row.into_active_model().reset_all();
        row.ticket_number = NotSet;
        tickets::Entity::update(row).exec(transaction).await?;
    }
    Ok(())
}

/// By how much the batch changes the number of closed conversations. The thread of a standalone ticket does not count.
fn closed_delta(batch: &ConversationBatch, state: &Conversation) -> i64 {
    if state.channel == Channel::Ticket {
        return 0;
    }
    let delta = |event: &Event| match event.change {
        Change::Closed { .. } => 1,
        Change::Reopened(_) | Change::ReopenedByAgent(_) => -1,
        _ => 0,
    };
    batch.events().map(delta).sum()
}

async fn add_to_closed_counter(transaction: &DatabaseTransaction, shard: i32, closed: i64) -> Result<(), DbErr> {
    if closed == 0 {
        return Ok(());
    }
    let add = OnConflict::column(closed_counters::Column::Shard)
        .value(
            closed_counters::Column::Closed,
            Expr::col((closed_counters::Entity, closed_counters::Column::Closed)).add(closed),
        )
        .to_owned();
    closed_counters::Entity::insert(closed_counters::ActiveModel { shard: Set(shard), closed: Set(closed) })
        .on_conflict(add)
        .exec_without_returning(transaction)
        .await
        .map(|_| ())
}
