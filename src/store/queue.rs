//! The agents' queue: a page of the conversations that fit, how many fit, and counts over everything.

mod counts;
mod filter;
mod search;

use entity::conversations::{self, Column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::related::{Beside, related};
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::{Conversation, UserId};
use crate::event_codec::decode_conversation;

pub use counts::Counts;
pub(super) use filter::open;
pub use filter::{AssignedTo, Filter, Sort, SortBy};
pub use search::{RECENT, SearchTerm};

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// How many on it, 1 to [`Page::MAX_LIMIT`].
    pub limit: u32,
}

impl Page {
    /// How many where nothing is said.
    pub const DEFAULT_LIMIT: u32 = 20;
    /// How many at most.
    pub const MAX_LIMIT: u32 = 100;

    /// How many stand in front of it.
    #[must_use]
    pub fn offset(self) -> u64 {
        u64::from(self.number.saturating_sub(1)) * u64::from(self.limit)
    }
}

/// What the queue shows.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Those on the page, in order.
    pub conversations: Vec<Conversation>,
    /// People and tickets of them.
    pub beside: Beside,
    /// How many fit, on all pages.
    pub total: u64,
    /// Counts over everything, whatever fits.
    pub counts: Counts,
}

/// A page of the conversations that fit, as `caller` sees them.
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
            let fitting = fitting(&filter, backend);
            let total = match filter.status {
                None if filter.is_by_status_alone() => counts.total(),
                Some(status) if filter.is_by_status_alone() => counts.of(status),
                _ => how_many(&connection, fitting.clone()).await?,
            };
            // Behind the end there is nothing to look for.
            let is_behind = page.offset() >= total;
            let conversations =
                if is_behind { Vec::new() } else { on_page(&connection, fitting, (sort, page), backend).await? };
            let beside = related(&connection, &conversations).await?;
            Ok::<_, DbErr>(Queue { conversations, beside, total, counts })
        })
        .await
}

/// What fits, as a condition on `conversations`.
fn fitting(filter: &Filter, backend: Backend) -> Condition {
    let condition = filter.condition(backend);
    let found = filter.search.as_ref().map(|term| term.found_in(backend, &condition));
    condition.add_option(found.map(|found| Column::Id.in_subquery(found)))
}

async fn how_many(connection: &DatabaseConnection, fitting: Condition) -> Result<u64, DbErr> {
    let how_many: Option<i64> = conversations::Entity::find()
        .select_only()
        .column_as(Expr::cust("count(*)"), "how_many")
        .filter(fitting)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(u64::try_from(how_many.unwrap_or_default()).unwrap_or_default())
}

async fn on_page(
    connection: &DatabaseConnection,
    fitting: Condition,
    (sort, page): (Sort, Page),
    backend: Backend,
) -> Result<Vec<Conversation>, DbErr> {
    let mut found = conversations::Entity::find().filter(fitting);
    sort.sort(&mut found, backend);
    let rows = found.offset(page.offset()).limit(u64::from(page.limit)).all(connection).await?;
    Ok(rows.into_iter().map(decode_conversation).collect::<Result<_, _>>()?)
}
