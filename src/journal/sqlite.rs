//! A batch on SQLite: one transaction that holds the write lock from its beginning, so that nothing that it looked at
//! can change before it writes.

use std::collections::HashSet;

use entity::{conversation_events, conversations, messages};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::time::timeout;

use super::batch::{Batch, Part};
use super::row::{self, EventRow};
use crate::database::{Database, DatabaseError};
use crate::domain::ConversationId;

/// Rows in one statement: SQLite takes 32 766 values, and a message has 13.
const ROWS_A_STATEMENT: usize = 2000;

/// Stores a batch; the answer names the conversations whose part passed its fence.
pub(super) async fn commit(database: &Database, batch: &Batch) -> Result<HashSet<ConversationId>, DatabaseError> {
    let limit = database.timeout();
    timeout(limit, transaction(database.writes(), batch)).await.unwrap_or(Err(DatabaseError::TimedOut(limit)))
}

async fn transaction(connection: &DatabaseConnection, batch: &Batch) -> Result<HashSet<ConversationId>, DatabaseError> {
    let immediately =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let transaction = connection.begin_with_options(immediately).await?;
    let taken = taken(&transaction, batch).await?;
    let mut passed = HashSet::new();
    let mut written = Vec::new();
    let mut happened = Vec::new();
    for (conversation, part) in &batch.parts {
        if taken.contains(conversation) || !pass(&transaction, part).await? {
            continue;
        }
        passed.insert(*conversation);
        for event in part.events() {
            match row::event(event) {
                EventRow::Message(message) => written.push(message.into_active_model()),
                EventRow::Other(event) => happened.push(event.into_active_model()),
            }
        }
    }
    for rows in written.chunks(ROWS_A_STATEMENT) {
        messages::Entity::insert_many(rows.iter().cloned()).exec_without_returning(&transaction).await?;
    }
    for rows in happened.chunks(ROWS_A_STATEMENT) {
        conversation_events::Entity::insert_many(rows.iter().cloned()).exec_without_returning(&transaction).await?;
    }
    transaction.commit().await?;
    Ok(passed)
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
async fn pass(transaction: &DatabaseTransaction, part: &Part) -> Result<bool, DbErr> {
    let Some(state) = part.state() else { return Ok(false) };
    let row = row::conversation(state);
    if part.expected_version() == 0 {
        let made = conversations::Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::column(conversations::Column::Id).do_nothing().to_owned())
            .exec_without_returning(transaction)
            .await?;
        return Ok(made == 1);
    }
    let id = row.id;
    let moved = conversations::Entity::update_many()
        .set(changed(row))
        .filter(conversations::Column::Id.eq(id))
        .filter(conversations::Column::Version.eq(part.expected_version()))
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
        updated_at: Set(row.updated_at),
        last_event_at: Set(row.last_event_at),
        ..Default::default()
    }
}
