//! Filter and order of the agents' lists (`support-admin.md`, `GET /conversations`).

use entity::conversations::{self, Column};
use entity::handovers;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, Order, QueryTrait, Select};

use super::origins::{ORIGIN_ID, ORIGINS};
use crate::database::Backend;
use crate::domain::{Channel, SearchTerm, Status, Timestamp, UserId};
use crate::store::handovers::with_pending_handover;

/// What every list and count excludes: threads of standalone tickets, and conversations without a message. It is raw SQL
/// with the text of the migration, without parameters: only then does the planner see that a partial index covers it.
pub(super) const LISTED: &str = "conversations.channel <> 'ticket' AND conversations.message_count > 0";

/// Not closed; raw SQL for the same reason.
const OPEN: &str = "conversations.status <> 'closed'";

/// What [`super::Counts::unassigned`] counts.
const UNASSIGNED: &str = "conversations.assigned_to IS NULL AND conversations.status IN ('active', 'waiting_support')";

/// Closed.
const CLOSED: &str = "conversations.status = 'closed'";

/// The conversations that agents see.
fn listed() -> Condition {
    Condition::all().add(Expr::cust(LISTED))
}

/// The open conversations that agents see.
pub(in crate::store) fn open() -> Condition {
    listed().add(Expr::cust(OPEN))
}

/// A filter by assignee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssignedTo {
    /// Assigned to this agent.
    Agent(UserId),
    /// Not assigned.
    Unassigned,
}

/// A filter by the side of a pending handover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandoverFilter {
    /// It waits for this agent's answer.
    To(UserId),
    /// This agent has requested it.
    From(UserId),
}

impl HandoverFilter {
    fn condition(&self) -> SimpleExpr {
        let (side, agent) = match self {
            Self::To(agent) => (handovers::Column::ToId, agent),
            Self::From(agent) => (handovers::Column::FromId, agent),
        };
        Column::Id.in_subquery(with_pending_handover(side, agent))
    }
}

/// Conditions on a conversation; a field that is `None` is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A term in its messages, its customer's data or its ticket.
    pub search: Option<SearchTerm>,
    /// One of these statuses; none of them is no condition.
    pub statuses: Vec<Status>,
    /// The assignee.
    pub assigned_to: Option<AssignedTo>,
    /// Whether only those that [`super::Counts::unassigned`] counts.
    pub unassigned: bool,
    /// The account it belongs to.
    pub user_id: Option<UserId>,
    /// Whether a ticket was created from it.
    pub has_ticket: Option<bool>,
    /// The pending handover.
    pub handover: Option<HandoverFilter>,
    /// The channel.
    pub channel: Option<Channel>,
    /// The earliest time of its creation.
    pub created_from: Option<Timestamp>,
    /// The time that it was created before.
    pub created_before: Option<Timestamp>,
}

impl Filter {
    /// The filter as a condition, without the search term.
    pub(super) fn condition(&self, backend: Backend) -> Condition {
        let may_be_open = self.unassigned || self.statuses.iter().any(|status| *status != Status::Closed);
        let may_be_closed = !self.unassigned && self.statuses.contains(&Status::Closed);
        let assigned_to = self.assigned_to.as_ref().map(|assigned_to| {
            let is_theirs = match assigned_to {
                AssignedTo::Agent(agent) => Column::AssignedTo.eq(agent.as_str()),
                AssignedTo::Unassigned => Column::AssignedTo.is_null(),
            };
            // Open or closed, which is any conversation: there is an index for each.
            let is_in = |condition| Expr::cust(condition).and(is_theirs.clone());
            Condition::any()
                .add_option((may_be_open || !may_be_closed).then(|| is_in(OPEN)))
                .add_option((may_be_closed || !may_be_open).then(|| is_in(CLOSED)))
        });
        let status = self.status();
        let has_ticket = self
            .has_ticket
            .map(|has_ticket| if has_ticket { Column::TicketId.is_not_null() } else { Column::TicketId.is_null() });
        // Raw SQL, as above.
        let channel = self.channel.map(|channel| Expr::cust(format!("conversations.channel = '{}'", channel.as_str())));
        listed()
            .add_option(status)
            .add_option(self.unassigned.then(|| Condition::all().add(Expr::cust(UNASSIGNED)).add(Expr::cust(OPEN))))
            .add_option(assigned_to)
            .add_option(self.user_id.as_ref().map(|user_id| Column::UserId.eq(user_id.as_str())))
            .add_option(has_ticket)
            .add_option(self.handover.as_ref().map(HandoverFilter::condition))
            .add_option(channel)
            .add_option(self.created_within(backend))
    }
}

impl Filter {
    fn status(&self) -> Option<Condition> {
        let all = self.statuses.is_empty() || self.statuses == Status::ALL;
        if all {
            return None;
        }
        let open = (!self.statuses.contains(&Status::Closed)).then(|| Expr::cust(OPEN));
        let one = (self.statuses != Status::OPEN).then(|| match self.statuses.as_slice() {
            [status] => Column::Status.eq(status.as_str()),
            statuses => Column::Status.is_in(statuses.iter().map(|status| status.as_str())),
        });
        Some(Condition::all().add_option(open).add_option(one))
    }

    /// The condition on the time of creation, if there is one.
    fn created_within(&self, backend: Backend) -> Option<Condition> {
        if self.created_from.is_none() && self.created_before.is_none() {
            return None;
        }
        let within = |created_at: Expr| {
            Condition::all()
                .add_option(self.created_from.map(|from| created_at.clone().gte(from)))
                .add_option(self.created_before.map(|before| created_at.lt(before)))
        };
        Some(match backend {
            Backend::Sqlite => within(Expr::col((conversations::Entity, Column::CreatedAt))),
            Backend::Postgres => Condition::all().add(
                Column::Id.in_subquery(
                    Query::select()
                        .column(ORIGIN_ID)
                        .from(ORIGINS)
                        .cond_where(within(Expr::col((ORIGINS, Column::CreatedAt))))
                        .take(),
                ),
            ),
        })
    }
}

/// The sort key of a list. Ties are sorted by the last message's time and then by id, where the index has these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// Time of creation.
    CreatedAt,
    /// Time of the last change that the customer can see.
    UpdatedAt,
    /// Time of the last visible message.
    #[default]
    LastMessageAt,
    /// By the status's name.
    Status,
}

impl SortBy {
    /// Every key under its name in the API.
    pub const ALL: [(&'static str, Self); 4] = [
        ("createdAt", Self::CreatedAt),
        ("updatedAt", Self::UpdatedAt),
        ("last_message_at", Self::LastMessageAt),
        ("status", Self::Status),
    ];
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    /// The sort key.
    pub by: SortBy,
    /// Whether the smallest is first.
    pub is_ascending: bool,
}

impl Sort {
    /// Orders a query: all columns in one direction, so that an index serves the order.
    pub(super) fn sort(self, list: &mut Select<conversations::Entity>, backend: Backend) {
        let order = if self.is_ascending { Order::Asc } else { Order::Desc };
        let list = QueryTrait::query(list);
        let columns: &[Column] = match self.by {
            SortBy::CreatedAt if backend == Backend::Postgres => {
                let of_it = Expr::col((ORIGINS, ORIGIN_ID)).equals((conversations::Entity, Column::Id));
                list.inner_join(ORIGINS, of_it)
                    .order_by((ORIGINS, Column::CreatedAt), order.clone())
                    .order_by((ORIGINS, ORIGIN_ID), order);
                return;
            }
            SortBy::CreatedAt => &[Column::CreatedAt, Column::Id],
            SortBy::UpdatedAt => &[Column::UpdatedAt, Column::Id],
            SortBy::LastMessageAt => &[Column::LastMessageAt, Column::Id],
            SortBy::Status => &[Column::Status, Column::LastMessageAt, Column::Id],
        };
        for column in columns {
            list.order_by((conversations::Entity, *column), order.clone());
        }
    }
}
