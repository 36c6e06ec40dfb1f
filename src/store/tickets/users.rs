//! The people in tickets, as the directory has them.

use sea_orm::{DatabaseConnection, DbErr};

use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, UserId};
use crate::store::users::{People, people};

/// The customer of a ticket, the agent who has it, and the one who ended it, by account.
///
/// # Errors
/// [`DatabaseError`].
pub async fn people_in_ticket(database: &Database, ticket: &Conversation) -> Result<People, DatabaseError> {
    let ticket = ticket.clone();
    database.read(async move |connection| people(&connection, named_in(&ticket)).await).await
}

/// Those of several tickets.
pub(super) async fn people_in(connection: &DatabaseConnection, tickets: &[Conversation]) -> Result<People, DbErr> {
    people(connection, tickets.iter().flat_map(named_in)).await
}

fn named_in(conversation: &Conversation) -> impl Iterator<Item = &UserId> {
    let ticket = conversation.ticket.as_ref();
    let assignee = ticket.and_then(|ticket| ticket.assignee.as_ref()).map(|assignee| &assignee.id);
    let resolver = ticket.and_then(|ticket| ticket.resolved.as_ref()).map(|resolved| &resolved.by.id);
    [conversation.owner.account(), assignee, resolver].into_iter().flatten()
}
