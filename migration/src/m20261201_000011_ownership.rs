//! Columns for what agents do beyond claims: whether a rating may be replaced, how a handover was resolved, whether its
//! target has been notified; and a table of agents' sockets.
//!
//! No column needs its table to be rewritten. A server of the previous release names the columns that it reads and
//! writes: the handovers that it requests count as announced, as it announces them at once.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Conversations {
    Table,
    IsRatingReplaceable,
}

#[derive(DeriveIden)]
enum Handovers {
    Table,
    Resolution,
    IsAnnounced,
}

#[derive(DeriveIden)]
enum AgentSockets {
    Table,
    AgentId,
    ServerId,
    ConnectedUntil,
    LastSocketAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            // As in migration 000009: each change is quick, and waits for every reader of its table.
            manager.get_connection().execute_unprepared("SET LOCAL lock_timeout = '3s'").await?;
        }
        let replaceable = ColumnDef::new(Conversations::IsRatingReplaceable).boolean().not_null().default(false).take();
        manager.alter_table(Table::alter().table(Conversations::Table).add_column(replaceable).to_owned()).await?;
        let resolution = ColumnDef::new(Handovers::Resolution).text().take();
        manager.alter_table(Table::alter().table(Handovers::Table).add_column(resolution).to_owned()).await?;
        let announced = ColumnDef::new(Handovers::IsAnnounced).boolean().not_null().default(true).take();
        manager.alter_table(Table::alter().table(Handovers::Table).add_column(announced).to_owned()).await?;
        manager.create_table(agent_sockets()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(AgentSockets::Table).to_owned()).await?;
        for column in [Handovers::IsAnnounced, Handovers::Resolution] {
            manager.alter_table(Table::alter().table(Handovers::Table).drop_column(column).to_owned()).await?;
        }
        let replaceable =
            Table::alter().table(Conversations::Table).drop_column(Conversations::IsRatingReplaceable).take();
        manager.alter_table(replaceable).await
    }
}

fn agent_sockets() -> TableCreateStatement {
    Table::create()
        .table(AgentSockets::Table)
        .col(ColumnDef::new(AgentSockets::AgentId).text().not_null())
        .col(ColumnDef::new(AgentSockets::ServerId).uuid().not_null())
        .col(ColumnDef::new(AgentSockets::ConnectedUntil).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(AgentSockets::LastSocketAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().col(AgentSockets::AgentId).col(AgentSockets::ServerId))
        .to_owned()
}
