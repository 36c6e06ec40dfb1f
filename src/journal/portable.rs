//! A batch step by step, in one transaction: every batch on SQLite; on PostgreSQL what touches more than the
//! conversation's own tables — tickets and their numbers, handovers, the tally of closed ones. Such things are rare
//! beside messages, which go in one statement: see `postgres`.
//!
//! On SQLite the transaction holds the write lock from its beginning. On PostgreSQL rows are locked in one order on
//! every server: the counters of ticket numbers, the conversations by id, what belongs to them, the tally.

use std::collections::{BTreeMap, HashSet};

use chrono::Datelike;
use entity::{conversation_events, conversations, handovers, messages, tallies, ticket_counters, tickets};
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

/// Rows in one statement: SQLite takes 32 766 values, and a message has 14.
const ROWS_A_STATEMENT: usize = 2000;

/// Shares of the tally: as many servers close conversations without waiting for each other.
const SHARES: i32 = 64;

/// How tickets are numbered, and which share of the tally a writer moves.
pub(super) struct Numbering {
    prefix: String,
    share: i32,
}

impl Numbering {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), share: rand::random_range(0..SHARES) }
    }
}

/// Stores a batch; the answer names the conversations whose part passed its fence.
pub(super) async fn commit(
    database: &Database,
    batch: &Batch,
    numbering: &Numbering,
) -> Result<HashSet<ConversationId>, DatabaseError> {
    let limit = database.timeout();
    let stored = timeout(limit, transaction(database.writes(), batch, numbering));
    let (passed, numbers) = stored.await.unwrap_or(Err(DatabaseError::TimedOut(limit)))?;
    for (ticket, number) in numbers {
        ticket.give(number);
    }
    Ok(passed)
}

type Numbers = Vec<(TicketNumber, String)>;

async fn transaction(
    connection: &DatabaseConnection,
    batch: &Batch,
    numbering: &Numbering,
) -> Result<(HashSet<ConversationId>, Numbers), DatabaseError> {
    let immediately =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let transaction = connection.begin_with_options(immediately).await?;
    let mut counters = Counters::hold(&transaction, batch).await?;
    let taken = taken(&transaction, batch).await?;
    let mut passed = HashSet::new();
    let mut rows = Rows::default();
    let mut numbers = Numbers::new();
    let mut closed = 0;
    for (conversation, part) in &batch.parts {
        let Some(state) = part.state() else { continue };
        if taken.contains(conversation) || !pass(&transaction, part, state).await? {
            continue;
        }
        passed.insert(*conversation);
        rows.take(part);
        closed += newly_closed(part, state);
        store_handovers(&transaction, part).await?;
        store_ticket(&transaction, part, state, |year| {
            let number = format!("{}-{year}-{:06}", numbering.prefix, counters.next(year));
            if let Some(ticket) = &state.ticket {
                numbers.push((ticket.number.clone(), number.clone()));
            }
            number
        })
        .await?;
    }
    rows.insert(&transaction).await?;
    counters.store(&transaction).await?;
    move_tally(&transaction, numbering.share, closed).await?;
    transaction.commit().await?;
    Ok((passed, numbers))
}

/// Messages and other events of all parts that passed.
#[derive(Default)]
struct Rows {
    messages: Vec<messages::ActiveModel>,
    events: Vec<conversation_events::ActiveModel>,
}

impl Rows {
    fn take(&mut self, part: &ConversationBatch) {
        for event in part.events() {
            match encode(event) {
                EventRow::Message(message) => self.messages.push(message.into_active_model()),
                EventRow::Other(event) => self.events.push(event.into_active_model()),
            }
        }
    }

    async fn insert(self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        for rows in self.messages.chunks(ROWS_A_STATEMENT) {
            messages::Entity::insert_many(rows.iter().cloned()).exec_without_returning(transaction).await?;
        }
        for rows in self.events.chunks(ROWS_A_STATEMENT) {
            conversation_events::Entity::insert_many(rows.iter().cloned()).exec_without_returning(transaction).await?;
        }
        Ok(())
    }
}

/// The last ticket numbers of the years that the batch needs, locked until the transaction ends. A number that a part
/// does not come to use is not taken, and a transaction that fails takes none.
struct Counters(BTreeMap<i32, (i64, i64)>);

impl Counters {
    async fn hold(transaction: &DatabaseTransaction, batch: &Batch) -> Result<Self, DbErr> {
        let mut years = BTreeMap::new();
        for event in batch.parts.values().flat_map(ConversationBatch::events) {
            if matches!(event.change, Change::TicketCreated(_)) {
                years.insert(event.at.year(), (0, 0));
            }
        }
        for (year, last) in &mut years {
            let first = ticket_counters::ActiveModel { year: Set(*year), last: Set(0) };
            ticket_counters::Entity::insert(first)
                .on_conflict(OnConflict::column(ticket_counters::Column::Year).do_nothing().to_owned())
                .exec_without_returning(transaction)
                .await?;
            let counter = ticket_counters::Entity::find_by_id(*year).lock_exclusive().one(transaction).await?;
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
                let moved = ticket_counters::ActiveModel { year: Set(year), last: Set(last) };
                ticket_counters::Entity::update(moved).exec(transaction).await?;
            }
        }
        Ok(())
    }
}

/// The conversations in which a `client_message_id` is used that its sender has used before.
async fn taken(transaction: &DatabaseTransaction, batch: &Batch) -> Result<HashSet<ConversationId>, DbErr> {
    let mut taken = HashSet::new();
    for (conversation, part) in &batch.parts {
        for key in part.send_keys() {
            let used: Option<Uuid> = messages::Entity::find()
                .select_only()
                .column(messages::Column::Id)
                .filter(messages::Column::Sender.eq(key.sender))
                .filter(messages::Column::ClientMessageId.eq(key.client_message_id.as_str()))
                .into_tuple()
                .one(transaction)
                .await?;
            if used.is_some() {
                taken.insert(*conversation);
            }
        }
    }
    Ok(taken)
}

/// Makes the conversation's row, or moves it on where its version is what was expected; false where it is not.
async fn pass(
    transaction: &DatabaseTransaction,
    part: &ConversationBatch,
    state: &Conversation,
) -> Result<bool, DbErr> {
    let row = encode_conversation(state);
    if part.expected_version() == 0 {
        let made = conversations::Entity::insert(row.into_active_model())
            // Its id is taken, or it would be the second one of its account in the help center.
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(transaction)
            .await?;
        return Ok(made == 1);
    }
    let id = row.id;
    let moved = conversations::Entity::update_many()
        .set(changed(row))
        .filter(conversations::Column::Id.eq(id))
        .filter(failpoints::condition(conversations::Column::Version.eq(part.expected_version())))
        .exec(transaction)
        .await?;
    Ok(moved.rows_affected == 1)
}

/// The columns that events change; how a conversation began stays as it is.
fn changed(row: conversations::Model) -> conversations::ActiveModel {
    conversations::ActiveModel {
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
        ticket_id: Set(row.ticket_id),
        pending_handover_id: Set(row.pending_handover_id),
        updated_at: Set(row.updated_at),
        last_event_at: Set(row.last_event_at),
        ..Default::default()
    }
}

/// In order of events: of a conversation one alone may wait, and another may be asked for behind an answer.
async fn store_handovers(transaction: &DatabaseTransaction, part: &ConversationBatch) -> Result<(), DbErr> {
    for event in part.events() {
        match &event.change {
            Change::HandoverRequested(handover) => {
                let row = encode_handover(event, handover).into_active_model();
                handovers::Entity::insert(row).exec_without_returning(transaction).await?;
            }
            Change::HandoverResolved { handover, resolution, .. } => {
                let resolved = handovers::ActiveModel {
                    id: Set(handover.id.0),
                    status: Set(resolution.as_str().to_owned()),
                    responded_at: Set(Some(event.at)),
                    ..Default::default()
                };
                handovers::Entity::update(resolved).exec(transaction).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes the ticket as it is behind the part; a new one gets its number.
async fn store_ticket(
    transaction: &DatabaseTransaction,
    part: &ConversationBatch,
    state: &Conversation,
    number: impl FnOnce(i32) -> String,
) -> Result<(), DbErr> {
    let Some(ticket) = &state.ticket else { return Ok(()) };
    let mut row = encode_ticket(state, ticket);
    let creation = part.events().find(|event| matches!(event.change, Change::TicketCreated(_)));
    if let Some(creation) = creation {
        row.ticket_number = number(creation.at.year());
        tickets::Entity::insert(row.into_active_model()).exec_without_returning(transaction).await?;
    } else if !part.is_plain() {
        let mut row = row.into_active_model().reset_all();
        row.ticket_number = NotSet;
        tickets::Entity::update(row).exec(transaction).await?;
    }
    Ok(())
}

/// How many more conversations are closed than were before the part, or how many fewer; a ticket's own thread does not
/// count.
fn newly_closed(part: &ConversationBatch, state: &Conversation) -> i64 {
    if state.channel == Channel::Ticket {
        return 0;
    }
    let moves = |event: &Event| match event.change {
        Change::Closed(_) => 1,
        Change::Reopened(_) => -1,
        _ => 0,
    };
    part.events().map(moves).sum()
}

async fn move_tally(transaction: &DatabaseTransaction, share: i32, closed: i64) -> Result<(), DbErr> {
    if closed == 0 {
        return Ok(());
    }
    let moved = OnConflict::column(tallies::Column::Share)
        .value(tallies::Column::Closed, Expr::col((tallies::Entity, tallies::Column::Closed)).add(closed))
        .to_owned();
    tallies::Entity::insert(tallies::ActiveModel { share: Set(share), closed: Set(closed) })
        .on_conflict(moved)
        .exec_without_returning(transaction)
        .await
        .map(|_| ())
}
