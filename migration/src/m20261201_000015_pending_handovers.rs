//! Indexes of the pending handovers, and what rows of earlier releases lack: a handover that was rejected because its
//! conversation was closed is stored as such.
//!
//! Separate from migration 000011, which locks tables: this one reads all handovers once.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Name and columns; every index has the pending ones only, so none grows with the history.
const INDEXES: [(&str, &str); 3] = [
    ("handovers_pending_to", "(to_id)"),
    ("handovers_pending_from", "(from_id)"),
    ("handovers_pending_created_at", "(created_at, id)"),
];

/// The handover that an event resolves, by database: SQLite stores an id as 16 bytes.
const IS_CLOSED_POSTGRES: &str = "event.detail ->> 'resolution' = 'closed' \
    AND event.data ->> 'handover_id' = handovers.id::text";
const IS_CLOSED_SQLITE: &str = "json_extract(event.detail, '$.resolution') = 'closed' \
    AND replace(json_extract(event.data, '$.handover_id'), '-', '') = lower(hex(handovers.id))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for (name, columns) in INDEXES {
            let index = format!("CREATE INDEX {name} ON handovers {columns} WHERE status = 'pending'");
            connection.execute_unprepared(&index).await?;
        }
        let is_closed = match manager.get_database_backend() {
            DbBackend::Postgres => IS_CLOSED_POSTGRES,
            _ => IS_CLOSED_SQLITE,
        };
        let closed = format!(
            "UPDATE handovers SET resolution = 'closed' WHERE status = 'rejected' AND resolution IS NULL AND EXISTS (
                SELECT 1 FROM conversation_events AS event
                WHERE event.conversation_id = handovers.conversation_id AND event.type = 'handover_rejected'
                    AND {is_closed}
            )"
        );
        connection.execute_unprepared(&closed).await.map(|_| ())
    }

    /// Migration 000011 drops the column.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        Ok(())
    }
}
