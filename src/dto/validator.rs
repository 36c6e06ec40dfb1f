//! Validation of what a client sends, field by field.

use crate::api_error::{ApiError, FieldError};
use crate::domain::{ClientMessageId, TextError};

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

    /// An optional field that takes one or several of a few words, separated by commas; each word means one or several of
    /// `all`. Gives the meanings of them in the order of `all`, each once.
    pub(crate) fn some_of<T: Copy + PartialEq>(
        &mut self,
        name: &'static str,
        value: Option<&str>,
        all: &[T],
        words: &[(&'static str, &[T])],
    ) -> Vec<T> {
        let mut chosen = Vec::new();
        for word in value.into_iter().flat_map(|value| value.split(',')).map(str::trim) {
            match words.iter().find(|(known, _)| *known == word) {
                Some((_, meanings)) => chosen.extend_from_slice(meanings),
                None => {
                    let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                    self.fail(name, format!("{name} must be one of {}, or some of them", known.join(", ")));
                    return Vec::new();
                }
            }
        }
        all.iter().copied().filter(|value| chosen.contains(value)).collect()
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

/// Least characters of a guest's `client_message_id`: knowing it is what proves that a repeat comes from the same guest.
const GUEST_ID_LENGTH: usize = 16;

/// Fails if a guest's `client_message_id` is too short.
pub(crate) fn check_guest_id(validator: &mut Validator, id: Option<&ClientMessageId>) {
    if id.is_some_and(|id| id.as_str().chars().count() < GUEST_ID_LENGTH) {
        let message = format!("client_message_id must be at least {GUEST_ID_LENGTH} characters");
        validator.fail("client_message_id", message);
    }
}
