//! Conversations, their messages, and their other events.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Conversations {
    Table,
    Id,
    Channel,
    UserId,
    Email,
    PhoneNumber,
    Status,
    AssignedTo,
    AssignedName,
    AssignedAt,
    Version,
    LastSeq,
    MessageCount,
    LastMessage,
    LastMessageIsFromUser,
    LastMessageSenderName,
    LastMessageAt,
    Rating,
    Feedback,
    DeviceMetadata,
    IpAddress,
    UserAgent,
    CreatedAt,
    UpdatedAt,
    LastEventAt,
}

#[derive(DeriveIden)]
enum Messages {
    Table,
    Id,
    ConversationId,
    Position,
    Seq,
    Body,
    IsInternal,
    IsFromUser,
    Sender,
    SenderId,
    SenderName,
    SenderEmail,
    ClientMessageId,
    CreatedAt,
}

#[derive(DeriveIden)]
enum ConversationEvents {
    Table,
    Id,
    ConversationId,
    Position,
    Type,
    ActorId,
    ActorName,
    Data,
    CreatedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(conversations()).await?;
        manager.create_table(messages()).await?;
        manager.create_table(conversation_events()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // Partial, so that a message without a client_message_id needs no index entry. The query builder has no partial
        // unique index for both databases, but the statement is the same.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX messages_sender_client_message_id \
                 ON messages (sender, client_message_id) WHERE client_message_id IS NOT NULL",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(ConversationEvents::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Messages::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Conversations::Table).to_owned()).await
    }
}

fn conversations() -> TableCreateStatement {
    Table::create()
        .table(Conversations::Table)
        .col(ColumnDef::new(Conversations::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Conversations::Channel).text().not_null())
        .col(ColumnDef::new(Conversations::UserId).text())
        .col(ColumnDef::new(Conversations::Email).text())
        .col(ColumnDef::new(Conversations::PhoneNumber).text())
        .col(ColumnDef::new(Conversations::Status).text().not_null())
        .col(ColumnDef::new(Conversations::AssignedTo).text())
        .col(ColumnDef::new(Conversations::AssignedName).text())
        .col(ColumnDef::new(Conversations::AssignedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Conversations::Version).big_integer().not_null())
        .col(ColumnDef::new(Conversations::LastSeq).big_integer().not_null())
        .col(ColumnDef::new(Conversations::MessageCount).big_integer().not_null())
        .col(ColumnDef::new(Conversations::LastMessage).text())
        .col(ColumnDef::new(Conversations::LastMessageIsFromUser).boolean())
        .col(ColumnDef::new(Conversations::LastMessageSenderName).text())
        .col(ColumnDef::new(Conversations::LastMessageAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Conversations::Rating).small_integer())
        .col(ColumnDef::new(Conversations::Feedback).text())
        .col(ColumnDef::new(Conversations::DeviceMetadata).json())
        .col(ColumnDef::new(Conversations::IpAddress).text())
        .col(ColumnDef::new(Conversations::UserAgent).text())
        .col(ColumnDef::new(Conversations::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Conversations::UpdatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Conversations::LastEventAt).timestamp_with_time_zone().not_null())
        .to_owned()
}

/// No foreign key: only the journal inserts rows, each after locking the conversation's row, and nothing is deleted.
fn messages() -> TableCreateStatement {
    Table::create()
        .table(Messages::Table)
        .col(ColumnDef::new(Messages::ConversationId).uuid().not_null())
        .col(ColumnDef::new(Messages::Position).big_integer().not_null())
        .col(ColumnDef::new(Messages::Id).uuid().not_null())
        .col(ColumnDef::new(Messages::Seq).big_integer())
        .col(ColumnDef::new(Messages::Body).text().not_null())
        .col(ColumnDef::new(Messages::IsInternal).boolean().not_null())
        .col(ColumnDef::new(Messages::IsFromUser).boolean().not_null())
        .col(ColumnDef::new(Messages::Sender).text().not_null())
        .col(ColumnDef::new(Messages::SenderId).text())
        .col(ColumnDef::new(Messages::SenderName).text())
        .col(ColumnDef::new(Messages::SenderEmail).text())
        .col(ColumnDef::new(Messages::ClientMessageId).text())
        .col(ColumnDef::new(Messages::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().col(Messages::ConversationId).col(Messages::Position))
        .to_owned()
}

fn conversation_events() -> TableCreateStatement {
    Table::create()
        .table(ConversationEvents::Table)
        .col(ColumnDef::new(ConversationEvents::ConversationId).uuid().not_null())
        .col(ColumnDef::new(ConversationEvents::Position).big_integer().not_null())
        .col(ColumnDef::new(ConversationEvents::Id).uuid().not_null())
        .col(ColumnDef::new(ConversationEvents::Type).text().not_null())
        .col(ColumnDef::new(ConversationEvents::ActorId).text())
        .col(ColumnDef::new(ConversationEvents::ActorName).text())
        .col(ColumnDef::new(ConversationEvents::Data).json().not_null())
        .col(ColumnDef::new(ConversationEvents::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().col(ConversationEvents::ConversationId).col(ConversationEvents::Position))
        .to_owned()
}

/// An index per list: a user's own, the agents' queue, and the counts over it.
fn indexes() -> [IndexCreateStatement; 3] {
    [
        Index::create()
            .name("conversations_user_id_updated_at")
            .table(Conversations::Table)
            .col(Conversations::UserId)
            .col(Conversations::UpdatedAt)
            .to_owned(),
        Index::create()
            .name("conversations_last_message_at_id")
            .table(Conversations::Table)
            .col(Conversations::LastMessageAt)
            .col(Conversations::Id)
            .to_owned(),
        Index::create()
            .name("conversations_status_assigned_to")
            .table(Conversations::Table)
            .col(Conversations::Status)
            .col(Conversations::AssignedTo)
            .to_owned(),
    ]
}
