//! The role of each agent's latest token, and how far customers and agents have read.
//!
//! Two new tables, and a column with a constant default, which rewrites no table. A server of the previous release keeps
//! working next to them: it names the columns it reads and writes. What is not in the tables is as it was: a person whose
//! role is not stored has that of their token, and a conversation without a row has been read as far as it was answered.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum AgentRoles {
    Table,
    UserId,
    Role,
    IssuedAt,
    ArrivedAt,
    Tokens,
    Version,
    ChangedAt,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    TokenIssuedAt,
}

#[derive(DeriveIden)]
enum ReadMarks {
    Table,
    ConversationId,
    CustomerSeq,
    AgentSeq,
}

const CHANGES: &str = "agent_roles_changed_at_idx";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(AgentRoles::Table)
                    .col(ColumnDef::new(AgentRoles::UserId).text().not_null().primary_key())
                    .col(ColumnDef::new(AgentRoles::Role).text().not_null())
                    .col(ColumnDef::new(AgentRoles::IssuedAt).big_integer().not_null())
                    .col(ColumnDef::new(AgentRoles::ArrivedAt).big_integer().not_null())
                    .col(ColumnDef::new(AgentRoles::Tokens).text().not_null())
                    .col(ColumnDef::new(AgentRoles::Version).big_integer().not_null())
                    .col(ColumnDef::new(AgentRoles::ChangedAt).big_integer().not_null())
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(ReadMarks::Table)
                    .col(ColumnDef::new(ReadMarks::ConversationId).uuid().not_null().primary_key())
                    .col(ColumnDef::new(ReadMarks::CustomerSeq).big_integer().not_null())
                    .col(ColumnDef::new(ReadMarks::AgentSeq).big_integer().not_null())
                    .to_owned(),
            )
            .await?;
        let changes = Index::create().name(CHANGES).table(AgentRoles::Table).col(AgentRoles::ChangedAt).to_owned();
        manager.create_index(changes).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            // The change is quick, but it waits for every reader of its table, and meanwhile every commit of a running
            // server waits for it. After this time it fails, and the operator starts the migration again.
            manager.get_connection().execute_unprepared("SET LOCAL lock_timeout = '3s'").await?;
        }
        let issued_at = ColumnDef::new(Users::TokenIssuedAt).big_integer().not_null().default(0).take();
        manager.alter_table(Table::alter().table(Users::Table).add_column(issued_at).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let issued_at = Table::alter().table(Users::Table).drop_column(Users::TokenIssuedAt).to_owned();
        manager.alter_table(issued_at).await?;
        manager.drop_table(Table::drop().table(ReadMarks::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(AgentRoles::Table).to_owned()).await
    }
}
