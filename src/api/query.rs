//! What a query string asks for: pages of a list, and a stretch of a conversation.

use actix_web::web;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api_error::ApiError;
use crate::domain::Timestamp;
use crate::json_schema::{Count, Number};
use crate::store::{MessageRange, Page};
use crate::wire::Validator;

/// `page` and `limit` of a list.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct PageQuery {
    #[schemars(with = "Option<Count>")]
    page: Option<String>,
    #[schemars(with = "Option<Count>")]
    limit: Option<String>,
}

impl PageQuery {
    /// Page 1 of 20 where nothing is said; a limit over 100 is taken as 100.
    pub(super) fn page(&self) -> Result<Page, ApiError> {
        let mut fields = Validator::default();
        let page = number(&mut fields, "page", self.page.as_deref(), 1).unwrap_or(1);
        let limit = number(&mut fields, "limit", self.limit.as_deref(), 1).unwrap_or(Page::DEFAULT_LIMIT);
        fields.finish(Some(Page { number: page, limit: limit.min(Page::MAX_LIMIT) }))
    }
}

/// Which page of a list an answer shows, and how many there are.
#[derive(Serialize, JsonSchema)]
pub(super) struct PageMeta {
    total: u64,
    page: u32,
    limit: u32,
    total_pages: u64,
}

impl PageMeta {
    /// This page of a list of so many.
    pub(super) fn new(page: Page, total: u64) -> Self {
        Self { total, page: page.number, limit: page.limit, total_pages: total.div_ceil(u64::from(page.limit)) }
    }
}

/// `after_seq`, `before_seq` or `after_position`, and `limit`, of a conversation's messages.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct StretchQuery {
    #[schemars(with = "Option<Number>")]
    after_seq: Option<String>,
    #[schemars(with = "Option<Number>")]
    before_seq: Option<String>,
    #[schemars(with = "Option<Number>")]
    after_position: Option<String>,
    #[schemars(with = "Option<Count>")]
    limit: Option<String>,
}

impl StretchQuery {
    /// A customer's stretch, by `seq`.
    pub(super) fn by_seq(&self) -> Result<MessageRange, ApiError> {
        self.stretch("after_seq", self.after_seq.as_deref())
    }

    /// An agent's stretch, by `position`.
    pub(super) fn by_position(&self) -> Result<MessageRange, ApiError> {
        self.stretch("after_position", self.after_position.as_deref())
    }

    fn stretch(&self, after_name: &'static str, after: Option<&str>) -> Result<MessageRange, ApiError> {
        stretch((after_name, after), ("before_seq", self.before_seq.as_deref()), self.limit.as_deref())
    }
}

/// `after_position`, `before_position` and `limit` of a timeline.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct TimelineQuery {
    #[schemars(with = "Option<Number>")]
    after_position: Option<String>,
    #[schemars(with = "Option<Number>")]
    before_position: Option<String>,
    #[schemars(with = "Option<Count>")]
    limit: Option<String>,
}

impl TimelineQuery {
    /// A stretch by `position`.
    pub(super) fn stretch(&self) -> Result<MessageRange, ApiError> {
        let after = ("after_position", self.after_position.as_deref());
        stretch(after, ("before_position", self.before_position.as_deref()), self.limit.as_deref())
    }
}

fn stretch(
    (after_name, after): (&'static str, Option<&str>),
    (before_name, before): (&'static str, Option<&str>),
    limit: Option<&str>,
) -> Result<MessageRange, ApiError> {
    let mut fields = Validator::default();
    let limit = number(&mut fields, "limit", limit, 1).map(|limit| limit.min(MessageRange::MAX_LIMIT));
    let after = number(&mut fields, after_name, after, 0);
    let before = number(&mut fields, before_name, before, 0);
    let stretch = match (after, before) {
        (Some(_), Some(_)) => {
            fields.fault(after_name, format!("{after_name} and {before_name} cannot be used together"));
            None
        }
        (Some(after), None) => Some(MessageRange::After { after, limit: limit.unwrap_or(MessageRange::MAX_LIMIT) }),
        (None, Some(before)) => Some(MessageRange::Before { before, limit: limit.unwrap_or(MessageRange::MAX_LIMIT) }),
        (None, None) => Some(MessageRange::Last { limit: limit.unwrap_or(MessageRange::ALL) }),
    };
    fields.finish(stretch)
}

/// A whole number of at least `least`. Beyond what counts anything, the largest is as good.
pub(super) fn number(fields: &mut Validator, name: &'static str, value: Option<&str>, least: u32) -> Option<u32> {
    let value = value?;
    match value.parse::<u64>() {
        Ok(number) if number >= u64::from(least) => Some(u32::try_from(number).unwrap_or(u32::MAX)),
        _ => {
            fields.fault(name, format!("{name} must be a whole number of at least {least}"));
            None
        }
    }
}

/// The moment from which on something counts: that moment, or the beginning of that day.
pub(super) fn date_from(fields: &mut Validator, name: &'static str, value: Option<&str>) -> Option<Timestamp> {
    dated(fields, name, value).map(|date| match date {
        Date::Day(day) => day.and_time(chrono::NaiveTime::MIN).and_utc(),
        Date::Moment(moment) => moment,
    })
}

/// The first moment that does not count any more: behind that moment, or behind that day, which both count themselves.
pub(super) fn date_to(fields: &mut Validator, name: &'static str, value: Option<&str>) -> Option<Timestamp> {
    dated(fields, name, value).and_then(|date| match date {
        Date::Day(day) => Some(day.checked_add_days(Days::new(1))?.and_time(chrono::NaiveTime::MIN).and_utc()),
        // What is stored has whole milliseconds.
        Date::Moment(moment) => moment.checked_add_signed(chrono::TimeDelta::milliseconds(1)),
    })
}

enum Date {
    Day(NaiveDate),
    Moment(Timestamp),
}

/// ISO 8601: a day, or a moment, in UTC where it does not say.
fn dated(fields: &mut Validator, name: &'static str, value: Option<&str>) -> Option<Date> {
    /// The years that both databases and every client can read.
    const YEARS: std::ops::RangeInclusive<i32> = 1..=9998;
    let value = value?;
    let date = NaiveDate::parse_from_str(value, "%Y-%m-%d")
        .map(Date::Day)
        .or_else(|_| DateTime::parse_from_rfc3339(value).map(|moment| Date::Moment(moment.to_utc())))
        .or_else(|_| NaiveDateTime::parse_from_str(value, "%Y-%m-%dT%H:%M:%S%.f").map(|it| Date::Moment(it.and_utc())))
        .or_else(|_| NaiveDateTime::parse_from_str(value, "%Y-%m-%dT%H:%M").map(|it| Date::Moment(it.and_utc())));
    let year = |date: &Date| match date {
        Date::Day(day) => chrono::Datelike::year(day),
        Date::Moment(moment) => chrono::Datelike::year(moment),
    };
    match date {
        Ok(date) if YEARS.contains(&year(&date)) => Some(date),
        _ => {
            fields.fault(name, format!("{name} must be an ISO 8601 date, such as 2026-02-25 or 2026-02-25T10:30:00Z"));
            None
        }
    }
}

/// A query string as a handler wants it; one that cannot be read, or names a value twice, is 400.
pub(super) type Query<T> = web::Query<T>;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str, to: bool) -> Option<String> {
        let mut fields = Validator::default();
        let read = if to { date_to } else { date_from };
        read(&mut fields, "date", Some(value)).map(|moment| moment.to_rfc3339())
    }

    #[test]
    fn a_date_is_a_day_or_a_moment() {
        for (value, from, to) in [
            ("2026-02-25", "2026-02-25T00:00:00+00:00", "2026-02-26T00:00:00+00:00"),
            ("2024-02-29", "2024-02-29T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
            ("2026-02-25T10:30:00.250Z", "2026-02-25T10:30:00.250+00:00", "2026-02-25T10:30:00.251+00:00"),
            ("2026-02-25T10:30:00+01:00", "2026-02-25T09:30:00+00:00", "2026-02-25T09:30:00.001+00:00"),
            ("2026-02-25T10:30:00", "2026-02-25T10:30:00+00:00", "2026-02-25T10:30:00.001+00:00"),
            ("2026-02-25T10:30", "2026-02-25T10:30:00+00:00", "2026-02-25T10:30:00.001+00:00"),
        ] {
            assert_eq!(
                (read(value, false).as_deref(), read(value, true).as_deref()),
                (Some(from), Some(to)),
                "{value}"
            );
        }
    }

    #[test]
    fn what_is_no_date_is_named() {
        for value in
            ["", "yesterday", "2026-02-30", "2026-13-01", "25.02.2026", "1772000000", "+99999-01-01", "0000-01-01"]
        {
            let mut fields = Validator::default();
            assert_eq!(date_from(&mut fields, "date_from", Some(value)), None, "{value}");
            let failure = fields.finish(Some(())).expect_err("a fault");
            assert_eq!(failure.details[0].field, "date_from");
        }
    }
}
