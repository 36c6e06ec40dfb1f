//! One conversation without its messages.

use entity::{conversations, tickets};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Select};

use super::aggregate::aggregate;
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId, EmailAddress, Status, TicketId};
use crate::event_codec::decode_conversation;

/// A conversation's state; `None` if there is none, or none that is shown ([`Conversation::is_shown`]).
///
/// # Errors
/// [`DatabaseError`].
pub async fn conversation(database: &Database, id: ConversationId) -> Result<Option<Conversation>, DatabaseError> {
    database
        .read(async move |connection| {
            let row = conversations::Entity::find_by_id(id.0).one(&connection).await?;
            let Some(row) = row else { return Ok(None) };
            let conversation = aggregate(&connection, row).await?;
            Ok::<_, DbErr>(conversation.is_shown().then_some(conversation))
        })
        .await
}

/// Whether a conversation belongs to this guest, and not to an account by now.
///
/// # Errors
/// [`DatabaseError`].
pub async fn is_of_guest(database: &Database, id: ConversationId, email: &EmailAddress) -> Result<bool, DatabaseError> {
    let email = email.clone();
    database
        .read(async move |connection| {
            let row = conversations::Entity::find_by_id(id.0).one(&connection).await?;
            let conversation = row.map(decode_conversation).transpose()?;
            Ok::<_, DbErr>(conversation.is_some_and(|conversation| conversation.is_of_guest(&email)))
        })
        .await
}

/// A conversation's status; `None` if there is none.
///
/// # Errors
/// [`DatabaseError`].
pub async fn status(database: &Database, id: ConversationId) -> Result<Option<Status>, DatabaseError> {
    let query = conversations::Entity::find_by_id(id.0);
    find_status(database, query).await
}

/// The status of a ticket's conversation; `None` if there is no such ticket.
///
/// # Errors
/// [`DatabaseError`].
pub async fn status_of_ticket(database: &Database, id: TicketId) -> Result<Option<Status>, DatabaseError> {
    let of_ticket = Query::select()
        .column(tickets::Column::ConversationId)
        .from(tickets::Entity)
        .and_where(tickets::Column::Id.eq(id.0))
        .to_owned();
    let query = conversations::Entity::find().filter(conversations::Column::Id.in_subquery(of_ticket));
    find_status(database, query).await
}

async fn find_status(
    database: &Database,
    query: Select<conversations::Entity>,
) -> Result<Option<Status>, DatabaseError> {
    database
        .read(async move |connection| {
            let query = query.select_only().column(conversations::Column::Status);
            let status: Option<String> = query.into_tuple().one(&connection).await?;
            Ok::<_, DbErr>(status.and_then(|status| Status::parse(&status)))
        })
        .await
}
