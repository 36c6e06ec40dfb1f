//! Counts of tickets by kind, from the sharded counters that triggers keep (migration 000006): counting a million tickets
//! for each list would cost more than all other queries together.

#[cfg(test)]
mod tests;

use chrono::TimeDelta;
use entity::{ticket_day_counters, ticket_kind_counters};
use sea_orm::sea_query::{Alias, Func, SimpleExpr};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};

use super::filter::TicketFilter;
use crate::domain::{SupportType, TicketPriority, TicketStatus, Timestamp};
use crate::store::AssignedTo;

/// The format of a day in `ticket_days`: it sorts by time.
const DAY_FORMAT: &str = "%Y-%m-%d";

/// Counts over all tickets, whatever a list's filter.
#[derive(Clone, Debug, Default)]
pub struct TicketCounts {
    kinds: Vec<KindCount>,
    /// Created since midnight UTC.
    pub new_today: i64,
    /// Created since seven days before that.
    pub new_this_week: i64,
    /// Created since thirty days before that.
    pub new_this_month: i64,
}

/// Measures of support's performance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Performance {
    /// Average time from creation to the first answer; 0 if no ticket was answered.
    pub average_response_seconds: f64,
    /// Average stars; 0 if no ticket was rated.
    pub average_rating: f64,
    /// Rated tickets.
    pub total_rated: i64,
}

/// Sums over the tickets of one kind.
#[derive(Clone, Debug, FromQueryResult)]
struct KindCount {
    status: String,
    priority: String,
    support_type: String,
    is_assigned: bool,
    tickets: i64,
    responded: i64,
    response_seconds: i64,
    rated: i64,
    stars: i64,
}

impl TicketCounts {
    /// All tickets.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.sum(|_| true, |kind| kind.tickets)
    }

    /// Those with a status.
    #[must_use]
    pub fn of_status(&self, status: TicketStatus) -> i64 {
        self.sum(|kind| kind.status == status.as_str(), |kind| kind.tickets)
    }

    /// Those with a priority.
    #[must_use]
    pub fn of_priority(&self, priority: TicketPriority) -> i64 {
        self.sum(|kind| kind.priority == priority.as_str(), |kind| kind.tickets)
    }

    /// Those with a support type.
    #[must_use]
    pub fn of_type(&self, support_type: SupportType) -> i64 {
        self.sum(|kind| kind.support_type == support_type.as_str(), |kind| kind.tickets)
    }

    /// Those that wait for support.
    #[must_use]
    pub fn open(&self) -> i64 {
        self.sum(KindCount::is_open, |kind| kind.tickets)
    }

    /// Open ones that are not assigned.
    #[must_use]
    pub fn unassigned(&self) -> i64 {
        self.sum(KindCount::is_unassigned, |kind| kind.tickets)
    }

    /// Measures of support's performance.
    #[must_use]
    pub fn performance(&self) -> Performance {
        let all = |of: fn(&KindCount) -> i64| self.sum(|_| true, of);
        let total_rated = all(|kind| kind.rated);
        Performance {
            average_response_seconds: average(all(|kind| kind.response_seconds), all(|kind| kind.responded)),
            average_rating: average(all(|kind| kind.stars), total_rated),
            total_rated,
        }
    }

    /// The number of tickets that pass a filter, if the counters have it: the filter uses only status, priority, type and
    /// whether a ticket is assigned.
    pub(super) fn matching(&self, filter: &TicketFilter) -> Option<i64> {
        let TicketFilter { search, statuses, priority, support_type, assigned_to, unassigned, user, from, until } =
            filter;
        if search.is_some() || user.is_some() || from.is_some() || until.is_some() {
            return None;
        }
        if matches!(assigned_to, Some(AssignedTo::Agent(_))) {
            return None;
        }
        let passes = |kind: &KindCount| {
            (statuses.is_empty() || statuses.iter().any(|status| kind.status == status.as_str()))
                && priority.is_none_or(|priority| kind.priority == priority.as_str())
                && support_type.is_none_or(|support_type| kind.support_type == support_type.as_str())
                && (assigned_to.is_none() || !kind.is_assigned)
                && (!unassigned || kind.is_unassigned())
        };
        Some(self.sum(passes, |kind| kind.tickets))
    }

    fn sum(&self, which: impl Fn(&KindCount) -> bool, of: impl Fn(&KindCount) -> i64) -> i64 {
        self.kinds.iter().filter(|kind| which(kind)).map(of).sum()
    }
}

impl KindCount {
    fn is_open(&self) -> bool {
        TicketStatus::OPEN.into_iter().any(|status| self.status == status.as_str())
    }

    fn is_unassigned(&self) -> bool {
        self.is_open() && !self.is_assigned
    }
}

/// With one decimal; 0 if `of` is 0.
fn average(sum: i64, of: i64) -> f64 {
    if of == 0 {
        return 0.0;
    }
    // Rounded to tenths in integers, which is exact for any sum of seconds.
    let tenths = i128::from(sum) * 10;
    let of = i128::from(of);
    let rounded = (2 * tenths + of).div_euclid(2 * of);
    #[expect(clippy::cast_precision_loss, reason = "an average of seconds or stars is far below 2^53 tenths")]
    let tenths = rounded as f64;
    tenths / 10.0
}

/// Reads the counters; days are counted back from `now`.
pub(super) async fn counts(connection: &DatabaseConnection, now: Timestamp) -> Result<TicketCounts, DbErr> {
    use ticket_kind_counters::Column;
    let mut kinds = ticket_kind_counters::Entity::find().select_only();
    for kind in [Column::Status, Column::Priority, Column::SupportType, Column::IsAssigned] {
        kinds = kinds.column(kind).group_by(kind);
    }
    for (sum, name) in [
        (Column::Tickets, "tickets"),
        (Column::Responded, "responded"),
        (Column::ResponseSeconds, "response_seconds"),
        (Column::Rated, "rated"),
        (Column::Stars, "stars"),
    ] {
        kinds = kinds.column_as(as_bigint(sum.sum()), name);
    }
    let kinds = kinds.into_model().all(connection).await?;
    let since = |days: i64| (now - TimeDelta::days(days)).format(DAY_FORMAT).to_string();
    let mut counts = TicketCounts { kinds, ..TicketCounts::default() };
    let days: Vec<(String, i64)> = ticket_day_counters::Entity::find()
        .select_only()
        .column(ticket_day_counters::Column::Day)
        .column_as(as_bigint(ticket_day_counters::Column::Tickets.sum()), "tickets")
        .filter(ticket_day_counters::Column::Day.gte(since(30)))
        .group_by(ticket_day_counters::Column::Day)
        .into_tuple()
        .all(connection)
        .await?;
    for (day, tickets) in days {
        counts.new_this_month += tickets;
        counts.new_this_week += if day >= since(7) { tickets } else { 0 };
        counts.new_today += if day >= since(0) { tickets } else { 0 };
    }
    Ok(counts)
}

/// PostgreSQL's sum of bigint is numeric.
fn as_bigint(sum: SimpleExpr) -> SimpleExpr {
    Func::cast_as(sum, Alias::new("bigint")).into()
}
