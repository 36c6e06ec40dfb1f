//! The search on SQLite, which reads everything. The database compares texts in ASCII itself; all others are folded here.

use std::collections::BTreeSet;

use sea_orm::prelude::Uuid;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement};

use super::{Found, SearchRefusal, Searched, ascii_pattern};
use crate::domain::{SearchTerm, SearchableAccount, SearchableConversation};

/// Rows that one statement reads.
const STEP: i64 = 20_000;

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}

/// Finds the conversations that have a term.
pub(super) async fn find(
    transaction: &DatabaseTransaction,
    term: &SearchTerm,
    searched: Searched,
) -> Result<Result<Found, SearchRefusal>, DbErr> {
    let mut ids = BTreeSet::new();
    let not_ascii = "length(CAST(body AS blob)) <> length(body)";
    let condition = match ascii_pattern(term) {
        Some(_) => format!("({not_ascii} OR body LIKE $3 ESCAPE '\\')"),
        None => not_ascii.to_owned(),
    };
    let messages =
        format!("SELECT conversation_id, body FROM messages WHERE rowid > $1 AND rowid <= $2 AND {condition}");
    let mut matching = |row: &QueryResult| {
        if term.is_in_message(&row.try_get::<String>("", "body")?) {
            ids.insert(row.try_get("", "conversation_id")?);
        }
        Ok(())
    };
    in_steps(transaction, "messages", &messages, ascii_pattern(term).unwrap_or_default(), &mut matching).await?;
    let conversations = "SELECT id, email, phone_number FROM conversations WHERE rowid > $1 AND rowid <= $2";
    let mut matching = |row: &QueryResult| {
        let conversation = SearchableConversation {
            email: row.try_get("", "email")?,
            phone_number: row.try_get("", "phone_number")?,
            ticket: None,
        };
        let id: Uuid = row.try_get("", "id")?;
        let is_meant = term.ids().is_some_and(|(first, last)| (first..=last).contains(&id));
        if is_meant || term.is_in(&conversation.texts(), searched.kinds()) {
            ids.insert(id);
        }
        Ok(())
    };
    in_steps(transaction, "conversations", conversations, String::new(), &mut matching).await?;
    let numbers = term.ticket_numbers().unwrap_or_default();
    let tickets =
        "SELECT conversation_id, ticket_number, subject, description FROM tickets WHERE rowid > $1 AND rowid <= $2";
    let mut matching = |row: &QueryResult| {
        let number: String = row.try_get("", "ticket_number")?;
        let is_meant = numbers.contains(&number);
        let ticket = Some((number, row.try_get("", "subject")?, row.try_get("", "description")?));
        let conversation = SearchableConversation { ticket, ..SearchableConversation::default() };
        if is_meant || term.is_in(&conversation.texts(), searched.kinds()) {
            ids.insert(row.try_get("", "conversation_id")?);
        }
        Ok(())
    };
    in_steps(transaction, "tickets", tickets, String::new(), &mut matching).await?;
    for account in accounts(transaction, term, searched).await? {
        let theirs = statement("SELECT id FROM conversations WHERE user_id = $1", [account.into()]);
        for row in transaction.query_all_raw(theirs).await? {
            ids.insert(row.try_get("", "id")?);
        }
    }
    Ok(Ok(Found::Ids(ids.into_iter().collect())))
}

/// The accounts that have the term.
async fn accounts(
    transaction: &DatabaseTransaction,
    term: &SearchTerm,
    searched: Searched,
) -> Result<Vec<String>, DbErr> {
    let users = "SELECT id, first_name, last_name, name, email, phone_number, smipay_tag FROM users \
                 WHERE rowid > $1 AND rowid <= $2";
    let mut accounts = Vec::new();
    let mut matching = |row: &QueryResult| {
        let account = SearchableAccount {
            first_name: row.try_get("", "first_name")?,
            last_name: row.try_get("", "last_name")?,
            name: row.try_get("", "name")?,
            email: row.try_get("", "email")?,
            phone_number: row.try_get("", "phone_number")?,
            tag: row.try_get("", "smipay_tag")?,
        };
        if term.is_in(&account.texts(), searched.kinds()) {
            accounts.push(row.try_get("", "id")?);
        }
        Ok(())
    };
    in_steps(transaction, "users", users, String::new(), &mut matching).await?;
    Ok(accounts)
}

/// Reads a table in steps, so that little is held at once and no statement runs long after the time limit. The query's
/// parameters are the row before the step, its last row, and `value` if it has a third.
async fn in_steps(
    transaction: &DatabaseTransaction,
    table: &str,
    query: &str,
    value: String,
    row: &mut (dyn FnMut(&QueryResult) -> Result<(), DbErr> + Send),
) -> Result<(), DbErr> {
    let last = statement(&format!("SELECT coalesce(max(rowid), 0) AS last FROM {table}"), []);
    let last: i64 = transaction.query_one_raw(last).await?.map_or(Ok(0), |row| row.try_get("", "last"))?;
    let mut from = 0;
    while from < last {
        let mut values: Vec<Value> = vec![from.into(), (from + STEP).into()];
        values.extend(query.contains("$3").then(|| value.clone().into()));
        for found in &transaction.query_all_raw(statement(query, values)).await? {
            row(found)?;
        }
        from += STEP;
    }
    Ok(())
}
