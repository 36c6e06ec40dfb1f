//! Handovers between agents, tickets and their numbers, and the counter of closed conversations.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Conversations {
    Table,
    TicketId,
    PendingHandoverId,
}

#[derive(DeriveIden)]
enum Handovers {
    Table,
    Id,
    ConversationId,
    FromId,
    FromName,
    ToId,
    ToName,
    Reason,
    Status,
    CreatedAt,
    RespondedAt,
}

#[derive(DeriveIden)]
enum Tickets {
    Table,
    Id,
    TicketNumber,
    ConversationId,
    IsOfConversation,
    UserId,
    Email,
    PhoneNumber,
    Subject,
    Description,
    SupportType,
    Status,
    Priority,
    PriorityRank,
    AssignedTo,
    AssignedName,
    ResolvedAt,
    ResolvedBy,
    ResolvedByName,
    ResolutionNotes,
    RelatedTransactionId,
    SessionId,
    FirstResponseAt,
    LastResponseAt,
    ResponseTimeSeconds,
    Rating,
    Feedback,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum TicketCounters {
    Table,
    Year,
    Last,
}

#[derive(DeriveIden)]
enum Tallies {
    Table,
    Share,
    Closed,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One statement per column, as SQLite requires.
        for column in [Conversations::TicketId, Conversations::PendingHandoverId] {
            let added = Table::alter().table(Conversations::Table).add_column(ColumnDef::new(column).uuid()).to_owned();
            manager.alter_table(added).await?;
        }
        manager.create_table(handovers()).await?;
        manager.create_table(tickets()).await?;
        manager.create_table(ticket_counters()).await?;
        manager.create_table(tallies()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let connection = manager.get_connection();
        // Partial: the query builder has no such index for both databases.
        connection
            .execute_unprepared(
                "CREATE UNIQUE INDEX handovers_pending ON handovers (conversation_id) WHERE status = 'pending'",
            )
            .await?;
        // The first shard starts with the conversations that were closed before.
        connection
            .execute_unprepared(
                "INSERT INTO tallies (share, closed) SELECT 0, count(*) FROM conversations WHERE status = 'closed'",
            )
            .await
            .map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Tallies::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(TicketCounters::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Tickets::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Handovers::Table).to_owned()).await?;
        for column in [Conversations::PendingHandoverId, Conversations::TicketId] {
            manager.alter_table(Table::alter().table(Conversations::Table).drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

fn handovers() -> TableCreateStatement {
    Table::create()
        .table(Handovers::Table)
        .col(ColumnDef::new(Handovers::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Handovers::ConversationId).uuid().not_null())
        .col(ColumnDef::new(Handovers::FromId).text().not_null())
        .col(ColumnDef::new(Handovers::FromName).text().not_null())
        .col(ColumnDef::new(Handovers::ToId).text().not_null())
        .col(ColumnDef::new(Handovers::ToName).text().not_null())
        .col(ColumnDef::new(Handovers::Reason).text())
        .col(ColumnDef::new(Handovers::Status).text().not_null())
        .col(ColumnDef::new(Handovers::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Handovers::RespondedAt).timestamp_with_time_zone())
        .to_owned()
}

fn tickets() -> TableCreateStatement {
    Table::create()
        .table(Tickets::Table)
        .col(ColumnDef::new(Tickets::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Tickets::TicketNumber).text().not_null())
        .col(ColumnDef::new(Tickets::ConversationId).uuid().not_null())
        .col(ColumnDef::new(Tickets::IsOfConversation).boolean().not_null())
        .col(ColumnDef::new(Tickets::UserId).text())
        .col(ColumnDef::new(Tickets::Email).text())
        .col(ColumnDef::new(Tickets::PhoneNumber).text())
        .col(ColumnDef::new(Tickets::Subject).text().not_null())
        .col(ColumnDef::new(Tickets::Description).text().not_null())
        .col(ColumnDef::new(Tickets::SupportType).text().not_null())
        .col(ColumnDef::new(Tickets::Status).text().not_null())
        .col(ColumnDef::new(Tickets::Priority).text().not_null())
        .col(ColumnDef::new(Tickets::PriorityRank).small_integer().not_null())
        .col(ColumnDef::new(Tickets::AssignedTo).text())
        .col(ColumnDef::new(Tickets::AssignedName).text())
        .col(ColumnDef::new(Tickets::ResolvedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Tickets::ResolvedBy).text())
        .col(ColumnDef::new(Tickets::ResolvedByName).text())
        .col(ColumnDef::new(Tickets::ResolutionNotes).text())
        .col(ColumnDef::new(Tickets::RelatedTransactionId).text())
        .col(ColumnDef::new(Tickets::SessionId).text())
        .col(ColumnDef::new(Tickets::FirstResponseAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Tickets::LastResponseAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Tickets::ResponseTimeSeconds).big_integer())
        .col(ColumnDef::new(Tickets::Rating).small_integer())
        .col(ColumnDef::new(Tickets::Feedback).text())
        .col(ColumnDef::new(Tickets::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Tickets::UpdatedAt).timestamp_with_time_zone().not_null())
        .to_owned()
}

fn ticket_counters() -> TableCreateStatement {
    Table::create()
        .table(TicketCounters::Table)
        .col(ColumnDef::new(TicketCounters::Year).integer().not_null().primary_key())
        .col(ColumnDef::new(TicketCounters::Last).big_integer().not_null())
        .to_owned()
}

fn tallies() -> TableCreateStatement {
    Table::create()
        .table(Tallies::Table)
        .col(ColumnDef::new(Tallies::Share).integer().not_null().primary_key())
        .col(ColumnDef::new(Tallies::Closed).big_integer().not_null())
        .to_owned()
}

/// Tickets by number and by conversation; handovers by conversation.
fn indexes() -> [IndexCreateStatement; 3] {
    [
        Index::create()
            .name("handovers_conversation_id_created_at")
            .table(Handovers::Table)
            .col(Handovers::ConversationId)
            .col(Handovers::CreatedAt)
            .to_owned(),
        Index::create()
            .name("tickets_ticket_number")
            .table(Tickets::Table)
            .col(Tickets::TicketNumber)
            .unique()
            .to_owned(),
        Index::create()
            .name("tickets_conversation_id")
            .table(Tickets::Table)
            .col(Tickets::ConversationId)
            .unique()
            .to_owned(),
    ]
}
