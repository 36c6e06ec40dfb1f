//! Validation of what a client sends, field by field.

use crate::api_error::{ApiError, FieldError};
use crate::domain::TextError;

/// The values of an enum, each with its spelling on the wire.
pub(crate) fn words<T: Copy>(
    all: &'static [T],
    spelling: impl Fn(T) -> &'static str,
) -> impl Iterator<Item = (&'static str, T)> {
    all.iter().map(move |value| (spelling(*value), *value))
}

/// Collects the errors of all fields, so that a client learns of every one at once.
#[derive(Default)]
pub(crate) struct Validator {
    errors: Vec<FieldError>,
}

impl Validator {
    /// A required field; null counts as missing.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        value: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        let parsed = value.ok_or(TextError::Empty).and_then(parse);
        self.check(name, parsed)
    }

    /// A field that may be missing or null.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        value: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        value.and_then(|value| self.check(name, parse(value)))
    }

    /// An optional field that takes one of a few words.
    pub(crate) fn one_of<T>(
        &mut self,
        name: &'static str,
        value: Option<&str>,
        words: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Option<T> {
        let value = value?;
        let mut others = Vec::new();
        for (word, meaning) in words {
            if word == value {
                return Some(meaning);
            }
            others.push(word);
        }
        self.fail(name, format!("{name} must be one of {}", others.join(", ")));
        None
    }

    /// The outcome of a field's own parser.
    pub(crate) fn check<T>(&mut self, name: &'static str, parsed: Result<T, TextError>) -> Option<T> {
        parsed.map_err(|error| self.fail(name, format!("{name} {error}"))).ok()
    }

    /// Records an error.
    pub(crate) fn fail(&mut self, name: &'static str, message: String) {
        self.errors.push(FieldError { field: name.into(), message });
    }

    /// The validated value if no field failed.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ApiError> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(ApiError::validation(self.errors)),
        }
    }
}
