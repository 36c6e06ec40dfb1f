//! The users, tickets and pending handovers of a page of conversations, in one query each.

use std::collections::HashMap;

use entity::{handovers, tickets, users};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};

use super::handovers::pending_handovers;
use super::reading::{Readings, load_readings};
use super::users::{Users, users_by_id};
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, Reading, UserId};

/// Users and tickets of some conversations.
#[derive(Clone, Debug, Default)]
pub struct Related {
    users: Users,
    tickets: HashMap<Uuid, tickets::Model>,
    readings: Readings,
    handovers: HashMap<Uuid, handovers::Model>,
}

impl Related {
    /// A customer or an agent of them, by account.
    #[must_use]
    pub fn user(&self, id: &str) -> Option<&users::Model> {
        self.users.get(id)
    }

    /// The ticket created from one of them.
    #[must_use]
    pub fn ticket(&self, conversation: &Conversation) -> Option<&tickets::Model> {
        self.tickets.get(&conversation.id.0)
    }

    /// How far one of them has been read.
    #[must_use]
    pub fn reading(&self, conversation: &Conversation) -> Reading {
        self.readings.of(conversation)
    }

    /// The pending handover of one of them.
    #[must_use]
    pub fn pending_handover(&self, conversation: &Conversation) -> Option<&handovers::Model> {
        self.handovers.get(&conversation.id.0)
    }
}

/// The users and the ticket of one conversation.
///
/// # Errors
/// [`DatabaseError`].
pub async fn related_to(database: &Database, conversation: &Conversation) -> Result<Related, DatabaseError> {
    let conversation = conversation.clone();
    database.read(async move |connection| load_related(&connection, &[conversation]).await).await
}

/// The users and tickets of these conversations.
pub(super) async fn load_related(
    connection: &DatabaseConnection,
    conversations: &[Conversation],
) -> Result<Related, DbErr> {
    Ok(Related {
        users: users_by_id(connection, user_ids(conversations)).await?,
        tickets: tickets(connection, conversations).await?,
        readings: load_readings(connection, conversations).await?,
        handovers: pending_handovers(connection, conversations).await?,
    })
}

/// Their customers and the agents they are assigned to.
fn user_ids(conversations: &[Conversation]) -> impl Iterator<Item = &UserId> {
    conversations.iter().flat_map(|conversation| {
        let assignee = conversation.assignee.as_ref().map(|assignee| &assignee.id);
        conversation.owner.account().into_iter().chain(assignee)
    })
}

/// Tickets by their conversation.
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
