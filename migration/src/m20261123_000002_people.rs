//! The user directory: every account that has authenticated.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    IsAgent,
    Role,
    Email,
    FirstName,
    LastName,
    Name,
    PhoneNumber,
    SmipayTag,
    Picture,
    CreatedAt,
    LastSeenAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(Users::Table)
                    .col(ColumnDef::new(Users::Id).text().not_null().primary_key())
                    .col(ColumnDef::new(Users::IsAgent).boolean().not_null())
                    .col(ColumnDef::new(Users::Role).text().not_null())
                    .col(ColumnDef::new(Users::Email).text())
                    .col(ColumnDef::new(Users::FirstName).text())
                    .col(ColumnDef::new(Users::LastName).text())
                    .col(ColumnDef::new(Users::Name).text())
                    .col(ColumnDef::new(Users::PhoneNumber).text())
                    .col(ColumnDef::new(Users::SmipayTag).text())
                    .col(ColumnDef::new(Users::Picture).text())
                    .col(ColumnDef::new(Users::CreatedAt).timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new(Users::LastSeenAt).timestamp_with_time_zone().not_null())
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Users::Table).to_owned()).await
    }
}
