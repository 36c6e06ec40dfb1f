//! Stores which handovers were rejected because their conversation was closed, for events of earlier releases.
//!
//! Earlier releases wrote such a rejection and the close as two consecutive events of one agent at one time, and
//! recognised it only by that. This migration does so once; from then on the event itself has the resolution. It is
//! separate from the one before, which locks the table: this update takes a while on a large one.
//!
//! A server of the previous release that still runs writes further such events without it. They decode as rejected by
//! the target, and the target is then not notified of the end, if this server announces the event at all.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const UP: &str = "UPDATE conversation_events SET detail = '{\"resolution\":\"closed\"}'
    WHERE type = 'handover_rejected' AND detail IS NULL AND EXISTS (
        SELECT 1 FROM conversation_events AS closed
        WHERE closed.conversation_id = conversation_events.conversation_id
            AND closed.position = conversation_events.position + 1
            AND closed.type = 'closed'
            AND closed.actor_id = conversation_events.actor_id
            AND closed.created_at = conversation_events.created_at
    )";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(UP).await.map(|_| ())
    }

    /// Nothing: migration 000009 drops the column.
    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
