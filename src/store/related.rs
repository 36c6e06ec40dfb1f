//! What stands beside conversations: the people in them and the tickets made of them, in one question each for a page.

use std::collections::HashMap;

use entity::{tickets, users};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};

use super::users::{People, people};
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, UserId};

/// People and tickets of some conversations.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    people: People,
    tickets: HashMap<Uuid, tickets::Model>,
}

impl Beside {
    /// A customer or an agent in them, by account.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&users::Model> {
        self.people.get(id)
    }

    /// The ticket that was made of one of them.
    #[must_use]
    pub fn ticket(&self, conversation: &Conversation) -> Option<&tickets::Model> {
        self.tickets.get(&conversation.id.0)
    }
}

/// What stands beside one conversation.
///
/// # Errors
/// [`DatabaseError`].
pub async fn beside_one(database: &Database, conversation: &Conversation) -> Result<Beside, DatabaseError> {
    let conversation = conversation.clone();
    database.read(async move |connection| related(&connection, &[conversation]).await).await
}

/// What stands beside each of these.
pub(super) async fn related(connection: &DatabaseConnection, conversations: &[Conversation]) -> Result<Beside, DbErr> {
    Ok(Beside {
        people: people(connection, named_in(conversations)).await?,
        tickets: tickets(connection, conversations).await?,
    })
}

/// Their customers and the agents who hold them.
fn named_in(conversations: &[Conversation]) -> impl Iterator<Item = &UserId> {
    conversations.iter().flat_map(|conversation| {
        let assignee = conversation.assignee.as_ref().map(|assignee| &assignee.id);
        conversation.owner.account().into_iter().chain(assignee)
    })
}

/// Tickets by the conversation that they were made of.
pub(super) async fn tickets(
    connection: &DatabaseConnection,
    conversations: &[Conversation],
) -> Result<HashMap<Uuid, tickets::Model>, DbErr> {
    if conversations.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = conversations.iter().map(|conversation| conversation.id.0);
    let rows = tickets::Entity::find().filter(tickets::Column::ConversationId.is_in(ids)).all(connection).await?;
    Ok(rows.into_iter().map(|ticket| (ticket.conversation_id, ticket)).collect())
}
