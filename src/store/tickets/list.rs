//! The agents' list of tickets: filter, search, order and pages.

use std::collections::HashMap;

use entity::{conversations, tickets};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};

use super::counts::{TicketCounts, counts};
use super::filter::{TicketFilter, TicketOrder, TicketSort};
use super::lookup::with_conversations;
use super::users::users_of;
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::{Conversation, TicketStatus, Timestamp};
use crate::store::{AssignedTo, Page, RECENT, SearchTerm, Users};

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
/// [`DatabaseError`].
pub async fn tickets(
    database: &Database,
    filter: TicketFilter,
    order: TicketOrder,
    page: Page,
    now: Timestamp,
) -> Result<TicketList, DatabaseError> {
    let backend = database.backend();
    database
        .read(async move |connection| {
            let counts = counts(&connection, now).await?;
            let matching = filtered(&filter, backend);
            let total = match counts.matching(&filter) {
                Some(total) => u64::try_from(total).unwrap_or_default(),
                None => matching.clone().count(&connection).await?,
            };
            // A page after the last one needs no query.
            let tickets =
                if page.offset() < total { page_of(&connection, matching, order, page).await? } else { Vec::new() };
            let users = users_of(&connection, &tickets).await?;
            Ok::<_, DbErr>(TicketList { tickets, users, counts, total })
        })
        .await
}

/// Ids first: a far page then skips entries of the index without reading their rows.
async fn page_of(
    connection: &DatabaseConnection,
    query: Select<tickets::Entity>,
    order: TicketOrder,
    page: Page,
) -> Result<Vec<Conversation>, DbErr> {
    let ids: Vec<Uuid> = sorted(query.select_only().column(tickets::Column::Id), order)
        .offset(page.offset())
        .limit(u64::from(page.limit))
        .into_tuple()
        .all(connection)
        .await?;
    let found = tickets::Entity::find().filter(tickets::Column::Id.is_in(ids.iter().copied())).all(connection).await?;
    let mut rows: HashMap<Uuid, tickets::Model> = found.into_iter().map(|row| (row.id, row)).collect();
    let rows = ids.iter().filter_map(|id| rows.remove(id)).collect();
    with_conversations(connection, rows, conversations::Entity::find()).await
}

fn filtered(filter: &TicketFilter, backend: Backend) -> Select<tickets::Entity> {
    use tickets::Column;
    let TicketFilter { search, statuses, priority, support_type, assigned_to, unassigned, user, from, until } = filter;
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
    let search = search.as_ref().map(|term| search_condition(term, backend, &condition));
    tickets::Entity::find().filter(condition.add_option(search))
}

/// The condition that a searched column has the term. On PostgreSQL one trigram index serves all columns. A term without
/// trigrams is searched in the [`RECENT`] newest tickets that pass the other conditions.
fn search_condition(term: &SearchTerm, backend: Backend, others: &Condition) -> Condition {
    use tickets::Column;
    let searched = [Column::TicketNumber, Column::Subject, Column::Email, Column::PhoneNumber, Column::Description];
    let is_in = searched
        .into_iter()
        .fold(Condition::any(), |any, column| any.add(term.is_in(&Expr::col((tickets::Entity, column)), backend)));
    if backend == Backend::Sqlite || term.has_trigrams() {
        return is_in;
    }
    let recent = tickets::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(others.clone())
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(RECENT)
        .into_query();
    // An array is evaluated first, and its rows are found by their ids. With a subquery PostgreSQL may choose to read the
    // entire table.
    let recent = Expr::SubQuery(None, Box::new(recent.into()));
    Condition::all().add(Expr::cust_with_exprs("tickets.id = ANY (ARRAY $1)", [recent])).add(is_in)
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
