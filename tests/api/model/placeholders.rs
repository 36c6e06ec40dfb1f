//! Placeholders for what the server chooses: ids and timestamps. A placeholder is bound to the first value that is compared
//! with it, and must equal every later one; no two ids are equal.

use std::collections::HashSet;

use chrono::DateTime;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use uuid::Uuid;

const PLACEHOLDER: &str = "$placeholder";
const SECONDS: &str = "$seconds";
const ROWS: &str = "$rows";
const ANYTHING: &str = "$anything";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placeholder(usize);

impl Serialize for Placeholder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({ PLACEHOLDER: self.0 }).serialize(serializer)
    }
}

/// Matches any value.
pub(super) fn anything() -> Value {
    json!({ ANYTHING: true })
}

/// Matches the whole seconds between two timestamps.
pub(super) fn seconds(from: Placeholder, to: Placeholder) -> Value {
    json!({ SECONDS: [from.0, to.0] })
}

/// Matches `limit` of these rows at most, each at most once, in descending order of `key`.
pub(super) fn rows(rows: Vec<Value>, key: &str, limit: usize) -> Value {
    json!({ ROWS: rows, "key": key, "limit": limit })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Id,
    Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Placeholders {
    all: Vec<(Kind, Option<String>)>,
    ids: HashSet<String>,
    /// The indices of two timestamps and the seconds reported between them; compared when both timestamps are bound.
    deferred: Vec<(usize, usize, Value)>,
}

impl Placeholders {
    pub(super) fn id(&mut self) -> Placeholder {
        self.all.push((Kind::Id, None));
        Placeholder(self.all.len() - 1)
    }

    pub(super) fn timestamp(&mut self) -> Placeholder {
        self.all.push((Kind::Timestamp, None));
        Placeholder(self.all.len() - 1)
    }

    /// The value that it is bound to.
    pub(super) fn value(&self, placeholder: Placeholder) -> Option<&str> {
        self.all[placeholder.0].1.as_deref()
    }

    /// Compares `actual` with what is expected; binds placeholders. An error describes the difference.
    pub(super) fn match_value(&mut self, expected: &Value, actual: &Value) -> Result<(), String> {
        self.compare(expected, actual, "")?;
        for (from, to, actual) in std::mem::take(&mut self.deferred) {
            let timestamp =
                |at: usize| self.all[at].1.as_deref().map(|text| DateTime::parse_from_rfc3339(text).unwrap());
            if let (Some(from), Some(to)) = (timestamp(from), timestamp(to))
                && actual != json!((to - from).num_seconds())
            {
                return Err(format!("{actual} seconds between {from} and {to}"));
            }
        }
        Ok(())
    }

    fn compare(&mut self, expected: &Value, actual: &Value, path: &str) -> Result<(), String> {
        let differ = || Err(format!("at {path}:\n  expected {expected}\n  but got  {actual}"));
        match (expected, actual) {
            (Value::Object(special), _) if special.contains_key(PLACEHOLDER) => {
                self.bind(usize::try_from(special[PLACEHOLDER].as_u64().unwrap()).unwrap(), actual, path)
            }
            (Value::Object(special), _) if special.contains_key(ANYTHING) => Ok(()),
            (Value::Object(special), _) if special.contains_key(SECONDS) => {
                let at = |index: usize| usize::try_from(special[SECONDS][index].as_u64().unwrap()).unwrap();
                self.deferred.push((at(0), at(1), actual.clone()));
                Ok(())
            }
            (Value::Object(special), Value::Array(rows)) if special.contains_key(ROWS) => {
                self.compare_rows(special, rows, path)
            }
            (Value::Object(expected), Value::Object(actual)) => {
                if !expected.keys().eq(actual.keys()) {
                    let (expected, actual): (Vec<_>, Vec<_>) = (expected.keys().collect(), actual.keys().collect());
                    return Err(format!(
                        "at {path}:\n  expected the keys {expected:?}\n  but got           {actual:?}"
                    ));
                }
                expected.iter().try_for_each(|(key, value)| self.compare(value, &actual[key], &format!("{path}.{key}")))
            }
            (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => expected
                .iter()
                .zip(actual)
                .enumerate()
                .try_for_each(|(at, (expected, actual))| self.compare(expected, actual, &format!("{path}[{at}]"))),
            (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => Ok(()),
            _ if expected == actual => Ok(()),
            _ => differ(),
        }
    }

    fn bind(&mut self, placeholder: usize, actual: &Value, path: &str) -> Result<(), String> {
        let text = actual.as_str().ok_or_else(|| format!("at {path}: {actual} is no id and no timestamp"))?;
        let (kind, known) = &mut self.all[placeholder];
        if let Some(known) = known {
            let same = *known == text;
            return if same { Ok(()) } else { Err(format!("at {path}: {text}, which was {known} before")) };
        }
        let is_one = match kind {
            Kind::Id => Uuid::parse_str(text).is_ok() && self.ids.insert(text.to_owned()),
            Kind::Timestamp => text.len() == 24 && text.ends_with('Z') && DateTime::parse_from_rfc3339(text).is_ok(),
        };
        *known = Some(text.to_owned());
        if is_one { Ok(()) } else { Err(format!("at {path}: {text} is no {kind:?}, or one that was there before")) }
    }

    fn compare_rows(
        &mut self,
        special: &serde_json::Map<String, Value>,
        actual: &[Value],
        path: &str,
    ) -> Result<(), String> {
        let (expected, key) = (special[ROWS].as_array().unwrap(), special["key"].as_str().unwrap());
        let limit = usize::try_from(special["limit"].as_u64().unwrap()).unwrap();
        if actual.len() != expected.len().min(limit) {
            return Err(format!("at {path}: {} rows of {}", actual.len(), expected.len()));
        }
        let place = |row: &Value| usize::try_from(row["id"][PLACEHOLDER].as_u64().unwrap()).unwrap();
        let mut seen = HashSet::new();
        for row in actual {
            let is_it = |wanted: &&Value| self.all[place(wanted)].1.as_deref() == row["id"].as_str();
            let wanted = expected.iter().find(is_it).ok_or_else(|| format!("at {path}: a row too many: {row}"))?;
            if !seen.insert(place(wanted)) {
                return Err(format!("at {path}: twice: {row}"));
            }
            self.compare(wanted, row, &format!("{path}[{}]", row["id"]))?;
        }
        let keys: Vec<&str> = actual.iter().map(|row| row[key].as_str().unwrap()).collect();
        if keys.is_sorted_by(|one, next| one >= next) { Ok(()) } else { Err(format!("at {path}: order: {keys:?}")) }
    }

    /// Whether these timestamps never decrease.
    pub(super) fn are_ascending(&self, timestamps: &[Placeholder]) -> bool {
        let known: Vec<&str> = timestamps.iter().filter_map(|at| self.value(*at)).collect();
        known.is_sorted()
    }
}
