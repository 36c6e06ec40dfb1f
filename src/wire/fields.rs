//! Reading what somebody sent, field by field.

use crate::api_error::{ApiError, FieldError};
use crate::domain::TextError;

/// Each of some values, with the word that clients have for it.
pub fn words<T: Copy>(
    all: &'static [T],
    spelled: impl Fn(T) -> &'static str,
) -> impl Iterator<Item = (&'static str, T)> {
    all.iter().map(move |value| (spelled(*value), *value))
}

/// Collects what is wrong with the fields of a body, so that a client learns of all of it at once.
#[derive(Default)]
pub struct Validator {
    errors: Vec<FieldError>,
}

impl Validator {
    /// A field that must be there.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        value: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        let parsed = value.ok_or(TextError::Empty).and_then(parse);
        self.keep(name, parsed)
    }

    /// A field that may be left out, or be null.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        value: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        value.and_then(|value| self.keep(name, parse(value)))
    }

    /// A field that takes one of a few words.
    pub fn one_of<T>(
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
        self.fault(name, format!("{name} must be one of {}", others.join(", ")));
        None
    }

    /// The outcome of a field's own rule.
    pub fn keep<T>(&mut self, name: &'static str, parsed: Result<T, TextError>) -> Option<T> {
        parsed.map_err(|error| self.fault(name, format!("{name} {error}"))).ok()
    }

    /// A field that breaks its rule.
    pub fn fault(&mut self, name: &'static str, message: String) {
        self.errors.push(FieldError { field: name.into(), message });
    }

    /// The body, if everything was right.
    pub fn finish<T>(self, body: Option<T>) -> Result<T, ApiError> {
        match body {
            Some(body) if self.errors.is_empty() => Ok(body),
            _ => Err(ApiError::validation(self.errors)),
        }
    }
}
