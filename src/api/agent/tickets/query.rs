//! What the query string of the list asks for.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::{SupportType, TicketPriority, TicketStatus, Timestamp, UserId};
use crate::failure::Failure;
use crate::schemas::{Date, Search, SortOrder, TicketSortKey};
use crate::store::{Holder, TicketFilter, TicketOrder, TicketSort};
use crate::wire::Fields;

/// Characters of what is searched for.
const SEARCH_LENGTH: usize = 200;

/// Filters and order; the page is [`crate::api::query::PageQuery`]'s.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::api) struct TicketQuery {
    #[schemars(with = "Option<Search>")]
    search: Option<String>,
    #[schemars(with = "Option<TicketStatus>")]
    status: Option<String>,
    #[schemars(with = "Option<TicketPriority>")]
    priority: Option<String>,
    #[schemars(with = "Option<SupportType>")]
    support_type: Option<String>,
    #[schemars(with = "Option<UserId>")]
    assigned_to: Option<String>,
    #[schemars(with = "Option<UserId>")]
    user_id: Option<String>,
    #[schemars(with = "Option<Date>")]
    date_from: Option<String>,
    #[schemars(with = "Option<Date>")]
    date_to: Option<String>,
    #[schemars(with = "Option<TicketSortKey>")]
    sort_by: Option<String>,
    #[schemars(with = "Option<SortOrder>")]
    sort_order: Option<String>,
}

impl TicketQuery {
    /// All tickets, the newest first, where nothing is said. An empty value says nothing: forms send them so.
    pub(super) fn read(&self) -> Result<(TicketFilter, TicketOrder), Failure> {
        let mut fields = Fields::default();
        let filter = TicketFilter {
            search: search(&mut fields, said(&self.search)),
            status: fields.one_of("status", said(&self.status), TicketStatus::ALL, TicketStatus::as_str),
            priority: fields.one_of("priority", said(&self.priority), TicketPriority::ALL, TicketPriority::as_str),
            support_type: fields.one_of(
                "support_type",
                said(&self.support_type),
                SupportType::ALL,
                SupportType::as_str,
            ),
            holder: match said(&self.assigned_to) {
                Some("unassigned") => Some(Holder::Nobody),
                other => account(&mut fields, "assigned_to", other).map(Holder::Agent),
            },
            user: account(&mut fields, "user_id", said(&self.user_id)),
            from: moment(&mut fields, "date_from", said(&self.date_from), Edge::Begin),
            until: moment(&mut fields, "date_to", said(&self.date_to), Edge::End),
        };
        let by = fields.one_of("sort_by", said(&self.sort_by), &SORTS, |(name, _)| name);
        let sort_order = fields.one_of("sort_order", said(&self.sort_order), &["desc", "asc"], |word| word);
        let order = TicketOrder {
            by: by.map_or(TicketSort::CreatedAt, |(_, by)| by),
            is_descending: sort_order.is_none_or(|word| word == "desc"),
        };
        fields.finish(Some((filter, order)))
    }
}

const SORTS: [(&str, TicketSort); 5] = [
    ("createdAt", TicketSort::CreatedAt),
    ("updatedAt", TicketSort::UpdatedAt),
    ("priority", TicketSort::Priority),
    ("status", TicketSort::Status),
    ("support_type", TicketSort::SupportType),
];

fn said(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|value| !value.is_empty())
}

fn search(fields: &mut Fields, value: Option<&str>) -> Option<String> {
    let value = value?;
    if value.chars().count() > SEARCH_LENGTH {
        fields.fault("search", format!("search must be at most {SEARCH_LENGTH} characters"));
        return None;
    }
    if value.contains('\0') {
        fields.fault("search", "search must not contain the character U+0000".to_owned());
        return None;
    }
    Some(value.to_owned())
}

fn account(fields: &mut Fields, name: &'static str, value: Option<&str>) -> Option<UserId> {
    let id = UserId::parse(value?);
    id.map_err(|error| fields.fault(name, format!("{name} is no account's id: {error}"))).ok()
}

/// Which end of a stretch of time a date stands for.
#[derive(Clone, Copy)]
enum Edge {
    /// From its first moment.
    Begin,
    /// Up to and with its last: the moment behind it.
    End,
}

/// A date, or a moment with or without its offset from UTC, in ISO 8601. The end of the stretch is in it: a whole day
/// where it is a date, else the millisecond.
fn moment(fields: &mut Fields, name: &'static str, value: Option<&str>, edge: Edge) -> Option<Timestamp> {
    let value = value?;
    let moment = parse_moment(value, edge);
    if moment.is_none() {
        fields.fault(name, format!("{name} must be a date in ISO 8601, such as 2026-02-25 or 2026-02-25T10:30:00Z"));
    }
    moment
}

fn parse_moment(value: &str, edge: Edge) -> Option<Timestamp> {
    // Years of more than four digits are beyond what the database can compare.
    if value.get(4..5) != Some("-") {
        return None;
    }
    if let Ok(date) = NaiveDate::parse_from_str(value, "%Y-%m-%d") {
        let date = match edge {
            Edge::Begin => date,
            Edge::End => date.checked_add_days(Days::new(1))?,
        };
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    // An offset's plus that was not escaped arrives as a space.
    let value = value.replace(' ', "+");
    let moment = match DateTime::parse_from_rfc3339(&value) {
        Ok(moment) => moment.with_timezone(&Utc),
        Err(_) => NaiveDateTime::parse_from_str(&value, "%Y-%m-%dT%H:%M:%S%.f").ok()?.and_utc(),
    };
    match edge {
        Edge::Begin => Some(moment),
        Edge::End => moment.checked_add_signed(chrono::TimeDelta::milliseconds(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str, edge: Edge) -> Option<String> {
        parse_moment(value, edge).map(|moment| moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    }

    #[test]
    fn a_date_stands_for_its_whole_day() {
        assert_eq!(shown("2026-02-28", Edge::Begin).as_deref(), Some("2026-02-28T00:00:00.000Z"));
        assert_eq!(shown("2026-02-28", Edge::End).as_deref(), Some("2026-03-01T00:00:00.000Z"));
    }

    #[test]
    fn a_moment_may_have_an_offset_even_where_its_plus_was_not_escaped() {
        for (value, begin) in [
            ("2026-02-25T10:30:00Z", "2026-02-25T10:30:00.000Z"),
            ("2026-02-25T10:30:00.125Z", "2026-02-25T10:30:00.125Z"),
            ("2026-02-25T10:30:00+01:00", "2026-02-25T09:30:00.000Z"),
            ("2026-02-25T10:30:00 01:00", "2026-02-25T09:30:00.000Z"),
            ("2026-02-25T10:30:00", "2026-02-25T10:30:00.000Z"),
        ] {
            assert_eq!(shown(value, Edge::Begin).as_deref(), Some(begin), "{value}");
        }
        assert_eq!(shown("2026-02-25T10:30:00Z", Edge::End).as_deref(), Some("2026-02-25T10:30:00.001Z"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for value in
            ["yesterday", "2026-02-30", "25.02.2026", "2026", "+12026-01-01", "99999-01-01", "2026-02-25T25:00Z"]
        {
            assert_eq!(shown(value, Edge::Begin), None, "{value}");
        }
    }
}
