//! The directory of people: everyone who has come with a token is written down, at most once a minute each however many
//! servers they come to, so that names and the agents' list need no other service. What the last token said counts.
//!
//! Each server remembers whom it has handed in lately; the database has the last word, since only it knows of the
//! others. Nobody waits for it. People who come while the database is away, or faster than it writes, are written down
//! when they come next.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use entity::users;
use moka::sync::Cache;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{EntityTrait, IntoActiveModel};
use tokio::sync::{mpsc, oneshot};

use super::Principal;
use crate::config::DirectorySettings;
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::{Timestamp, UserId};

/// Seconds for which a person is not written down again.
const REFRESH_SECONDS: u32 = 60;

/// People in one statement.
const BATCH: usize = 256;

/// When somebody was handed in, for as long as that matters.
type Lately = Cache<(UserId, bool), Timestamp>;

/// Writes down who comes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Apart as customer and as agent: who comes as an agent within a minute of coming otherwise is seen.
    lately: Lately,
    queue: mpsc::Sender<QueueItem>,
}

/// What the task is given.
enum QueueItem {
    /// Somebody to write down.
    Person(Box<users::Model>),
    /// Answered when everybody who came before has been dealt with.
    Settle(oneshot::Sender<()>),
}

impl Directory {
    /// Starts the task that writes; it ends with the last clone of this.
    #[must_use]
    pub fn start(database: &Database, settings: &DirectorySettings) -> Self {
        let lately = Cache::builder()
            .max_capacity(settings.user_cache_size as u64)
            .time_to_live(Duration::from_secs(REFRESH_SECONDS.into()))
            .build();
        let (queue, people) = mpsc::channel(settings.queue_capacity);
        database.runtime().spawn(write_down(database.clone(), people, lately.clone()));
        Self { lately, queue }
    }

    /// Notes that somebody has come.
    pub fn record_seen(&self, principal: &Principal, now: Timestamp) {
        let seen_as = (principal.id.clone(), principal.is_agent);
        let refresh = TimeDelta::seconds(REFRESH_SECONDS.into());
        if self.lately.get(&seen_as).is_some_and(|before| now - before < refresh) {
            return;
        }
        self.lately.insert(seen_as.clone(), now);
        if self.queue.try_send(QueueItem::Person(Box::new(row(principal, now)))).is_err() {
            self.lately.invalidate(&seen_as);
        }
    }

    /// Waits until everybody who has come to this server so far is written down, or could not be: for who must be found
    /// right behind their coming.
    pub async fn settled(&self) {
        let (done, dealt_with) = oneshot::channel();
        if self.queue.send(QueueItem::Settle(done)).await.is_ok() {
            // An error means that the task is gone, and nobody is written down any more.
            let _ = dealt_with.await;
        }
    }
}

async fn write_down(database: Database, mut queue: mpsc::Receiver<QueueItem>, lately: Lately) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        // One statement cannot write the same row twice; the later word counts.
        let mut rows: HashMap<String, users::Model> = HashMap::new();
        let mut waiting = Vec::new();
        for item in batch.drain(..) {
            match item {
                QueueItem::Person(mut row) => {
                    row.is_agent |= rows.get(&row.id).is_some_and(|earlier| earlier.is_agent);
                    rows.insert(row.id.clone(), *row);
                }
                QueueItem::Settle(done) => waiting.push(done),
            }
        }
        if !rows.is_empty() {
            write_rows(&database, rows, &lately).await;
        }
        for done in waiting {
            // Nobody waits any more, where this fails.
            let _ = done.send(());
        }
    }
}

async fn write_rows(database: &Database, rows: HashMap<String, users::Model>, lately: &Lately) {
    let people: Vec<UserId> = rows.keys().filter_map(|id| UserId::parse(id).ok()).collect();
    if let Err(error) = upsert(database, rows.into_values().collect()).await {
        tracing::warn!(%error, people = people.len(), "people could not be written down");
        for id in people {
            lately.invalidate(&(id.clone(), false));
            lately.invalidate(&(id, true));
        }
    }
}

async fn upsert(database: &Database, mut rows: Vec<users::Model>) -> Result<(), DatabaseError> {
    // In one order on every server, so that two cannot lock each other out.
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    let refreshed = OnConflict::column(users::Column::Id)
        .update_columns([
            users::Column::Role,
            users::Column::Email,
            users::Column::FirstName,
            users::Column::LastName,
            users::Column::Name,
            users::Column::PhoneNumber,
            users::Column::SmipayTag,
            users::Column::Picture,
            users::Column::LastSeenAt,
        ])
        // Who has ever come as an agent stays one in the directory (`support-admin.md`, `GET /agents`).
        .value(users::Column::IsAgent, Expr::cust("users.is_agent OR excluded.is_agent"))
        .action_and_where(Expr::cust(is_due(database.backend())))
        .to_owned();
    database
        .write(async move |connection| {
            users::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model))
                .on_conflict(refreshed)
                .exec_without_returning(&connection)
                .await
                .map(|_| ())
        })
        .await
}

/// Whether somebody who is known is to be written down again: a minute has passed, or they come as an agent for the
/// first time, and should be found by those who hand over to them.
fn is_due(backend: Backend) -> String {
    let passed = match backend {
        Backend::Postgres => {
            format!("excluded.last_seen_at - users.last_seen_at >= INTERVAL '{REFRESH_SECONDS} seconds'")
        }
        // In days, as SQLite counts them: whole milliseconds, in floating point.
        Backend::Sqlite => format!(
            "(julianday(excluded.last_seen_at) - julianday(users.last_seen_at)) * 86400.0 > {REFRESH_SECONDS} - 0.002"
        ),
    };
    format!("({passed} OR (excluded.is_agent AND NOT users.is_agent))")
}

fn row(principal: &Principal, now: Timestamp) -> users::Model {
    users::Model {
        id: principal.id.as_str().to_owned(),
        is_agent: principal.is_agent,
        role: principal.role.clone(),
        email: principal.email.clone(),
        first_name: principal.first_name.clone(),
        last_name: principal.last_name.clone(),
        name: principal.name.clone(),
        phone_number: principal.phone_number.clone(),
        smipay_tag: principal.smipay_tag.clone(),
        picture: principal.picture.clone(),
        created_at: now,
        last_seen_at: now,
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
