//! A customer's own tickets.

use entity::tickets;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::lookup::with_their_conversations;
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, UserId};

/// The most that the list shows; nobody scrolls further, and nothing is unbounded.
const MOST_TICKETS: u64 = 1000;

/// What the list shows.
#[derive(Clone, Debug)]
pub struct OwnTickets {
    /// The newest first.
    pub tickets: Vec<Conversation>,
    /// How many there are.
    pub total: u64,
}

/// An account's tickets, those that were made of its conversations among them.
///
/// # Errors
/// [`DatabaseError`].
pub async fn tickets_of(database: &Database, account: UserId) -> Result<OwnTickets, DatabaseError> {
    database
        .read(async move |connection| {
            let own = tickets::Entity::find().filter(tickets::Column::UserId.eq(account.as_str()));
            let rows = own
                .clone()
                .order_by_desc(tickets::Column::CreatedAt)
                .order_by_desc(tickets::Column::Id)
                .limit(MOST_TICKETS)
                .all(&connection)
                .await?;
            let shown = rows.len() as u64;
            let total = if shown < MOST_TICKETS { shown } else { own.count(&connection).await? };
            let tickets = with_their_conversations(&connection, rows).await?;
            Ok::<_, DbErr>(OwnTickets { tickets, total })
        })
        .await
}
