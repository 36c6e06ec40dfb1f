//! The agents' queue: a page of all conversations, counts over them, and the people in them.

use std::collections::HashMap;

use entity::{conversations, users};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::stored;
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, Status, UserId};

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

    pub(super) fn offset(self) -> u64 {
        u64::from(self.number.saturating_sub(1)) * u64::from(self.limit)
    }
}

/// What the queue shows.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Those on the page, the last written first.
    pub conversations: Vec<Conversation>,
    /// Customers and agents in them, by account.
    pub people: HashMap<String, users::Model>,
    /// Counts over everything.
    pub counts: Counts,
}

/// How many conversations there are, by status and by whether somebody holds them.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    by: HashMap<(String, bool), u64>,
    /// Open ones of the caller.
    pub mine: u64,
}

impl Counts {
    /// All.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by.values().sum()
    }

    /// Those of a status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        [true, false].into_iter().map(|is_held| self.get(status, is_held)).sum()
    }

    /// All that are not closed.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.total() - self.of(Status::Closed)
    }

    /// Nobody holds them, and it is support's turn.
    #[must_use]
    pub fn unassigned(&self) -> u64 {
        self.get(Status::Active, false) + self.get(Status::WaitingSupport, false)
    }

    fn get(&self, status: Status, is_held: bool) -> u64 {
        self.by.get(&(status.as_str().to_owned(), is_held)).copied().unwrap_or_default()
    }
}

/// A page of the queue, as `caller` sees it.
///
/// # Errors
/// [`DatabaseError`].
pub async fn queue(database: &Database, caller: UserId, page: Page) -> Result<Queue, DatabaseError> {
    database
        .read(async move |connection| {
            let rows = conversations::Entity::find()
                .order_by_desc(conversations::Column::LastMessageAt)
                .order_by_desc(conversations::Column::Id)
                .offset(page.offset())
                .limit(u64::from(page.limit))
                .all(&connection)
                .await?;
            let conversations = rows.into_iter().map(stored::conversation).collect::<Result<Vec<_>, _>>()?;
            let people = people(&connection, &conversations).await?;
            let counts = counts(&connection, &caller).await?;
            Ok::<_, DbErr>(Queue { conversations, people, counts })
        })
        .await
}

/// The customer and the agent of one conversation.
///
/// # Errors
/// [`DatabaseError`].
pub async fn people_in(
    database: &Database,
    conversation: &Conversation,
) -> Result<HashMap<String, users::Model>, DatabaseError> {
    let conversation = conversation.clone();
    database.read(async move |connection| people(&connection, &[conversation]).await).await
}

async fn people(
    connection: &DatabaseConnection,
    conversations: &[Conversation],
) -> Result<HashMap<String, users::Model>, DbErr> {
    let ids: Vec<&str> = conversations
        .iter()
        .flat_map(|conversation| {
            let assignee = conversation.assignee.as_ref().map(|assignee| &assignee.id);
            [conversation.owner.account(), assignee]
        })
        .flatten()
        .map(UserId::as_str)
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = users::Entity::find().filter(users::Column::Id.is_in(ids)).all(connection).await?;
    Ok(rows.into_iter().map(|user| (user.id.clone(), user)).collect())
}

async fn counts(connection: &DatabaseConnection, caller: &UserId) -> Result<Counts, DbErr> {
    let is_held = || conversations::Column::AssignedTo.is_not_null();
    let by: Vec<(String, bool, i64)> = conversations::Entity::find()
        .select_only()
        .column(conversations::Column::Status)
        .column_as(is_held(), "is_held")
        .column_as(conversations::Column::Id.count(), "how_many")
        .group_by(conversations::Column::Status)
        .group_by(is_held())
        .into_tuple()
        .all(connection)
        .await?;
    let mine = conversations::Entity::find()
        .filter(conversations::Column::AssignedTo.eq(caller.as_str()))
        .filter(conversations::Column::Status.ne(Status::Closed.as_str()))
        .count(connection)
        .await?;
    let by = by
        .into_iter()
        .map(|(status, is_held, how_many)| ((status, is_held), u64::try_from(how_many).unwrap_or_default()))
        .collect();
    Ok(Counts { by, mine })
}
