//! The search on PostgreSQL.

use std::collections::{BTreeSet, HashMap};

use sea_orm::prelude::Uuid;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

use super::{Found, MAX_IDS, MAX_UNINDEXED, SearchRefusal, Searched, ascii_pattern, escape_wildcards};
use crate::domain::{SEPARATOR, SearchTerm, SearchableAccount, SearchableConversation, TextKind};

/// ASCII letters or digits in a row that the trigram index needs.
const TRIGRAM_LENGTH: usize = 3;

/// A character of an indexed pair, and the longest term that the index of pairs answers by itself.
const PAIR: usize = 2;

/// The most rows of earlier releases that a search folds itself.
const MAX_UNFOLDED: usize = 500;

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Finds the conversations that have a term.
pub(super) async fn find(
    transaction: &DatabaseTransaction,
    term: &SearchTerm,
    searched: Searched,
) -> Result<Result<Found, SearchRefusal>, DbErr> {
    // First what is not indexed: what the indexer moves meanwhile is found in the index.
    let more = match unindexed(transaction, term, searched).await? {
        Ok(ids) => ids,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (sql, values) = indexed(term, searched);
    let limited = statement(&format!("{sql} LIMIT {}", MAX_IDS + 1), values.iter().cloned());
    let found = transaction.query_all_raw(limited).await?;
    if found.len() > MAX_IDS {
        return Ok(Ok(Found::Many { sql, values, more: more.into_iter().collect() }));
    }
    let mut ids = more;
    for row in found {
        ids.insert(row.try_get_by_index(0)?);
    }
    Ok(Ok(Found::Ids(ids.into_iter().collect())))
}

/// The query of the indexed texts, and its values.
fn indexed(term: &SearchTerm, searched: Searched) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut add = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let matches = match_texts(term, &mut add);
    let kinds = |kinds: &[TextKind]| kinds.iter().map(|kind| (*kind as i16).to_string()).collect::<Vec<_>>().join(", ");
    let texts: Vec<TextKind> = searched.kinds().iter().copied().filter(|kind| *kind != TextKind::PhoneDigits).collect();
    let mut conversations = vec![format!("kind IN ({}) AND {matches}", kinds(&texts))];
    let mut accounts = vec![format!("kind = {} AND {matches}", TextKind::Contact as i16)];
    if let Some(digits) = term.digits() {
        let pattern = add(format!("%{digits}%").into());
        let matches = format!("kind = {} AND text LIKE {pattern}", TextKind::PhoneDigits as i16);
        conversations.push(matches.clone());
        accounts.push(matches);
    }
    let mut queries: Vec<String> = conversations
        .into_iter()
        .map(|condition| {
            format!("SELECT conversation_id FROM searchable_texts WHERE conversation_id IS NOT NULL AND {condition}")
        })
        .chain(accounts.into_iter().map(|condition| {
            format!(
                "SELECT conversations.id FROM searchable_texts JOIN conversations USING (user_id) \
                 WHERE searchable_texts.user_id IS NOT NULL AND {condition}"
            )
        }))
        .collect();
    if let Some((first, last)) = term.ids() {
        let (first, last) = (add(first.into()), add(last.into()));
        queries.push(format!("SELECT id FROM conversations WHERE id BETWEEN {first} AND {last}"));
    }
    if let Some(numbers) = term.ticket_numbers() {
        let numbers = add(numbers.to_vec().into());
        queries.push(format!("SELECT conversation_id FROM tickets WHERE ticket_number = ANY ({numbers})"));
    }
    (queries.join(" UNION "), values)
}

/// The condition that a folded text has the term, in the form that an index serves.
fn match_texts(term: &SearchTerm, add: &mut impl FnMut(Value) -> String) -> String {
    let folded = term.folded();
    let characters: Vec<char> = folded.chars().collect();
    if characters.len() <= PAIR {
        let gram = add(vec![folded.to_owned()].into());
        return format!("kind >= 0 AND search_grams(text) @> {gram}");
    }
    let pattern = add(format!("%{}%", escape_wildcards(folded)).into());
    let has_trigrams =
        folded.split(|character: char| !character.is_ascii_alphanumeric()).any(|run| run.len() >= TRIGRAM_LENGTH);
    if has_trigrams {
        // Letters beyond ASCII have trigrams only in some of the database's locales.
        return format!("kind >= 0 AND text LIKE {pattern}");
    }
    let pairs: BTreeSet<String> = characters.windows(PAIR).map(|pair| pair.iter().collect()).collect();
    let pairs = add(pairs.into_iter().collect::<Vec<_>>().into());
    format!("kind >= 0 AND search_grams(text) @> {pairs} AND text LIKE {pattern}")
}

/// The conversations that have the term in what is not indexed yet.
async fn unindexed(
    transaction: &DatabaseTransaction,
    term: &SearchTerm,
    searched: Searched,
) -> Result<Result<BTreeSet<Uuid>, SearchRefusal>, DbErr> {
    let mut ids = BTreeSet::new();
    let backfills = statement("SELECT 1 FROM search_backfills LIMIT 1", []);
    if transaction.query_one_raw(backfills).await?.is_some() {
        return Ok(Err(SearchRefusal::Preparing));
    }
    let unfolded =
        format!("SELECT conversation_id, text FROM searchable_texts WHERE kind < 0 LIMIT {}", MAX_UNFOLDED + 1);
    let unfolded = transaction.query_all_raw(statement(&unfolded, [])).await?;
    if unfolded.len() > MAX_UNFOLDED {
        return Ok(Err(SearchRefusal::Preparing));
    }
    for row in unfolded {
        let text: String = row.try_get("", "text")?;
        if text.split(SEPARATOR).any(|body| term.is_in_message(body)) {
            ids.insert(row.try_get("", "conversation_id")?);
        }
    }
    let not_ascii = "octet_length(text) <> length(text)";
    let (condition, pattern) = match ascii_pattern(term) {
        Some(pattern) => (format!("({not_ascii} OR text ILIKE $1)"), vec![Value::from(pattern)]),
        None => (not_ascii.to_owned(), Vec::new()),
    };
    let messages =
        format!("SELECT conversation_id, text FROM unsearchable_texts WHERE {condition} LIMIT {}", MAX_UNINDEXED + 1);
    let messages = transaction.query_all_raw(statement(&messages, pattern)).await?;
    if messages.len() > MAX_UNINDEXED {
        return Ok(Err(SearchRefusal::TooBroad));
    }
    for row in messages {
        if term.is_in_message(&row.try_get::<String>("", "text")?) {
            ids.insert(row.try_get("", "conversation_id")?);
        }
    }
    unindexed_rows(transaction, term, searched, ids).await
}

/// Adds the conversations of the listed conversations, tickets and accounts.
async fn unindexed_rows(
    transaction: &DatabaseTransaction,
    term: &SearchTerm,
    searched: Searched,
    mut ids: BTreeSet<Uuid>,
) -> Result<Result<BTreeSet<Uuid>, SearchRefusal>, DbErr> {
    let conversations = format!(
        "SELECT listed.id, listed.email, listed.phone_number, ticket_number, subject, description FROM (
            SELECT DISTINCT conversation_id FROM unsearchable_rows WHERE conversation_id IS NOT NULL LIMIT {}
        ) AS rows JOIN conversations AS listed ON listed.id = rows.conversation_id
        LEFT JOIN tickets ON tickets.conversation_id = listed.id",
        MAX_UNINDEXED + 1
    );
    let conversations = transaction.query_all_raw(statement(&conversations, [])).await?;
    let accounts = format!(
        "SELECT users.* FROM (
            SELECT DISTINCT user_id FROM unsearchable_rows WHERE user_id IS NOT NULL LIMIT {}
        ) AS rows JOIN users ON users.id = rows.user_id",
        MAX_UNINDEXED + 1
    );
    let accounts = transaction.query_all_raw(statement(&accounts, [])).await?;
    if conversations.len().max(accounts.len()) > MAX_UNINDEXED {
        return Ok(Err(SearchRefusal::TooBroad));
    }
    for row in conversations {
        let number: Option<String> = row.try_get("", "ticket_number")?;
        let ticket = match number {
            Some(number) => Some((number, row.try_get("", "subject")?, row.try_get("", "description")?)),
            None => None,
        };
        let conversation = SearchableConversation {
            email: row.try_get("", "email")?,
            phone_number: row.try_get("", "phone_number")?,
            ticket,
        };
        if term.is_in(&conversation.texts(), searched.kinds()) {
            ids.insert(row.try_get("", "id")?);
        }
    }
    let mut matching = HashMap::new();
    for row in accounts {
        let account = SearchableAccount {
            first_name: row.try_get("", "first_name")?,
            last_name: row.try_get("", "last_name")?,
            name: row.try_get("", "name")?,
            email: row.try_get("", "email")?,
            phone_number: row.try_get("", "phone_number")?,
            tag: row.try_get("", "smipay_tag")?,
        };
        if term.is_in(&account.texts(), searched.kinds()) {
            matching.insert(row.try_get::<String>("", "id")?, ());
        }
    }
    if !matching.is_empty() {
        let users: Vec<String> = matching.into_keys().collect();
        let theirs = statement("SELECT id FROM conversations WHERE user_id = ANY ($1)", [users.into()]);
        for row in transaction.query_all_raw(theirs).await? {
            ids.insert(row.try_get("", "id")?);
        }
    }
    Ok(Ok(ids))
}
