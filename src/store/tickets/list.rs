//! The agents' list of tickets: filtered, searched, sorted, a page at a time.

use std::collections::HashMap;

use entity::{tickets, users};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};

use super::counts::{TicketCounts, counts};
use super::lookup::with_their_conversations;
use super::users::people_in;
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::{Conversation, SupportType, TicketPriority, TicketStatus, Timestamp, UserId};
use crate::store::{AssignedTo, Page, RECENT, SearchTerm};

/// Which tickets; a field that is `None` asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// In number, subject, e-mail, phone number or description.
    pub search: Option<SearchTerm>,
    /// How far they are.
    pub status: Option<TicketStatus>,
    /// How urgent.
    pub priority: Option<TicketPriority>,
    /// Of which type.
    pub support_type: Option<SupportType>,
    /// Who has them.
    pub assigned_to: Option<AssignedTo>,
    /// Whose they are.
    pub user: Option<UserId>,
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made before.
    pub until: Option<Timestamp>,
}

/// In which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketOrder {
    /// By what; equal ones by when they were made, then by their ids.
    pub by: TicketSort,
    /// Backwards: the newest, or the most urgent, first.
    pub is_descending: bool,
}

/// By what tickets are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketSort {
    /// When they were made.
    CreatedAt,
    /// When something last changed.
    UpdatedAt,
    /// How urgent they are.
    Priority,
    /// Their status's name.
    Status,
    /// Their type's name.
    SupportType,
}

/// What the list shows.
#[derive(Clone, Debug)]
pub struct TicketList {
    /// Those on the page.
    pub tickets: Vec<Conversation>,
    /// Customers and agents in them, by account.
    pub people: HashMap<String, users::Model>,
    /// Counts over everything.
    pub counts: TicketCounts,
    /// How many the filter lets through.
    pub total: u64,
}

/// A page of the tickets that a filter lets through, with counts as of `now`.
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
            let passing = filtered(&filter, backend);
            let total = match counts.passing(&filter) {
                Some(total) => u64::try_from(total).unwrap_or_default(),
                None => passing.clone().count(&connection).await?,
            };
            // A page that nobody can be on is not looked for.
            let tickets =
                if page.offset() < total { page_of(&connection, passing, order, page).await? } else { Vec::new() };
            let people = people_in(&connection, &tickets).await?;
            Ok::<_, DbErr>(TicketList { tickets, people, counts, total })
        })
        .await
}

/// Ids first: up to a far page the index is walked alone, and the rows in front of it are not read.
async fn page_of(
    connection: &DatabaseConnection,
    passing: Select<tickets::Entity>,
    order: TicketOrder,
    page: Page,
) -> Result<Vec<Conversation>, DbErr> {
    let ids: Vec<Uuid> = sorted(passing.select_only().column(tickets::Column::Id), order)
        .offset(page.offset())
        .limit(u64::from(page.limit))
        .into_tuple()
        .all(connection)
        .await?;
    let found = tickets::Entity::find().filter(tickets::Column::Id.is_in(ids.iter().copied())).all(connection).await?;
    let mut rows: HashMap<Uuid, tickets::Model> = found.into_iter().map(|row| (row.id, row)).collect();
    let rows = ids.iter().filter_map(|id| rows.remove(id)).collect();
    with_their_conversations(connection, rows).await
}

fn filtered(filter: &TicketFilter, backend: Backend) -> Select<tickets::Entity> {
    use tickets::Column;
    let TicketFilter { search, status, priority, support_type, assigned_to, user, from, until } = filter;
    let mut passing = Condition::all();
    if let Some(status) = status {
        passing = passing.add(Column::Status.eq(status.as_str()));
    }
    if let Some(priority) = priority {
        passing = passing.add(Column::PriorityRank.eq(priority.rank()));
    }
    if let Some(support_type) = support_type {
        passing = passing.add(Column::SupportType.eq(support_type.as_str()));
    }
    match assigned_to {
        Some(AssignedTo::Nobody) => passing = passing.add(Column::AssignedTo.is_null()),
        Some(AssignedTo::Agent(agent)) => passing = passing.add(Column::AssignedTo.eq(agent.as_str())),
        None => {}
    }
    if let Some(user) = user {
        passing = passing.add(Column::UserId.eq(user.as_str()));
    }
    if let Some(from) = from {
        passing = passing.add(Column::CreatedAt.gte(*from));
    }
    if let Some(until) = until {
        passing = passing.add(Column::CreatedAt.lt(*until));
    }
    let found = search.as_ref().map(|term| found(term, backend, &passing));
    tickets::Entity::find().filter(passing.add_option(found))
}

/// The term is in any of the searched columns; on PostgreSQL one index over their trigrams serves all of it. Where it
/// has none to find it by, the [`RECENT`] tickets are looked through that were made last and pass the other filters.
fn found(term: &SearchTerm, backend: Backend, others: &Condition) -> Condition {
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
    // As an array the recent ones are known before anything is joined to them, and are found by their ids; as a
    // subquery PostgreSQL may rather read the whole table.
    let recent = Expr::SubQuery(None, Box::new(recent.into()));
    Condition::all().add(Expr::cust_with_exprs("tickets.id = ANY (ARRAY $1)", [recent])).add(is_in)
}

fn sorted(passing: Select<tickets::Entity>, order: TicketOrder) -> Select<tickets::Entity> {
    use tickets::Column;
    let direction = || if order.is_descending { Order::Desc } else { Order::Asc };
    let sorted = match order.by {
        TicketSort::CreatedAt => passing,
        TicketSort::UpdatedAt => passing.order_by(Column::UpdatedAt, direction()),
        TicketSort::Priority => passing.order_by(Column::PriorityRank, direction()),
        TicketSort::Status => passing.order_by(Column::Status, direction()),
        TicketSort::SupportType => passing.order_by(Column::SupportType, direction()),
    };
    let sorted = match order.by {
        // No two have changed at the same moment often enough to matter, and the index stays small.
        TicketSort::UpdatedAt => sorted,
        _ => sorted.order_by(Column::CreatedAt, direction()),
    };
    sorted.order_by(Column::Id, direction())
}
