//! Counts of conversations. Open ones are counted; closed ones come from the sharded counter that the journal keeps, so
//! that the cost does not grow with the closed conversations.

use std::collections::HashMap;

use entity::{closed_counters, conversations};
use sea_orm::sea_query::{Alias, Expr, ExprTrait};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::filter;
use crate::domain::{Status, UserId};
use crate::store::handovers::count_handovers_to;

/// Numbers of conversations by status and by whether they are assigned.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    open: HashMap<(String, bool), u64>,
    closed: u64,
    /// Open ones assigned to the caller.
    pub mine: u64,
    /// Handovers that wait for the caller's answer.
    pub handovers_to_me: u64,
}

impl Counts {
    /// All conversations.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.open() + self.closed
    }

    /// Those with a status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        match status {
            Status::Closed => self.closed,
            _ => self.open_with(status, true) + self.open_with(status, false),
        }
    }

    /// Those that are not closed.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.values().sum()
    }

    /// Those that are not assigned and wait for support.
    #[must_use]
    pub fn unassigned(&self) -> u64 {
        self.open_with(Status::Active, false) + self.open_with(Status::WaitingSupport, false)
    }

    fn open_with(&self, status: Status, is_assigned: bool) -> u64 {
        self.open.get(&(status.as_str().to_owned(), is_assigned)).copied().unwrap_or_default()
    }
}

/// The counts; [`Counts::mine`] is of `caller`.
pub(super) async fn counts(connection: &DatabaseConnection, caller: &UserId) -> Result<Counts, DbErr> {
    let is_assigned = || conversations::Column::AssignedTo.is_not_null();
    let open: Vec<(String, bool, i64)> = conversations::Entity::find()
        .select_only()
        .column(conversations::Column::Status)
        .column_as(is_assigned(), "is_assigned")
        // Not `count(id)`, which would read the id from the table.
        .column_as(Expr::cust("count(*)"), "count")
        .filter(filter::open())
        .group_by(conversations::Column::Status)
        .group_by(is_assigned())
        .into_tuple()
        .all(connection)
        .await?;
    let mine = conversations::Entity::find()
        .filter(filter::open())
        .filter(conversations::Column::AssignedTo.eq(caller.as_str()))
        .select_only()
        .column_as(Expr::cust("count(*)"), "count")
        .into_tuple::<i64>()
        .one(connection)
        .await?;
    let closed = closed_counters::Entity::find()
        .select_only()
        // PostgreSQL's sum of bigint is numeric.
        .column_as(closed_counters::Column::Closed.sum().cast_as(Alias::new("bigint")), "closed")
        .into_tuple::<Option<i64>>()
        .one(connection)
        .await?;
    let counted = |count: i64| u64::try_from(count).unwrap_or_default();
    Ok(Counts {
        open: open.into_iter().map(|(status, is_assigned, count)| ((status, is_assigned), counted(count))).collect(),
        closed: counted(closed.flatten().unwrap_or_default()),
        mine: counted(mine.unwrap_or_default()),
        handovers_to_me: count_handovers_to(connection, caller).await?,
    })
}
