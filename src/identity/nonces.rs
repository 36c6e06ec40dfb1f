//! Used nonces, shared by all servers through the database.

use std::time::Duration;

use chrono::TimeDelta;
use entity::nonces;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::request_signature::{Nonce, TIMESTAMP_WINDOW_MS};
use crate::database::{Database, DatabaseError};
use crate::domain::Timestamp;

/// How often expired nonces are deleted.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(60);

/// Stores used nonces. Cheap to clone.
#[derive(Clone, Debug)]
pub struct NonceStore {
    database: Database,
}

impl NonceStore {
    /// Starts deleting expired nonces, which ends with the database's runtime.
    #[must_use]
    pub fn start(database: &Database) -> Self {
        let nonces = Self { database: database.clone() };
        let cleanup = nonces.clone();
        database.runtime().spawn(async move {
            loop {
                tokio::time::sleep(CLEANUP_INTERVAL).await;
                if let Err(error) = cleanup.delete_expired(chrono::Utc::now()).await {
                    tracing::warn!(%error, "expired nonces could not be deleted");
                }
            }
        });
        nonces
    }

    /// Marks a nonce as used; false if it was used before, on any server.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn consume(&self, nonce: Nonce, now: Timestamp) -> Result<bool, DatabaseError> {
        // Its timestamp may be five minutes ahead now, and is then valid for another five.
        let expires_at = now + TimeDelta::milliseconds(2 * TIMESTAMP_WINDOW_MS);
        let row = nonces::ActiveModel { nonce: Set(nonce.0), expires_at: Set(expires_at) };
        let inserted = self
            .database
            .write(async move |connection| {
                nonces::Entity::insert(row)
                    .on_conflict(OnConflict::column(nonces::Column::Nonce).do_nothing().to_owned())
                    .exec_without_returning(&connection)
                    .await
            })
            .await?;
        Ok(inserted == 1)
    }

    /// Writes a row, which shows whether the database takes writes. Its name is shorter than any nonce may be.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn check_writable(&self, now: Timestamp) -> Result<(), DatabaseError> {
        let row = nonces::ActiveModel { nonce: Set("writable".to_owned()), expires_at: Set(now) };
        let written = OnConflict::column(nonces::Column::Nonce).update_column(nonces::Column::ExpiresAt).to_owned();
        self.database
            .write(async move |connection| {
                nonces::Entity::insert(row).on_conflict(written).exec_without_returning(&connection).await.map(|_| ())
            })
            .await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<(), DatabaseError> {
        self.database
            .write(async move |connection| {
                nonces::Entity::delete_many()
                    .filter(nonces::Column::ExpiresAt.lt(now))
                    .exec(&connection)
                    .await
                    .map(|_| ())
            })
            .await
    }
}
