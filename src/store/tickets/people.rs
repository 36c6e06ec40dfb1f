//! The people in tickets, as the directory has them.

use std::collections::HashMap;

use entity::users;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};

use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, UserId};

/// The customer of a ticket, the agent who has it, and the one who ended it, by account.
///
/// # Errors
/// [`DatabaseError`].
pub async fn people_in_ticket(
    database: &Database,
    ticket: &Conversation,
) -> Result<HashMap<String, users::Model>, DatabaseError> {
    let ids = named_in(ticket);
    database.read(async move |connection| people(&connection, ids).await).await
}

/// Those of several tickets.
pub(super) async fn people_in(
    connection: &DatabaseConnection,
    tickets: &[Conversation],
) -> Result<HashMap<String, users::Model>, DbErr> {
    people(connection, tickets.iter().flat_map(named_in).collect()).await
}

async fn people(connection: &DatabaseConnection, ids: Vec<String>) -> Result<HashMap<String, users::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = users::Entity::find().filter(users::Column::Id.is_in(ids)).all(connection).await?;
    Ok(rows.into_iter().map(|user| (user.id.clone(), user)).collect())
}

fn named_in(conversation: &Conversation) -> Vec<String> {
    let ticket = conversation.ticket.as_ref();
    let assignee = ticket.and_then(|ticket| ticket.assignee.as_ref()).map(|assignee| &assignee.id);
    let resolver = ticket.and_then(|ticket| ticket.resolved.as_ref()).map(|resolved| &resolved.by.id);
    let ids = [conversation.owner.account(), assignee, resolver].into_iter().flatten();
    ids.map(UserId::as_str).map(ToOwned::to_owned).collect()
}
