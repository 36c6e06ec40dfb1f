//! A customer's own tickets.

use entity::{conversations, tickets};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, Iterable, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::lookup::with_conversations;
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, UserId};
use crate::store::customer_conversations::without_details;
use crate::store::timeline::beginning;

/// The list's bound; no client scrolls further.
const MAX_TICKETS: u64 = 1000;

/// A customer's list of tickets.
#[derive(Clone, Debug)]
pub struct CustomerTickets {
    /// The newest first.
    pub tickets: Vec<Conversation>,
    /// The number of all of them.
    pub total: u64,
}

/// An account's tickets, including those created from its conversations.
///
/// # Errors
/// [`DatabaseError`].
pub async fn tickets_of(database: &Database, account: UserId) -> Result<CustomerTickets, DatabaseError> {
    database
        .read(async move |connection| {
            let own = tickets::Entity::find().filter(tickets::Column::UserId.eq(account.as_str()));
            // The list does not show a ticket's description, which may be 20 KB.
            let rows = own
                .clone()
                .select_only()
                .columns(tickets::Column::iter().filter(|column| !matches!(column, tickets::Column::Description)))
                .column_as(beginning(tickets::Column::Description), tickets::Column::Description)
                .order_by_desc(tickets::Column::CreatedAt)
                .order_by_desc(tickets::Column::Id)
                .limit(MAX_TICKETS)
                .all(&connection)
                .await?;
            let shown = rows.len() as u64;
            let total = if shown < MAX_TICKETS { shown } else { own.count(&connection).await? };
            let tickets = with_conversations(&connection, rows, without_details(conversations::Entity::find())).await?;
            Ok::<_, DbErr>(CustomerTickets { tickets, total })
        })
        .await
}
