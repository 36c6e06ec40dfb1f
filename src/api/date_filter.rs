//! Dates in query strings: a day or a timestamp, in UTC unless they have an offset.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime};

use crate::domain::Timestamp;
use crate::dto::Validator;

/// The first timestamp of a range: the given one, or the start of the given day.
pub(super) fn date_from(validator: &mut Validator, name: &'static str, value: Option<&str>) -> Option<Timestamp> {
    date(validator, name, value).map(|date| match date {
        DateFilter::Day(day) => day.and_time(chrono::NaiveTime::MIN).and_utc(),
        DateFilter::Time(time) => time,
    })
}

/// The first timestamp after a range, which includes the given timestamp or day.
pub(super) fn date_to(validator: &mut Validator, name: &'static str, value: Option<&str>) -> Option<Timestamp> {
    date(validator, name, value).and_then(|date| match date {
        DateFilter::Day(day) => Some(day.checked_add_days(Days::new(1))?.and_time(chrono::NaiveTime::MIN).and_utc()),
        // Timestamps are stored in milliseconds.
        DateFilter::Time(time) => time.checked_add_signed(chrono::TimeDelta::milliseconds(1)),
    })
}

enum DateFilter {
    Day(NaiveDate),
    Time(Timestamp),
}

fn date(validator: &mut Validator, name: &'static str, value: Option<&str>) -> Option<DateFilter> {
    /// The years that both databases and every client can represent.
    const YEARS: std::ops::RangeInclusive<i32> = 1..=9998;
    let value = value?;
    let utc = |time: NaiveDateTime| DateFilter::Time(time.and_utc());
    let date = NaiveDate::parse_from_str(value, "%Y-%m-%d")
        .map(DateFilter::Day)
        .or_else(|_| DateTime::parse_from_rfc3339(value).map(|time| DateFilter::Time(time.to_utc())))
        .or_else(|_| NaiveDateTime::parse_from_str(value, "%Y-%m-%dT%H:%M:%S%.f").map(utc))
        .or_else(|_| NaiveDateTime::parse_from_str(value, "%Y-%m-%dT%H:%M").map(utc));
    let year = |date: &DateFilter| match date {
        DateFilter::Day(day) => chrono::Datelike::year(day),
        DateFilter::Time(time) => chrono::Datelike::year(time),
    };
    match date {
        Ok(date) if YEARS.contains(&year(&date)) => Some(date),
        _ => {
            validator
                .fail(name, format!("{name} must be an ISO 8601 date, such as 2026-02-25 or 2026-02-25T10:30:00Z"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str, to: bool) -> Option<String> {
        let mut validator = Validator::default();
        let parse = if to { date_to } else { date_from };
        parse(&mut validator, "date", Some(value)).map(|time| time.to_rfc3339())
    }

    #[test]
    fn a_date_is_a_day_or_a_timestamp() {
        for (value, from, to) in [
            ("2026-02-25", "2026-02-25T00:00:00+00:00", "2026-02-26T00:00:00+00:00"),
            ("2024-02-29", "2024-02-29T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
            ("2026-02-25T10:30:00.250Z", "2026-02-25T10:30:00.250+00:00", "2026-02-25T10:30:00.251+00:00"),
            ("2026-02-25T10:30:00+01:00", "2026-02-25T09:30:00+00:00", "2026-02-25T09:30:00.001+00:00"),
            ("2026-02-25T10:30:00", "2026-02-25T10:30:00+00:00", "2026-02-25T10:30:00.001+00:00"),
            ("2026-02-25T10:30", "2026-02-25T10:30:00+00:00", "2026-02-25T10:30:00.001+00:00"),
        ] {
            assert_eq!(
                (parse(value, false).as_deref(), parse(value, true).as_deref()),
                (Some(from), Some(to)),
                "{value}"
            );
        }
    }

    #[test]
    fn an_invalid_date_is_an_error_of_its_field() {
        for value in
            ["", "yesterday", "2026-02-30", "2026-13-01", "25.02.2026", "1772000000", "+99999-01-01", "0000-01-01"]
        {
            let mut validator = Validator::default();
            assert_eq!(date_from(&mut validator, "date_from", Some(value)), None, "{value}");
            let error = validator.finish(Some(())).expect_err("an error");
            assert_eq!(error.details[0].field, "date_from");
        }
    }
}
