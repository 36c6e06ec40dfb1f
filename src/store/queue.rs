//! The agents' queue: a page of the conversations that pass a filter, their total, and counts over all conversations.

mod counts;
mod filter;
mod origins;

use entity::conversations::{self, Column};
use sea_orm::sea_query::Expr;
use sea_orm::{Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::related::{Related, load_related};
use super::search::{Searched, Searching, with_found};
use crate::database::{Backend, Database};
use crate::domain::{Conversation, Status, UserId};
use crate::event_codec::decode_conversation;

pub use counts::Counts;
pub(super) use filter::open;
pub use filter::{AssignedTo, Filter, HandoverFilter, Sort, SortBy};

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
/// [`DatabaseError`](crate::database::DatabaseError); within, why a search has no answer.
pub async fn queue(database: &Database, caller: UserId, filter: Filter, sort: Sort, page: Page) -> Searching<Queue> {
    let backend = database.backend();
    let counts = {
        let caller = caller.clone();
        database.read(async move |connection| counts::counts(&connection, &caller).await).await?
    };
    let condition = filter.condition(backend);
    let (conversations, total) = match filter.search.clone() {
        Some(term) => {
            let found = with_found(database, term, Searched::Conversations, async move |connection, found| {
                let condition = condition.add(found.contain(conversations_id(), backend));
                let total = count(&connection, condition.clone()).await?;
                Ok((page_if_any(&connection, condition, (sort, page), backend, total).await?, total))
            });
            match found.await? {
                Ok(found) => found,
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        None => {
            let counted = counted(&filter, &counts, &caller);
            let page = database.read(async move |connection| {
                let total = match counted {
                    Some(total) => total,
                    None => count(&connection, condition.clone()).await?,
                };
                Ok::<_, DbErr>((page_if_any(&connection, condition, (sort, page), backend, total).await?, total))
            });
            page.await?
        }
    };
    let related = database
        .read(async move |connection| {
            let related = load_related(&connection, &conversations).await?;
            Ok::<_, DbErr>((conversations, related))
        })
        .await;
    let (conversations, related) = related?;
    Ok(Ok(Queue { conversations, related, total, counts }))
}

fn conversations_id() -> Expr {
    Expr::col((conversations::Entity, Column::Id))
}

/// A page after the last one needs no query.
async fn page_if_any(
    connection: &impl ConnectionTrait,
    condition: Condition,
    (sort, page): (Sort, Page),
    backend: Backend,
    total: u64,
) -> Result<Vec<Conversation>, DbErr> {
    if page.offset() >= total {
        return Ok(Vec::new());
    }
    page_of(connection, condition, (sort, page), backend).await
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

async fn count(connection: &impl ConnectionTrait, condition: Condition) -> Result<u64, DbErr> {
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
    connection: &impl ConnectionTrait,
    condition: Condition,
    (sort, page): (Sort, Page),
    backend: Backend,
) -> Result<Vec<Conversation>, DbErr> {
    let mut found = conversations::Entity::find().filter(condition);
    sort.sort(&mut found, backend);
    let rows = found.offset(page.offset()).limit(u64::from(page.limit)).all(connection).await?;
    Ok(rows.into_iter().map(decode_conversation).collect::<Result<_, _>>()?)
}
