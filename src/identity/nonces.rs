//! Nonces that have come, for all servers that share the database.

use std::time::Duration;

use chrono::TimeDelta;
use entity::nonces;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::request_signature::{Nonce, TIMESTAMP_WINDOW_MS};
use crate::database::{Database, DatabaseError};
use crate::domain::Timestamp;

/// How often those are forgotten that cannot come again.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Keeps nonces. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Nonces {
    database: Database,
}

impl Nonces {
    /// Starts to forget what has run out; that goes on as long as the database's runtime.
    #[must_use]
    pub fn start(database: &Database) -> Self {
        let nonces = Self { database: database.clone() };
        let forgetting = nonces.clone();
        database.runtime().spawn(async move {
            loop {
                tokio::time::sleep(FORGET_EVERY).await;
                if let Err(error) = forgetting.forget(chrono::Utc::now()).await {
                    tracing::warn!(%error, "nonces that have run out could not be forgotten");
                }
            }
        });
        nonces
    }

    /// Takes a nonce; false where it came before, to whichever server.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn take(&self, nonce: Nonce, now: Timestamp) -> Result<bool, DatabaseError> {
        // A request is good from five minutes before its timestamp to five minutes after.
        let expires_at = now + TimeDelta::milliseconds(2 * TIMESTAMP_WINDOW_MS);
        let row = nonces::ActiveModel { nonce: Set(nonce.0), expires_at: Set(expires_at) };
        let taken = self
            .database
            .write(async move |connection| {
                nonces::Entity::insert(row)
                    .on_conflict(OnConflict::column(nonces::Column::Nonce).do_nothing().to_owned())
                    .exec_without_returning(&connection)
                    .await
            })
            .await?;
        Ok(taken == 1)
    }

    async fn forget(&self, now: Timestamp) -> Result<(), DatabaseError> {
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
