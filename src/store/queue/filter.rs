//! Which conversations a list of the agents shows, and in which order (`support-admin.md`, `GET /conversations`).

use entity::conversations::{self, Column};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, Order, QueryTrait, Select};

use super::search::SearchTerm;
use crate::database::Backend;
use crate::domain::{Channel, Status, Timestamp, UserId};

/// What no list and no count leaves in: a ticket's own thread, and what nobody has written in. Spelt out, not bound, as
/// the migration spells it: only then does a database see that an index holds all that is asked for.
pub(super) const LISTED: &str = "conversations.channel <> 'ticket' AND conversations.message_count > 0";

/// What is not closed, spelt for the same reason.
const OPEN: &str = "conversations.status <> 'closed'";

/// What is.
const CLOSED: &str = "conversations.status = 'closed'";

/// Where PostgreSQL finds what never changes of a conversation (migration 000005).
pub(super) const ORIGINS: &str = "conversation_origins";

/// Whose it is there.
pub(super) const ORIGIN_ID: &str = "conversation_id";

/// What agents are shown.
fn listed() -> Condition {
    Condition::all().add(Expr::cust(LISTED))
}

/// What agents are shown and is not closed.
pub(in crate::store) fn open() -> Condition {
    listed().add(Expr::cust(OPEN))
}

/// Whose conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssignedTo {
    /// This agent's.
    Agent(UserId),
    /// Those that nobody holds.
    Nobody,
}

/// What must be true of a conversation; what is `None` is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words in it, or of its customer.
    pub search: Option<SearchTerm>,
    /// Whose turn it is.
    pub status: Option<Status>,
    /// Who holds it.
    pub assigned_to: Option<AssignedTo>,
    /// The account it belongs to.
    pub user_id: Option<UserId>,
    /// Whether a ticket was made of it.
    pub has_ticket: Option<bool>,
    /// The app it came by.
    pub channel: Option<Channel>,
    /// The first moment at which it may have begun.
    pub created_from: Option<Timestamp>,
    /// The first moment at which it may not have begun any more.
    pub created_before: Option<Timestamp>,
}

impl Filter {
    /// Whether at most its status is asked for: how many there are is then counted already.
    pub(super) fn is_by_status_alone(&self) -> bool {
        *self == Self { status: self.status, ..Self::default() }
    }

    /// As a condition, but for the words.
    pub(super) fn condition(&self, backend: Backend) -> Condition {
        let assigned_to = self.assigned_to.as_ref().map(|assigned_to| {
            let is_theirs = match assigned_to {
                AssignedTo::Agent(agent) => Column::AssignedTo.eq(agent.as_str()),
                AssignedTo::Nobody => Column::AssignedTo.is_null(),
            };
            // Open or closed, which is all: for each there is an index.
            Condition::any().add(Expr::cust(OPEN).and(is_theirs.clone())).add(Expr::cust(CLOSED).and(is_theirs))
        });
        let has_ticket = self
            .has_ticket
            .map(|has_ticket| if has_ticket { Column::TicketId.is_not_null() } else { Column::TicketId.is_null() });
        // Spelt, as above.
        let channel = self.channel.map(|channel| Expr::cust(format!("conversations.channel = '{}'", channel.as_str())));
        listed()
            .add_option(self.status.map(|status| Column::Status.eq(status.as_str())))
            .add_option(assigned_to)
            .add_option(self.user_id.as_ref().map(|user_id| Column::UserId.eq(user_id.as_str())))
            .add_option(has_ticket)
            .add_option(channel)
            .add_option(self.begun(backend))
    }
}

impl Filter {
    /// When it began, where that is asked.
    fn begun(&self, backend: Backend) -> Option<Condition> {
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

/// What a list is sorted by. Those of one place come by when they were last written in, and then by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// When it began.
    CreatedAt,
    /// When something last changed that the customer can see.
    UpdatedAt,
    /// When it was last written in.
    #[default]
    LastMessageAt,
    /// By the status's name.
    Status,
}

impl SortBy {
    /// Every one, as clients spell it.
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
    /// What counts.
    pub by: SortBy,
    /// Whether the smallest comes first.
    pub is_ascending: bool,
}

impl Sort {
    /// Sorts: every column in one direction, so that an index can be walked.
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
