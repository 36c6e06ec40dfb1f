//! How many tickets there are of which kind, from the tallies that the database keeps (migration 000006): counting a
//! million tickets anew for each look at the list would cost more than everything else together.

use chrono::TimeDelta;
use entity::{ticket_days, ticket_tallies};
use sea_orm::sea_query::{Alias, Func, SimpleExpr};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};

use super::list::TicketFilter;
use crate::domain::{SupportType, TicketPriority, TicketStatus, Timestamp};
use crate::store::AssignedTo;

/// How a day in UTC is spelled in `ticket_days`: in the order of days.
const DAY: &str = "%Y-%m-%d";

/// Counts over all tickets, whatever the filters.
#[derive(Clone, Debug, Default)]
pub struct TicketCounts {
    tallies: Vec<Tally>,
    /// Made since midnight UTC.
    pub new_today: i64,
    /// Made since seven days before that.
    pub new_this_week: i64,
    /// Made since thirty days before that.
    pub new_this_month: i64,
}

/// How well support did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Performance {
    /// From a ticket's creation to the first answer, over all that have one; 0 where none has.
    pub average_response_seconds: f64,
    /// Stars, over all that were rated; 0 where none was.
    pub average_rating: f64,
    /// How many were rated.
    pub total_rated: i64,
}

/// Tickets of one kind.
#[derive(Clone, Debug, FromQueryResult)]
struct Tally {
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
    /// All.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.sum(|_| true, |tally| tally.tickets)
    }

    /// Those of a status.
    #[must_use]
    pub fn of_status(&self, status: TicketStatus) -> i64 {
        self.sum(|tally| tally.status == status.as_str(), |tally| tally.tickets)
    }

    /// Those of a priority.
    #[must_use]
    pub fn of_priority(&self, priority: TicketPriority) -> i64 {
        self.sum(|tally| tally.priority == priority.as_str(), |tally| tally.tickets)
    }

    /// Those of a type.
    #[must_use]
    pub fn of_type(&self, support_type: SupportType) -> i64 {
        self.sum(|tally| tally.support_type == support_type.as_str(), |tally| tally.tickets)
    }

    /// Those that it is support's turn with.
    #[must_use]
    pub fn open(&self) -> i64 {
        self.sum(Tally::is_open, |tally| tally.tickets)
    }

    /// The open ones that nobody has.
    #[must_use]
    pub fn unassigned(&self) -> i64 {
        self.sum(|tally| tally.is_open() && !tally.is_assigned, |tally| tally.tickets)
    }

    /// How well support did.
    #[must_use]
    pub fn performance(&self) -> Performance {
        let all = |of: fn(&Tally) -> i64| self.sum(|_| true, of);
        let total_rated = all(|tally| tally.rated);
        Performance {
            average_response_seconds: average(all(|tally| tally.response_seconds), all(|tally| tally.responded)),
            average_rating: average(all(|tally| tally.stars), total_rated),
            total_rated,
        }
    }

    /// How many a filter lets through, where the tallies know it: it asks for nothing but status, priority, type, and
    /// whether somebody has it at all.
    pub(super) fn passing(&self, filter: &TicketFilter) -> Option<i64> {
        let TicketFilter { search, status, priority, support_type, assigned_to, user, from, until } = filter;
        if search.is_some() || user.is_some() || from.is_some() || until.is_some() {
            return None;
        }
        if matches!(assigned_to, Some(AssignedTo::Agent(_))) {
            return None;
        }
        let passes = |tally: &Tally| {
            status.is_none_or(|status| tally.status == status.as_str())
                && priority.is_none_or(|priority| tally.priority == priority.as_str())
                && support_type.is_none_or(|support_type| tally.support_type == support_type.as_str())
                && (assigned_to.is_none() || !tally.is_assigned)
        };
        Some(self.sum(passes, |tally| tally.tickets))
    }

    fn sum(&self, which: impl Fn(&Tally) -> bool, of: impl Fn(&Tally) -> i64) -> i64 {
        self.tallies.iter().filter(|tally| which(tally)).map(of).sum()
    }
}

impl Tally {
    fn is_open(&self) -> bool {
        [TicketStatus::Pending, TicketStatus::InProgress, TicketStatus::Escalated]
            .into_iter()
            .any(|status| self.status == status.as_str())
    }
}

/// With one decimal; 0 over nothing.
fn average(sum: i64, of: i64) -> f64 {
    if of == 0 {
        return 0.0;
    }
    // In tenths and rounded, as whole numbers: exact for any sum of seconds that there can be.
    let tenths = i128::from(sum) * 10;
    let of = i128::from(of);
    let rounded = (2 * tenths + of).div_euclid(2 * of);
    #[expect(clippy::cast_precision_loss, reason = "an average of seconds or stars is far below 2^53 tenths")]
    let tenths = rounded as f64;
    tenths / 10.0
}

/// Reads the tallies as of `now`.
pub(super) async fn counts(connection: &DatabaseConnection, now: Timestamp) -> Result<TicketCounts, DbErr> {
    use ticket_tallies::Column;
    let mut tallies = ticket_tallies::Entity::find().select_only();
    for kind in [Column::Status, Column::Priority, Column::SupportType, Column::IsAssigned] {
        tallies = tallies.column(kind).group_by(kind);
    }
    for (sum, name) in [
        (Column::Tickets, "tickets"),
        (Column::Responded, "responded"),
        (Column::ResponseSeconds, "response_seconds"),
        (Column::Rated, "rated"),
        (Column::Stars, "stars"),
    ] {
        tallies = tallies.column_as(aggregate(sum.sum()), name);
    }
    let tallies = tallies.into_model().all(connection).await?;
    let since = |days: i64| (now - TimeDelta::days(days)).format(DAY).to_string();
    let mut counts = TicketCounts { tallies, ..TicketCounts::default() };
    let days: Vec<(String, i64)> = ticket_days::Entity::find()
        .select_only()
        .column(ticket_days::Column::Day)
        .column_as(aggregate(ticket_days::Column::Tickets.sum()), "tickets")
        .filter(ticket_days::Column::Day.gte(since(30)))
        .group_by(ticket_days::Column::Day)
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

/// PostgreSQL's sum of whole numbers is a decimal.
fn aggregate(sum: SimpleExpr) -> SimpleExpr {
    Func::cast_as(sum, Alias::new("bigint")).into()
}

#[cfg(test)]
mod tests {
    use super::average;

    #[test]
    fn an_average_has_one_decimal_and_is_rounded() {
        assert_eq!([average(0, 0), average(14, 3), average(1, 20), average(9, 2)], [0.0, 4.7, 0.1, 4.5]);
    }
}
