//! The e-mail address that a conversation belonged to before its guest moved it to an account (`additions.md`, 6).
//!
//! The column is nullable and has no default, so adding it rewrites no table. A server of the previous release keeps working
//! next to it: it names the columns it reads and writes, and leaves this one as it is.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Conversations {
    Table,
    GuestEmail,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            // See migration 000009.
            manager.get_connection().execute_unprepared("SET LOCAL lock_timeout = '3s'").await?;
        }
        let column = ColumnDef::new(Conversations::GuestEmail).text().take();
        manager.alter_table(Table::alter().table(Conversations::Table).add_column(column).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = Table::alter().table(Conversations::Table).drop_column(Conversations::GuestEmail).to_owned();
        manager.alter_table(drop).await
    }
}
