//! Conversations, tickets and accounts that triggers have listed, and what earlier releases have left: their texts become
//! searchable, or are folded.
//!
//! One server at a time does this, so that no older text of a row replaces a newer one.

use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};

use super::{FoldedText, begin, insert, statement};
use crate::database::{Database, DatabaseError};
use crate::domain::{SEPARATOR, SearchableAccount, SearchableConversation, fold};

/// The key of the advisory lock of this work: "searchdx" in ASCII.
const LOCK: i64 = 0x7365_6172_6368_6478;

const DEQUEUE: &str = "DELETE FROM unsearchable_rows
    WHERE id = ANY (ARRAY(SELECT id FROM unsearchable_rows ORDER BY id LIMIT $1)) RETURNING conversation_id, user_id";

const CONVERSATIONS: &str = "SELECT conversations.id, conversations.email, conversations.phone_number, ticket_number,
        subject, description
    FROM conversations LEFT JOIN tickets ON tickets.conversation_id = conversations.id
    WHERE conversations.id = ANY ($1)";

const ACCOUNTS: &str =
    "SELECT id, first_name, last_name, name, email, phone_number, smipay_tag FROM users WHERE id = ANY ($1)";

/// Makes what up to this many rows of the list name searchable. Gives whether there may be more.
pub(super) async fn refresh(database: &Database, rows: i64) -> Result<bool, DatabaseError> {
    alone(database, move |transaction| {
        Box::pin(async move {
            let listed = transaction.query_all_raw(statement(DEQUEUE, [rows.into()])).await?;
            let (mut conversations, mut users) = (Vec::new(), Vec::new());
            for row in &listed {
                conversations.extend(row.try_get::<Option<Uuid>>("", "conversation_id")?);
                users.extend(row.try_get::<Option<String>>("", "user_id")?);
            }
            replace_conversations(transaction, conversations).await?;
            replace_accounts(transaction, users).await?;
            Ok(i64::try_from(listed.len()).is_ok_and(|listed| listed >= rows))
        })
    })
    .await
}

/// Makes up to this many rows of an earlier release searchable. Gives whether there may be more.
pub(super) async fn backfill(database: &Database, rows: i64) -> Result<bool, DatabaseError> {
    alone(database, move |transaction| {
        Box::pin(async move {
            let next = "SELECT kind, after FROM search_backfills ORDER BY kind LIMIT 1";
            while let Some(next) = transaction.query_one_raw(statement(next, [])).await? {
                let (kind, after): (String, String) = (next.try_get("", "kind")?, next.try_get("", "after")?);
                let last = match kind.as_str() {
                    "conversations" => backfill_conversations(transaction, &after, rows).await?,
                    _ => backfill_accounts(transaction, after, rows).await?,
                };
                if let Some(last) = last {
                    let moved = "UPDATE search_backfills SET after = $2 WHERE kind = $1";
                    transaction.execute_raw(statement(moved, [kind.into(), last.into()])).await?;
                    return Ok(true);
                }
                let done = statement("DELETE FROM search_backfills WHERE kind = $1", [kind.into()]);
                transaction.execute_raw(done).await?;
            }
            fold_messages(transaction, rows).await
        })
    })
    .await
}

/// Those after an id. Gives the last one if there may be more.
async fn backfill_conversations(
    transaction: &DatabaseTransaction,
    after: &str,
    rows: i64,
) -> Result<Option<String>, DbErr> {
    let after = Uuid::parse_str(after).unwrap_or_default();
    let ids = "SELECT id FROM conversations WHERE id > $1 ORDER BY id LIMIT $2";
    let ids: Vec<Uuid> = ids_of(&transaction.query_all_raw(statement(ids, [after.into(), rows.into()])).await?)?;
    let last = full(&ids, rows).map(ToString::to_string);
    replace_conversations(transaction, ids).await?;
    Ok(last)
}

/// Those after an id. Gives the last one if there may be more.
async fn backfill_accounts(
    transaction: &DatabaseTransaction,
    after: String,
    rows: i64,
) -> Result<Option<String>, DbErr> {
    let ids = "SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2";
    let ids: Vec<String> = ids_of(&transaction.query_all_raw(statement(ids, [after.into(), rows.into()])).await?)?;
    let last = full(&ids, rows).cloned();
    replace_accounts(transaction, ids).await?;
    Ok(last)
}

/// The last of the ids if there may be more.
fn full<T>(ids: &[T], rows: i64) -> Option<&T> {
    ids.last().filter(|_| i64::try_from(ids.len()).is_ok_and(|found| found >= rows))
}

fn ids_of<T: sea_orm::TryGetable>(rows: &[QueryResult]) -> Result<Vec<T>, DbErr> {
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

/// Folds texts of messages that earlier releases, and servers of the previous one, have copied as they are.
async fn fold_messages(transaction: &DatabaseTransaction, rows: i64) -> Result<bool, DbErr> {
    const FOLDED: &str = "UPDATE searchable_texts SET kind = 0, text = folded.text
        FROM unnest($1::int8[], $2::text[]) AS folded (id, text) WHERE searchable_texts.id = folded.id";
    // Each has up to a hundred messages.
    let rows = (rows / 8).max(1);
    let unfolded = "SELECT id, text FROM searchable_texts WHERE kind < 0 ORDER BY id LIMIT $1 FOR UPDATE";
    let found = transaction.query_all_raw(statement(unfolded, [rows.into()])).await?;
    let (mut ids, mut texts) = (Vec::new(), Vec::new());
    for row in found {
        ids.push(row.try_get::<i64>("", "id")?);
        let text: String = row.try_get("", "text")?;
        texts.push(text.split(SEPARATOR).map(fold).collect::<Vec<_>>().join(&SEPARATOR.to_string()));
    }
    if ids.is_empty() {
        return Ok(false);
    }
    let has_more = full(&ids, rows).is_some();
    transaction.execute_raw(statement(FOLDED, [ids.into(), texts.into()])).await?;
    Ok(has_more)
}

async fn replace_conversations(transaction: &DatabaseTransaction, ids: Vec<Uuid>) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    let rows = transaction.query_all_raw(statement(CONVERSATIONS, [ids.clone().into()])).await?;
    let mut texts = Vec::new();
    for row in rows {
        let id: Uuid = row.try_get("", "id")?;
        let number: Option<String> = row.try_get("", "ticket_number")?;
        let ticket = match number {
            Some(number) => Some((number, row.try_get("", "subject")?, row.try_get("", "description")?)),
            None => None,
        };
        let found = SearchableConversation {
            email: row.try_get("", "email")?,
            phone_number: row.try_get("", "phone_number")?,
            ticket,
        };
        let text = |(kind, text)| FoldedText { conversation: Some(id), user: None, kind, text };
        texts.extend(found.texts().into_iter().map(text));
    }
    let former = "DELETE FROM searchable_texts WHERE kind > 0 AND conversation_id = ANY ($1)";
    transaction.execute_raw(statement(former, [ids.into()])).await?;
    insert(transaction, texts).await
}

async fn replace_accounts(transaction: &DatabaseTransaction, ids: Vec<String>) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    let rows = transaction.query_all_raw(statement(ACCOUNTS, [ids.clone().into()])).await?;
    let mut texts = Vec::new();
    for row in rows {
        let id: String = row.try_get("", "id")?;
        let found = SearchableAccount {
            first_name: row.try_get("", "first_name")?,
            last_name: row.try_get("", "last_name")?,
            name: row.try_get("", "name")?,
            email: row.try_get("", "email")?,
            phone_number: row.try_get("", "phone_number")?,
            tag: row.try_get("", "smipay_tag")?,
        };
        let text = |(kind, text)| FoldedText { conversation: None, user: Some(id.clone()), kind, text };
        texts.extend(found.texts().into_iter().map(text));
    }
    let former = "DELETE FROM searchable_texts WHERE user_id = ANY ($1)";
    transaction.execute_raw(statement(former, [ids.into()])).await?;
    insert(transaction, texts).await
}

/// Runs a step in a transaction, unless another server runs one.
async fn alone(
    database: &Database,
    step: impl for<'a> FnOnce(&'a DatabaseTransaction) -> BoxFuture<'a, Result<bool, DbErr>> + Send + 'static,
) -> Result<bool, DatabaseError> {
    database
        .write(async move |connection| {
            let transaction = begin(connection).await?;
            let lock = statement("SELECT pg_try_advisory_xact_lock($1) AS locked", [LOCK.into()]);
            let locked = transaction.query_one_raw(lock).await?.map(|row| row.try_get("", "locked")).transpose()?;
            let has_more = if locked == Some(true) { step(&transaction).await? } else { false };
            transaction.commit().await?;
            Ok::<_, DatabaseError>(has_more)
        })
        .await
}
