//! Finds the conversations that have a search term: in messages, notes included, in the contact data of their customers
//! and accounts, in their ticket, and by id.
//!
//! A search is complete or refused: what is not indexed yet is read from its own table and folded here, and a search that
//! takes longer than its time limit fails.
//!
//! On PostgreSQL the texts are stored folded (migration 000012). Trigrams serve terms with three ASCII letters or digits
//! in a row, pairs of characters all other terms. SQLite and PostgreSQL without `pg_trgm` read everything.

mod postgres;
mod sqlite;

use std::time::Duration;

use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{SimpleExpr, Value};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, IntoSimpleExpr, RuntimeErr};

use crate::database::{Backend, Database, DatabaseError};
use crate::domain::{SearchTerm, TextKind};

/// The most rows that are not indexed yet, or on SQLite are folded here, that one search reads.
const MAX_UNINDEXED: usize = 20_000;

/// The most conversations that a search hands on by their ids. Of more, the query that finds them is repeated.
const MAX_IDS: usize = 20_000;

/// Why a search has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchRefusal {
    /// The term cannot be searched within the time limit.
    TooBroad,
    /// After an upgrade the texts are not all folded yet.
    Preparing,
}

/// Which list is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Searched {
    Conversations,
    /// Also by their descriptions.
    Tickets,
}

impl Searched {
    /// What the list is searched in.
    fn kinds(self) -> &'static [TextKind] {
        const KINDS: [TextKind; 5] =
            [TextKind::Messages, TextKind::Contact, TextKind::PhoneDigits, TextKind::Ticket, TextKind::Description];
        match self {
            Self::Conversations => KINDS.split_at(4).0,
            Self::Tickets => &KINDS,
        }
    }
}

/// The conversations that have a term.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Ids(Vec<Uuid>),
    /// More than [`MAX_IDS`]: the query that gives their ids, with its values, and further ids.
    Many {
        sql: String,
        values: Vec<Value>,
        more: Vec<Uuid>,
    },
}

impl Found {
    /// The condition that a column has one of the ids.
    pub(super) fn contain(&self, column: impl IntoSimpleExpr, backend: Backend) -> SimpleExpr {
        use sea_orm::sea_query::{Expr, ExprTrait, extension::postgres::PgFunc};
        let column = column.into_simple_expr();
        match (self, backend) {
            (Self::Ids(ids), Backend::Postgres) => column.eq(PgFunc::any(ids.clone())),
            (Self::Ids(ids), Backend::Sqlite) => {
                // One parameter, of which a statement may have 32 766.
                let ids: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
                let ids = serde_json::Value::from(ids).to_string();
                Expr::cust_with_exprs("lower(hex(?)) IN (SELECT value FROM json_each(?))", [column, Expr::val(ids)])
            }
            (Self::Many { sql, values, more }, _) => {
                let column_in = Expr::cust_with_exprs(
                    format!("$1 IN ({sql})", sql = shifted(sql)),
                    std::iter::once(column.clone()).chain(values.iter().cloned().map(Expr::val)),
                );
                if more.is_empty() { column_in } else { column_in.or(column.eq(PgFunc::any(more.clone()))) }
            }
        }
    }
}

/// A query whose parameters begin with the second.
fn shifted(sql: &str) -> String {
    let mut shifted = String::with_capacity(sql.len() + 16);
    let mut parts = sql.split('$');
    shifted.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|one: char| one.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        let number = number.parse::<usize>().map_or_else(|_| number.to_owned(), |number| (number + 1).to_string());
        shifted.push('$');
        shifted.push_str(&number);
        shifted.push_str(rest);
    }
    shifted
}

/// The outcome of a list: refused where its search is.
pub(super) type Searching<T> = Result<Result<T, SearchRefusal>, DatabaseError>;

/// Finds the conversations that have a term, and hands them to the query of a list. All of it has the time limit of a
/// search, in the database too.
pub(super) async fn with_found<T, Answer>(
    database: &Database,
    term: SearchTerm,
    searched: Searched,
    query: impl FnOnce(DatabaseTransaction, Found) -> Answer + Send + 'static,
) -> Searching<T>
where
    T: Send + 'static,
    Answer: Future<Output = Result<T, DbErr>> + Send + 'static,
{
    let (backend, limit) = (database.backend(), database.search_timeout());
    let outcome = database.read(async move |connection: DatabaseConnection| {
        let searching = async {
            let transaction = begin(connection, backend, limit).await?;
            let found = match backend {
                Backend::Postgres => postgres::find(&transaction, &term, searched).await?,
                Backend::Sqlite => sqlite::find(&transaction, &term, searched).await?,
            };
            match found {
                Ok(found) => query(transaction, found).await.map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            }
        };
        match tokio::time::timeout(limit, searching).await {
            Err(_) => Ok(Err(SearchRefusal::TooBroad)),
            Ok(Err(error)) if is_cancelled(&error) => Ok(Err(SearchRefusal::TooBroad)),
            Ok(outcome) => outcome,
        }
    });
    outcome.await
}

/// Begins a transaction in a task of its own, as the journal does: one that begins after its caller has stopped waiting is
/// rolled back. On PostgreSQL the database, too, ends a statement at the time limit.
async fn begin(
    connection: DatabaseConnection,
    backend: Backend,
    limit: Duration,
) -> Result<DatabaseTransaction, DbErr> {
    use sea_orm::{ConnectionTrait, TransactionTrait};
    let begun = tokio::spawn(async move { connection.begin().await });
    let transaction = begun.await.map_err(|error| DbErr::Custom(error.to_string()))??;
    if backend == Backend::Postgres {
        // A generic plan would not know how often a term occurs, and a small bitmap loses which rows it has.
        let milliseconds = limit.as_millis();
        transaction
            .execute_unprepared(&format!(
                "SELECT set_config('statement_timeout', '{milliseconds}', true), \
                 set_config('plan_cache_mode', 'force_custom_plan', true), set_config('work_mem', '64MB', true)"
            ))
            .await?;
    }
    Ok(transaction)
}

/// Whether PostgreSQL has ended a statement at its time limit (57014, `query_canceled`).
fn is_cancelled(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    error.as_database_error().and_then(|error| error.code().map(|code| code == "57014")).unwrap_or_default()
}

/// Escapes the wildcards of LIKE.
fn escape_wildcards(term: &str) -> String {
    let mut pattern = String::with_capacity(term.len());
    for character in term.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// A pattern of LIKE, without case, that every ASCII text matches whose folded form has the term: a blank of the term may
/// be any white space.
fn ascii_pattern(term: &SearchTerm) -> Option<String> {
    term.folded().is_ascii().then(|| format!("%{}%", escape_wildcards(term.folded()).replace(' ', "%")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(text: &str) -> SearchTerm {
        SearchTerm::parse(text).expect("a good term").expect("a term")
    }

    #[test]
    fn wildcards_are_escaped() {
        assert_eq!(escape_wildcards(r"100%_\o/"), r"100\%\_\\o/");
        assert_eq!(ascii_pattern(&term("A  b_%")).as_deref(), Some(r"%a%b\_\%%"));
        assert_eq!(ascii_pattern(&term("中")), None);
    }

    #[test]
    fn parameters_are_shifted() {
        assert_eq!(shifted("a = $1 AND b = $12"), "a = $2 AND b = $13");
    }
}
