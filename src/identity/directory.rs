//! The user directory: the profile in the last token of every user who has made a request, so that names and the list
//! of agents need no other service.
//!
//! A user is written at most once a minute, over all servers: each server caches whom it has queued recently, and the
//! statement itself skips rows that are recent. Writing happens in the background. If the queue is full or the database
//! is unavailable, a user is written at their next request.

#[cfg(test)]
mod tests;

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

/// Seconds before a user is written again.
const REFRESH_SECONDS: u32 = 60;

/// Users in one statement.
const BATCH: usize = 256;

/// When a user was queued, and the `iat` of their token, kept for [`REFRESH_SECONDS`].
type RecentlyQueued = Cache<(UserId, bool), (Timestamp, i64)>;

/// Records users. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Directory {
    /// By role: a customer who becomes an agent is written at once.
    recent: RecentlyQueued,
    queue: mpsc::Sender<DirectoryItem>,
}

/// An item for the background task.
enum DirectoryItem {
    /// A user to write.
    User(Box<users::Model>),
    /// Answered when all users queued before are written, or have failed.
    Flush(oneshot::Sender<()>),
}

impl Directory {
    /// Starts the background task, which ends with the last clone of the directory.
    #[must_use]
    pub fn start(database: &Database, settings: &DirectorySettings) -> Self {
        let recent = Cache::builder()
            .max_capacity(settings.user_cache_size as u64)
            .time_to_live(Duration::from_secs(REFRESH_SECONDS.into()))
            .build();
        let (queue, items) = mpsc::channel(settings.queue_capacity);
        database.runtime().spawn(run(database.clone(), items, recent.clone()));
        Self { recent, queue }
    }

    /// Queues a user who has made a request with a token without `iat`.
    #[cfg(test)]
    pub(super) fn record_seen(&self, principal: &Principal, now: Timestamp) {
        self.record_token(principal, 0, now);
    }

    /// Queues a user who has made a request; `issued_at` is their token's `iat` in milliseconds. Does not block.
    pub(crate) fn record_token(&self, principal: &Principal, issued_at: i64, now: Timestamp) {
        let seen_as = (principal.id.clone(), principal.is_agent);
        let refresh = TimeDelta::seconds(REFRESH_SECONDS.into());
        let is_recent = |(queued, issued)| now - queued < refresh && issued_at <= issued;
        if self.recent.get(&seen_as).is_some_and(is_recent) {
            return;
        }
        self.recent.insert(seen_as.clone(), (now, issued_at));
        if self.queue.try_send(DirectoryItem::User(Box::new(row(principal, issued_at, now)))).is_err() {
            self.recent.invalidate(&seen_as);
        }
    }

    /// Waits until all users queued so far are written, or have failed, so that a query finds them.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.queue.send(DirectoryItem::Flush(done)).await.is_ok() {
            // An error means that the task has ended: there is nothing left to wait for.
            let _ = flushed.await;
        }
    }
}

async fn run(database: Database, mut queue: mpsc::Receiver<DirectoryItem>, recent: RecentlyQueued) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        // One statement cannot write a row twice; the latest profile wins.
        let mut rows: HashMap<String, users::Model> = HashMap::new();
        let mut waiting = Vec::new();
        for item in batch.drain(..) {
            match item {
                DirectoryItem::User(mut row) => {
                    if let Some(earlier) = rows.get(&row.id) {
                        row.is_agent |= earlier.is_agent;
                        if earlier.token_issued_at > row.token_issued_at {
                            row.token_issued_at = earlier.token_issued_at;
                            row.role.clone_from(&earlier.role);
                        }
                    }
                    rows.insert(row.id.clone(), *row);
                }
                DirectoryItem::Flush(done) => waiting.push(done),
            }
        }
        if !rows.is_empty() {
            write_rows(&database, rows, &recent).await;
        }
        for done in waiting {
            // An error means that the caller no longer waits.
            let _ = done.send(());
        }
    }
}

async fn write_rows(database: &Database, rows: HashMap<String, users::Model>, recent: &RecentlyQueued) {
    let ids: Vec<UserId> = rows.keys().filter_map(|id| UserId::parse(id).ok()).collect();
    if let Err(error) = upsert(database, rows.into_values().collect()).await {
        tracing::warn!(%error, users = ids.len(), "users could not be written to the directory");
        for id in ids {
            recent.invalidate(&(id.clone(), false));
            recent.invalidate(&(id, true));
        }
    }
}

/// The row's token was issued no earlier than the known one.
const IS_LATER: &str = "excluded.token_issued_at >= users.token_issued_at";

async fn upsert(database: &Database, mut rows: Vec<users::Model>) -> Result<(), DatabaseError> {
    // One lock order on all servers prevents deadlocks.
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    let refreshed = OnConflict::column(users::Column::Id)
        .update_columns([
            users::Column::Email,
            users::Column::FirstName,
            users::Column::LastName,
            users::Column::Name,
            users::Column::PhoneNumber,
            users::Column::SmipayTag,
            users::Column::Picture,
            users::Column::LastSeenAt,
        ])
        // A user who was ever an agent stays one in the directory (`support-admin.md`, `GET /agents`).
        .value(users::Column::IsAgent, Expr::cust("users.is_agent OR excluded.is_agent"))
        // The role and the time of the latest token.
        .value(users::Column::Role, Expr::cust(format!("CASE WHEN {IS_LATER} THEN excluded.role ELSE users.role END")))
        .value(
            users::Column::TokenIssuedAt,
            Expr::cust(format!("CASE WHEN {IS_LATER} THEN excluded.token_issued_at ELSE users.token_issued_at END")),
        )
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

/// The condition for updating an existing row: a minute has passed, the token was issued later, or the user is an agent
/// for the first time, and must be found for a handover.
fn is_due(backend: Backend) -> String {
    let passed = match backend {
        Backend::Postgres => {
            format!("excluded.last_seen_at - users.last_seen_at >= INTERVAL '{REFRESH_SECONDS} seconds'")
        }
        // julianday counts days in floating point; the margin is for rounding, as timestamps have milliseconds.
        Backend::Sqlite => format!(
            "(julianday(excluded.last_seen_at) - julianday(users.last_seen_at)) * 86400.0 > {REFRESH_SECONDS} - 0.002"
        ),
    };
    format!(
        "({passed} OR (excluded.is_agent AND NOT users.is_agent) OR excluded.token_issued_at > users.token_issued_at)"
    )
}

fn row(principal: &Principal, issued_at: i64, now: Timestamp) -> users::Model {
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
        token_issued_at: issued_at,
        created_at: now,
        last_seen_at: now,
    }
}
