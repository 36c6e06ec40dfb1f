//! The agents' queue: a page of the conversations that pass a filter, their total, and counts over all conversations.

mod counts;
mod filter;
mod origins;
mod search;

use entity::conversations::{self, Column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::related::{Related, load_related};
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::{Conversation, Status, UserId};
use crate::event_codec::decode_conversation;

pub use counts::Counts;
pub(super) use filter::open;
pub use filter::{AssignedTo, Filter, Sort, SortBy};
pub use search::{RECENT, SearchTerm};

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The page's number, from 1.
    pub number: u32,
    /// Rows per page, 1 to [`Page::MAX_LIMIT`].
    pub limit: u32,
}

impl Page {
    /// The limit if the client gives none.
    pub const DEFAULT_LIMIT: u32 = 20;
    /// The maximum of a client's limit.
    pub const MAX_LIMIT: u32 = 100;

    /// The number of rows before it.
    #[must_use]
    pub fn offset(self) -> u64 {
        u64::from(self.number.saturating_sub(1)) * u64::from(self.limit)
    }
}

/// A page of the queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The conversations on the page, in order.
    pub conversations: Vec<Conversation>,
    /// Their users and tickets.
    pub related: Related,
    /// The number that pass the filter, on all pages.
    pub total: u64,
    /// Counts over all conversations, whatever the filter.
    pub counts: Counts,
}

/// A page of the conversations that pass a filter. `caller` is whose conversations [`Counts::mine`] counts.
///
/// # Errors
/// [`DatabaseError`].
pub async fn queue(
    database: &Database,
    caller: UserId,
    filter: Filter,
    sort: Sort,
    page: Page,
) -> Result<Queue, DatabaseError> {
    let backend = database.backend();
    database
        .read(async move |connection| {
            let counts = counts::counts(&connection, &caller).await?;
            let condition = full_condition(&filter, backend);
            let total = match counted(&filter, &counts, &caller) {
                Some(total) => total,
                None => count(&connection, condition.clone()).await?,
            };
            // A page after the last one needs no query.
            let is_after_last = page.offset() >= total;
            let conversations =
                if is_after_last { Vec::new() } else { page_of(&connection, condition, (sort, page), backend).await? };
            let related = load_related(&connection, &conversations).await?;
            Ok::<_, DbErr>(Queue { conversations, related, total, counts })
        })
        .await
}

/// The number of conversations that pass the filter, if the counts have it: the badge and the list agree then even while
/// conversations change.
fn counted(filter: &Filter, counts: &Counts, caller: &UserId) -> Option<u64> {
    let by_status = Filter { statuses: filter.statuses.clone(), ..Filter::default() };
    if *filter == by_status {
        return Some(match filter.statuses.as_slice() {
            [] => counts.total(),
            statuses => statuses.iter().map(|status| counts.of(*status)).sum(),
        });
    }
    if *filter == (Filter { unassigned: true, ..Filter::default() }) {
        return Some(counts.unassigned());
    }
    let mine = Filter { assigned_to: Some(AssignedTo::Agent(caller.clone())), ..by_status };
    (*filter == mine && filter.statuses == Status::OPEN).then_some(counts.mine)
}

/// The filter with its search term, as a condition on `conversations`.
fn full_condition(filter: &Filter, backend: Backend) -> Condition {
    let condition = filter.condition(backend);
    let found = filter.search.as_ref().map(|term| term.matching_ids(backend, &condition));
    condition.add_option(found.map(|found| Column::Id.in_subquery(found)))
}

async fn count(connection: &DatabaseConnection, condition: Condition) -> Result<u64, DbErr> {
    let count: Option<i64> = conversations::Entity::find()
        .select_only()
        .column_as(Expr::cust("count(*)"), "count")
        .filter(condition)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(u64::try_from(count.unwrap_or_default()).unwrap_or_default())
}

async fn page_of(
    connection: &DatabaseConnection,
    condition: Condition,
    (sort, page): (Sort, Page),
    backend: Backend,
) -> Result<Vec<Conversation>, DbErr> {
    let mut found = conversations::Entity::find().filter(condition);
    sort.sort(&mut found, backend);
    let rows = found.offset(page.offset()).limit(u64::from(page.limit)).all(connection).await?;
    Ok(rows.into_iter().map(decode_conversation).collect::<Result<_, _>>()?)
}
