//! Dates in query strings: a day or a timestamp, in UTC unless they have an offset.

use crate::domain::{Date, Timestamp};
use crate::dto::Validator;

/// The first timestamp of a range, and the first one after it. The range includes the given timestamps and days.
pub(super) fn date_range(
    validator: &mut Validator,
    from: Option<&str>,
    to: Option<&str>,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let from = date(validator, "date_from", from).map(Date::start);
    let to = date(validator, "date_to", to).and_then(Date::end);
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        validator.fail("date_from", "date_from must not be after date_to".to_owned());
    }
    (from, to)
}

fn date(validator: &mut Validator, name: &'static str, value: Option<&str>) -> Option<Date> {
    let date = Date::parse(value?);
    if date.is_none() {
        validator.fail(name, format!("{name} must be an ISO 8601 date, such as 2026-02-25 or 2026-02-25T10:30:00Z"));
    }
    date
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str, to: bool) -> Option<String> {
        let mut validator = Validator::default();
        let (from, until) = match to {
            false => date_range(&mut validator, Some(value), None),
            true => date_range(&mut validator, None, Some(value)),
        };
        from.or(until).map(|time| time.to_rfc3339())
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
            assert_eq!(date_range(&mut validator, Some(value), None), (None, None), "{value}");
            let error = validator.finish(Some(())).expect_err("an error");
            assert_eq!(error.details[0].field, "date_from");
        }
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_an_error() {
        for (from, to, is_allowed) in [
            ("2026-02-25", "2026-02-25", true),
            ("2026-02-26", "2026-02-25", false),
            ("2026-02-25T10:00", "2026-02-25T10:00", true),
            ("2026-02-25T10:00:00.001", "2026-02-25T10:00", false),
            ("2026-02-25T23:59", "2026-02-25", true),
            ("2026-02-25T00:30+01:00", "2026-02-24", true),
        ] {
            let mut validator = Validator::default();
            let _ = date_range(&mut validator, Some(from), Some(to));
            let outcome = validator.finish(Some(()));
            assert_eq!(outcome.is_ok(), is_allowed, "{from} to {to}");
            if let Err(error) = outcome {
                assert_eq!(error.details[0].field, "date_from");
            }
        }
    }
}
