//! Dates and times as people and programs write them: RFC 3339, and the calendar forms of ISO 8601.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::Timestamp;

/// The years that both databases and every client can represent.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9998;

/// A day, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Date {
    /// A complete day in UTC.
    Day(NaiveDate),
    /// A time; in UTC where it had no offset.
    Time(Timestamp),
}

impl Date {
    /// Parses `2026-11-30`, `2026-11-30T10:00`, with seconds and a fraction, with `Z` or an offset (`+01:00`, `+0100`,
    /// `+01`), or the same without hyphens and colons. `None` for any other form, such as `2026-2-5`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Below, a byte is a character.
        if !text.is_ascii() {
            return None;
        }
        // RFC 3339 takes a blank for the `T`, and either case.
        let (day, time) = match text.find(['T', 't', ' ']) {
            Some(end) => (text.get(..end)?, Some(text.get(end + 1..)?)),
            None => (text, None),
        };
        let (date, is_extended) = calendar_date(day)?;
        let parsed = match time {
            None => Self::Day(date),
            Some(time) => Self::Time(time_on(date, time, is_extended)?),
        };
        let year = |date: NaiveDate| chrono::Datelike::year(&date);
        let year = match parsed {
            Self::Day(day) => year(day),
            Self::Time(time) => year(time.date_naive()),
        };
        YEARS.contains(&year).then_some(parsed)
    }

    /// The first timestamp that belongs to it.
    #[must_use]
    pub fn start(self) -> Timestamp {
        match self {
            Self::Day(day) => day.and_time(NaiveTime::MIN).and_utc(),
            Self::Time(time) => time,
        }
    }

    /// The first timestamp after it. Timestamps are stored in milliseconds.
    #[must_use]
    pub fn end(self) -> Option<Timestamp> {
        match self {
            Self::Day(day) => Some(day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN).and_utc()),
            Self::Time(time) => time.checked_add_signed(TimeDelta::milliseconds(1)),
        }
    }
}

/// `2026-11-30` or `20261130`, and whether it was the former.
fn calendar_date(text: &str) -> Option<(NaiveDate, bool)> {
    let is_extended = text.contains('-');
    let digits = if is_extended { without(text, &[4, 7], '-')? } else { text.to_owned() };
    if digits.len() != 8 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(number(digits.get(..4)?)?).ok()?,
        number(digits.get(4..6)?)?,
        number(digits.get(6..)?)?,
    );
    Some((date?, is_extended))
}

fn time_on(date: NaiveDate, text: &str, is_extended: bool) -> Option<Timestamp> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(end) => (text.get(..end)?, utc_offset(text.get(end..)?)?),
        None => (text, FixedOffset::east_opt(0)?),
    };
    let (clock, fraction) = match clock.find(['.', ',']) {
        Some(end) => (clock.get(..end)?, nanoseconds(clock.get(end + 1..)?)?),
        None => (clock, 0),
    };
    let digits = match (clock.len(), is_extended) {
        (2, _) if fraction == 0 => clock.to_owned(),
        (5, true) if fraction == 0 => without(clock, &[2], ':')?,
        (8, true) => without(clock, &[2, 5], ':')?,
        (4, false) if fraction == 0 => clock.to_owned(),
        (6, false) => clock.to_owned(),
        _ => return None,
    };
    let part = |range| digits.get(range).map_or(Some(0), number);
    let (hour, minute, second) = (part(0..2)?, part(2..4)?, part(4..6)?);
    // A leap second is the end of its minute.
    let (second, fraction) = if second == 60 { (59, 999_999_999) } else { (second, fraction) };
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, fraction)?;
    let local = date.and_time(time).and_local_timezone(offset).single()?;
    Some(DateTime::<Utc>::from(local))
}

/// `Z`, `+01:00`, `+0100` or `+01`.
fn utc_offset(text: &str) -> Option<FixedOffset> {
    if text.eq_ignore_ascii_case("z") {
        return FixedOffset::east_opt(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let digits = match rest.len() {
        5 => without(rest, &[2], ':')?,
        2 | 4 => rest.to_owned(),
        _ => return None,
    };
    let (hours, minutes) = (number(digits.get(..2)?)?, digits.get(2..4).map_or(Some(0), number)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    FixedOffset::east_opt(if sign == "-" { -seconds } else { seconds })
}

/// The nanoseconds of a fraction of a second, of which further digits are dropped.
fn nanoseconds(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.chars().chain(std::iter::repeat('0')).take(9).collect::<String>().parse().ok()).flatten()
}

/// The text without this separator, which must be in all of these places.
fn without(text: &str, places: &[usize], separator: char) -> Option<String> {
    let is_there = places.iter().all(|place| text.get(*place..).is_some_and(|rest| rest.starts_with(separator)));
    let rest = text.replace(separator, "");
    (is_there && rest.len() + places.len() == text.len()).then_some(rest)
}

/// A number of ASCII digits alone.
fn number(digits: &str) -> Option<u32> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start(text: &str) -> Option<String> {
        Date::parse(text).map(|date| date.start().to_rfc3339())
    }

    #[test]
    fn every_calendar_form_is_understood() {
        for (text, expected) in [
            ("2026-11-30", "2026-11-30T00:00:00+00:00"),
            ("20261130", "2026-11-30T00:00:00+00:00"),
            ("2026-11-30T10", "2026-11-30T10:00:00+00:00"),
            ("2026-11-30T10:00", "2026-11-30T10:00:00+00:00"),
            ("2026-11-30T10:00Z", "2026-11-30T10:00:00+00:00"),
            ("2026-11-30t10:00z", "2026-11-30T10:00:00+00:00"),
            ("2026-11-30 10:00:01Z", "2026-11-30T10:00:01+00:00"),
            ("2026-11-30T10:00+01:00", "2026-11-30T09:00:00+00:00"),
            ("2026-11-30T10:00+0100", "2026-11-30T09:00:00+00:00"),
            ("2026-11-30T10:00+01", "2026-11-30T09:00:00+00:00"),
            ("2026-11-30T23:30-02:30", "2026-12-01T02:00:00+00:00"),
            ("2026-11-30T10:00:00.25Z", "2026-11-30T10:00:00.250+00:00"),
            ("2026-11-30T10:00:00,25", "2026-11-30T10:00:00.250+00:00"),
            ("20261130T100000Z", "2026-11-30T10:00:00+00:00"),
            ("20261130T1000+0100", "2026-11-30T09:00:00+00:00"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999999+00:00"),
        ] {
            assert_eq!(start(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "T",
            "2026-2-5",
            "2026-02-5",
            "2026-11",
            "2026",
            "2026-11-31",
            "2026-W48-1",
            "2026-334",
            "26-11-30",
            " 2026-11-30",
            "2026-11-30 ",
            "2026-11-30T",
            "2026-11-30T24:01",
            "2026-11-30T10:60",
            "2026-11-30T1:00",
            "2026-11-30T10:0",
            "2026-11-30T10:00:",
            "2026-11-30T10:00:00.",
            "2026-11-30T10:00.5",
            "2026-11-30T1000",
            "20261130T10:00",
            "2026-11-30T10:00+",
            "2026-11-30T10:00+1",
            "2026-11-30T10:00+24:00",
            "2026-11-30T10:00+01:60",
            "2026-11-30T10:00 01:00",
            "2026-11-30T10:00ZZ",
            "+2026-11-30",
            "2026-11-3\u{663}",
            "2026/11/30",
            "30.11.2026",
            "1772000000",
            "0000-01-01",
            "9999-01-01",
            "2026-11-30T10:00:00Z[UTC]",
            "2026--1130",
            "2026-11-30T::::",
        ] {
            assert_eq!(start(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9TtZz:+., -]{0,30}|\\PC{0,20}") {
            let _ = Date::parse(&text).map(Date::end);
        }

        #[test]
        fn what_chrono_writes_is_understood(seconds in -62_000_000_000_i64..250_000_000_000, offset in -86_000..86_000) {
            let time = DateTime::from_timestamp(seconds, 0).expect("a time");
            let offset = FixedOffset::east_opt(offset / 60 * 60).expect("an offset");
            prop_assert_eq!(Date::parse(&time.with_timezone(&offset).to_rfc3339()), Some(Date::Time(time)));
        }
    }
}
