//! Columns for what events hold and rows did not: agents' e-mail addresses, customers' contact data, how a handover was
//! resolved, a ticket's first priority (`detail`), and the phone number of a customer who writes.
//!
//! Both columns are nullable and have no default, so adding them rewrites no table. A server of the previous release
//! keeps working next to them: it names the columns it reads and writes, and leaves these null.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Messages {
    Table,
    SenderPhoneNumber,
}

#[derive(DeriveIden)]
enum ConversationEvents {
    Table,
    Detail,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            // Each change is quick, but it waits for every reader of its table, and meanwhile every commit of a running
            // server waits for it. After this time it fails, and the operator starts the migration again.
            manager.get_connection().execute_unprepared("SET LOCAL lock_timeout = '3s'").await?;
        }
        let phone_number = ColumnDef::new(Messages::SenderPhoneNumber).text().take();
        manager.alter_table(Table::alter().table(Messages::Table).add_column(phone_number).to_owned()).await?;
        let detail = ColumnDef::new(ConversationEvents::Detail).json().take();
        manager.alter_table(Table::alter().table(ConversationEvents::Table).add_column(detail).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let detail = Table::alter().table(ConversationEvents::Table).drop_column(ConversationEvents::Detail).to_owned();
        manager.alter_table(detail).await?;
        let phone_number = Table::alter().table(Messages::Table).drop_column(Messages::SenderPhoneNumber).to_owned();
        manager.alter_table(phone_number).await
    }
}
