//! How many conversations there are: the open ones counted, the closed ones from the tally that the journal keeps, so
//! that nothing grows with what was closed long ago.

use std::collections::HashMap;

use entity::{conversations, tallies};
use sea_orm::sea_query::{Alias, Expr, ExprTrait};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::filter;
use crate::domain::{Status, UserId};

/// How many conversations there are, by status and by whether somebody holds them.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    open: HashMap<(String, bool), u64>,
    closed: u64,
    /// Open ones of the caller.
    pub mine: u64,
}

impl Counts {
    /// All.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.open() + self.closed
    }

    /// Those of a status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        match status {
            Status::Closed => self.closed,
            _ => self.held(status, true) + self.held(status, false),
        }
    }

    /// All that are not closed.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.values().sum()
    }

    /// Nobody holds them, and it is support's turn.
    #[must_use]
    pub fn unassigned(&self) -> u64 {
        self.held(Status::Active, false) + self.held(Status::WaitingSupport, false)
    }

    fn held(&self, status: Status, is_held: bool) -> u64 {
        self.open.get(&(status.as_str().to_owned(), is_held)).copied().unwrap_or_default()
    }
}

/// Counts as `caller` sees them.
pub(super) async fn counts(connection: &DatabaseConnection, caller: &UserId) -> Result<Counts, DbErr> {
    let is_held = || conversations::Column::AssignedTo.is_not_null();
    let open: Vec<(String, bool, i64)> = conversations::Entity::find()
        .select_only()
        .column(conversations::Column::Status)
        .column_as(is_held(), "is_held")
        // Not by id, which would have to be read from the table.
        .column_as(Expr::cust("count(*)"), "how_many")
        .filter(filter::open())
        .group_by(conversations::Column::Status)
        .group_by(is_held())
        .into_tuple()
        .all(connection)
        .await?;
    let mine = conversations::Entity::find()
        .filter(filter::open())
        .filter(conversations::Column::AssignedTo.eq(caller.as_str()))
        .select_only()
        .column_as(Expr::cust("count(*)"), "how_many")
        .into_tuple::<i64>()
        .one(connection)
        .await?;
    let closed = tallies::Entity::find()
        .select_only()
        // A sum of big integers is a numeric in PostgreSQL.
        .column_as(tallies::Column::Closed.sum().cast_as(Alias::new("bigint")), "closed")
        .into_tuple::<Option<i64>>()
        .one(connection)
        .await?;
    let counted = |how_many: i64| u64::try_from(how_many).unwrap_or_default();
    Ok(Counts {
        open: open.into_iter().map(|(status, held, how_many)| ((status, held), counted(how_many))).collect(),
        closed: counted(closed.flatten().unwrap_or_default()),
        mine: counted(mine.unwrap_or_default()),
    })
}
