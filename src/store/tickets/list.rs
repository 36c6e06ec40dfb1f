//! The agents' list of tickets: filter, search, order and pages.

use std::collections::HashMap;

use entity::{conversations, tickets};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::counts::{TicketCounts, counts};
use super::filter::{TicketFilter, TicketOrder, TicketSort};
use super::lookup::with_conversations;
use super::users::users_of;
use crate::database::Database;
use crate::domain::{Conversation, TicketStatus, Timestamp};
use crate::store::search::{Searched, Searching, with_found};
use crate::store::{AssignedTo, Page, Users};

/// A page of the list.
#[derive(Clone, Debug)]
pub struct TicketList {
    /// The tickets on the page, in order.
    pub tickets: Vec<Conversation>,
    /// Their customers and agents, by account.
    pub users: Users,
    /// Counts over all tickets.
    pub counts: TicketCounts,
    /// The number that pass the filter, on all pages.
    pub total: u64,
}

/// A page of the tickets that pass a filter, with counts as of `now`.
///
/// # Errors
/// [`DatabaseError`](crate::database::DatabaseError); within, why a search has no answer.
pub async fn tickets(
    database: &Database,
    filter: TicketFilter,
    order: TicketOrder,
    page: Page,
    now: Timestamp,
) -> Searching<TicketList> {
    let backend = database.backend();
    let counts = database.read(async move |connection| counts(&connection, now).await).await?;
    let matching = filtered(&filter);
    let (rows, total) = match filter.search.clone() {
        Some(term) => {
            let found = with_found(database, term, Searched::Tickets, async move |connection, found| {
                let conversation = Expr::col((tickets::Entity, tickets::Column::ConversationId));
                let matching = matching.filter(found.contain(conversation, backend));
                let total = matching.clone().count(&connection).await?;
                Ok((rows_of(&connection, matching, order, page, total).await?, total))
            });
            match found.await? {
                Ok(found) => found,
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        None => {
            let counted = counts.matching(&filter).map(|total| u64::try_from(total).unwrap_or_default());
            let found = database.read(async move |connection| {
                let total = match counted {
                    Some(total) => total,
                    None => matching.clone().count(&connection).await?,
                };
                Ok::<_, DbErr>((rows_of(&connection, matching, order, page, total).await?, total))
            });
            found.await?
        }
    };
    let read = database.read(async move |connection| {
        let tickets = with_conversations(&connection, rows, conversations::Entity::find()).await?;
        let users = users_of(&connection, &tickets).await?;
        Ok::<_, DbErr>((tickets, users))
    });
    let (tickets, users) = read.await?;
    Ok(Ok(TicketList { tickets, users, counts, total }))
}

/// Ids first: a far page then skips entries of the index without reading their rows. A page after the last one needs no
/// query.
async fn rows_of(
    connection: &impl ConnectionTrait,
    query: Select<tickets::Entity>,
    order: TicketOrder,
    page: Page,
    total: u64,
) -> Result<Vec<tickets::Model>, DbErr> {
    if page.offset() >= total {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = sorted(query.select_only().column(tickets::Column::Id), order)
        .offset(page.offset())
        .limit(u64::from(page.limit))
        .into_tuple()
        .all(connection)
        .await?;
    let found = tickets::Entity::find().filter(tickets::Column::Id.is_in(ids.iter().copied())).all(connection).await?;
    let mut rows: HashMap<Uuid, tickets::Model> = found.into_iter().map(|row| (row.id, row)).collect();
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

fn filtered(filter: &TicketFilter) -> Select<tickets::Entity> {
    use tickets::Column;
    let TicketFilter { search: _, statuses, priority, support_type, assigned_to, unassigned, user, from, until } =
        filter;
    let mut condition = Condition::all();
    if !statuses.is_empty() {
        condition = condition.add(Column::Status.is_in(statuses.iter().map(|status| status.as_str())));
    }
    if *unassigned {
        let open = TicketStatus::OPEN.map(TicketStatus::as_str);
        condition = condition.add(Column::Status.is_in(open)).add(Column::AssignedTo.is_null());
    }
    if let Some(priority) = priority {
        condition = condition.add(Column::PriorityRank.eq(priority.rank()));
    }
    if let Some(support_type) = support_type {
        condition = condition.add(Column::SupportType.eq(support_type.as_str()));
    }
    match assigned_to {
        Some(AssignedTo::Unassigned) => condition = condition.add(Column::AssignedTo.is_null()),
        Some(AssignedTo::Agent(agent)) => condition = condition.add(Column::AssignedTo.eq(agent.as_str())),
        None => {}
    }
    if let Some(user) = user {
        condition = condition.add(Column::UserId.eq(user.as_str()));
    }
    if let Some(from) = from {
        condition = condition.add(Column::CreatedAt.gte(*from));
    }
    if let Some(until) = until {
        condition = condition.add(Column::CreatedAt.lt(*until));
    }
    tickets::Entity::find().filter(condition)
}

fn sorted(query: Select<tickets::Entity>, order: TicketOrder) -> Select<tickets::Entity> {
    use tickets::Column;
    let direction = || if order.is_descending { Order::Desc } else { Order::Asc };
    let sorted = match order.by {
        TicketSort::CreatedAt => query,
        TicketSort::UpdatedAt => query.order_by(Column::UpdatedAt, direction()),
        TicketSort::Priority => query.order_by(Column::PriorityRank, direction()),
        TicketSort::Status => query.order_by(Column::Status, direction()),
        TicketSort::SupportType => query.order_by(Column::SupportType, direction()),
    };
    let sorted = match order.by {
        // Two tickets rarely change in the same millisecond, and the index stays small without the creation time.
        TicketSort::UpdatedAt => sorted,
        _ => sorted.order_by(Column::CreatedAt, direction()),
    };
    sorted.order_by(Column::Id, direction())
}
