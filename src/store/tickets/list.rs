//! The agents' list of tickets: filtered, searched, sorted, a page at a time.

use std::collections::HashMap;

use entity::{tickets, users};
use sea_orm::sea_query::extension::postgres::PgExpr;
use sea_orm::sea_query::{ExprTrait, LikeExpr};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::counts::{TicketCounts, counts};
use super::lookup::with_their_conversations;
use super::people::people_in;
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::{Conversation, SupportType, TicketPriority, TicketStatus, Timestamp, UserId};
use crate::store::Page;

/// Which tickets; a field that is `None` asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// In number, subject, e-mail, phone number or description, in any case.
    pub search: Option<String>,
    /// How far they are.
    pub status: Option<TicketStatus>,
    /// How urgent.
    pub priority: Option<TicketPriority>,
    /// Of which type.
    pub support_type: Option<SupportType>,
    /// Who has them.
    pub holder: Option<Holder>,
    /// Whose they are.
    pub user: Option<UserId>,
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made before.
    pub until: Option<Timestamp>,
}

/// Who has a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// An agent.
    Agent(UserId),
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

async fn page_of(
    connection: &DatabaseConnection,
    passing: Select<tickets::Entity>,
    order: TicketOrder,
    page: Page,
) -> Result<Vec<Conversation>, DbErr> {
    let rows = sorted(passing, order).offset(page.offset()).limit(u64::from(page.limit)).all(connection).await?;
    with_their_conversations(connection, rows).await
}

fn filtered(filter: &TicketFilter, backend: Backend) -> Select<tickets::Entity> {
    use tickets::Column;
    let TicketFilter { search, status, priority, support_type, holder, user, from, until } = filter;
    let mut passing = Condition::all();
    if let Some(search) = search {
        passing = passing.add(holding(search, backend));
    }
    if let Some(status) = status {
        passing = passing.add(Column::Status.eq(status.as_str()));
    }
    if let Some(priority) = priority {
        passing = passing.add(Column::PriorityRank.eq(priority.rank()));
    }
    if let Some(support_type) = support_type {
        passing = passing.add(Column::SupportType.eq(support_type.as_str()));
    }
    match holder {
        Some(Holder::Nobody) => passing = passing.add(Column::AssignedTo.is_null()),
        Some(Holder::Agent(agent)) => passing = passing.add(Column::AssignedTo.eq(agent.as_str())),
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
    tickets::Entity::find().filter(passing)
}

/// What stands before a character that means itself in a pattern.
const ESCAPE: char = '\\';

/// Any of the searched columns holds these words. On PostgreSQL one index over their trigrams serves all of it.
fn holding(words: &str, backend: Backend) -> Condition {
    use tickets::Column;
    let mut pattern = String::with_capacity(words.len() + 2);
    pattern.push('%');
    for character in words.chars() {
        if ['%', '_', ESCAPE].contains(&character) {
            pattern.push(ESCAPE);
        }
        pattern.push(character);
    }
    pattern.push('%');
    [Column::TicketNumber, Column::Subject, Column::Email, Column::PhoneNumber, Column::Description].into_iter().fold(
        Condition::any(),
        |any, column| {
            any.add(match backend {
                // Takes this escape unless told otherwise; the query builder cannot spell it behind ILIKE.
                Backend::Postgres => column.into_expr().ilike(LikeExpr::new(pattern.as_str())),
                // In any case for ASCII; SQLite knows no other letters' cases.
                Backend::Sqlite => column.into_expr().like(LikeExpr::new(pattern.as_str()).escape(ESCAPE)),
            })
        },
    )
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
