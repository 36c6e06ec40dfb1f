//! One ticket by its id or its number.

use std::collections::HashMap;

use entity::{conversations, tickets};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect, Select};

use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId, TicketId};
use crate::event_codec::{decode_conversation, decode_ticket};

/// A ticket's owner and its conversation: what authorisation needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketKey {
    /// The ticket.
    pub id: TicketId,
    /// Its number.
    pub number: String,
    /// The conversation of its messages.
    pub conversation: ConversationId,
    /// Whether it was created from that conversation; otherwise the conversation is a thread of its own.
    pub is_of_conversation: bool,
    /// The account it belongs to.
    pub user_id: Option<String>,
    /// Its contact address.
    pub email: Option<String>,
}

/// The key of the ticket with this id; `None` if there is none.
///
/// # Errors
/// [`DatabaseError`].
pub async fn ticket_of_id(database: &Database, id: TicketId) -> Result<Option<TicketKey>, DatabaseError> {
    key(database, tickets::Column::Id.eq(id.0)).await
}

/// The key of the ticket with one of these spellings of a number; `None` if there is none. The work is the same in both cases, so that response
/// times do not reveal which numbers exist.
///
/// # Errors
/// [`DatabaseError`].
pub async fn ticket_of_number(database: &Database, spellings: [String; 4]) -> Result<Option<TicketKey>, DatabaseError> {
    key(database, tickets::Column::TicketNumber.is_in(spellings)).await
}

/// In the order of [`TicketKey`]'s fields.
type KeyColumns = (Uuid, String, Uuid, bool, Option<String>, Option<String>);

async fn key(database: &Database, which: SimpleExpr) -> Result<Option<TicketKey>, DatabaseError> {
    database
        .read(async move |connection| {
            let found: Option<KeyColumns> = tickets::Entity::find()
                .select_only()
                .columns([
                    tickets::Column::Id,
                    tickets::Column::TicketNumber,
                    tickets::Column::ConversationId,
                    tickets::Column::IsOfConversation,
                    tickets::Column::UserId,
                    tickets::Column::Email,
                ])
                .filter(which)
                .into_tuple()
                .one(&connection)
                .await?;
            Ok::<_, DbErr>(found.map(|(id, number, conversation, is_of_conversation, user_id, email)| TicketKey {
                id: TicketId(id),
                number,
                conversation: ConversationId(conversation),
                is_of_conversation,
                user_id,
                email,
            }))
        })
        .await
}

/// The ticket with this id; `None` if there is none.
///
/// # Errors
/// [`DatabaseError`].
pub async fn ticket(database: &Database, id: TicketId) -> Result<Option<Conversation>, DatabaseError> {
    database
        .read(async move |connection| {
            let row = tickets::Entity::find_by_id(id.0).one(&connection).await?;
            let found =
                with_conversations(&connection, row.into_iter().collect(), conversations::Entity::find()).await?;
            Ok::<_, DbErr>(found.into_iter().next())
        })
        .await
}

/// Adds to each ticket its conversation, in the order of the rows. `query` chooses the conversations' columns.
pub(super) async fn with_conversations(
    connection: &DatabaseConnection,
    rows: Vec<tickets::Model>,
    query: Select<conversations::Entity>,
) -> Result<Vec<Conversation>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = rows.iter().map(|ticket| ticket.conversation_id);
    let found = query.filter(conversations::Column::Id.is_in(ids)).all(connection).await?;
    let mut conversations: HashMap<Uuid, conversations::Model> = found.into_iter().map(|row| (row.id, row)).collect();
    // A ticket is stored in one transaction with its conversation and never deleted, so none is missing.
    rows.into_iter()
        .filter_map(|ticket| conversations.remove(&ticket.conversation_id).map(|row| (row, ticket)))
        .map(|(row, ticket)| {
            let mut conversation = decode_conversation(row)?;
            conversation.ticket = Some(Box::new(decode_ticket(ticket)?));
            Ok(conversation)
        })
        .collect()
}
