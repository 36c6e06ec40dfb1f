//! The users of tickets, as the directory has them.

use sea_orm::{DatabaseConnection, DbErr};

use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, UserId};
use crate::store::users::{Users, users_by_id};

/// The customer of a ticket, its assignee and the agent who resolved it, by account.
///
/// # Errors
/// [`DatabaseError`].
pub async fn ticket_users(database: &Database, ticket: &Conversation) -> Result<Users, DatabaseError> {
    let ticket = ticket.clone();
    database.read(async move |connection| users_by_id(&connection, user_ids(&ticket)).await).await
}

/// Those of several tickets.
pub(super) async fn users_of(connection: &DatabaseConnection, tickets: &[Conversation]) -> Result<Users, DbErr> {
    users_by_id(connection, tickets.iter().flat_map(user_ids)).await
}

fn user_ids(conversation: &Conversation) -> impl Iterator<Item = &UserId> {
    let ticket = conversation.ticket.as_ref();
    let assignee = ticket.and_then(|ticket| ticket.assignee.as_ref()).map(|assignee| &assignee.id);
    let resolver = ticket.and_then(|ticket| ticket.resolved.as_ref()).map(|resolved| &resolved.by.id);
    [conversation.owner.account(), assignee, resolver].into_iter().flatten()
}
