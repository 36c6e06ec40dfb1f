//! What people write, and its limits. Lengths count Unicode scalar values, after trimming (`decisions.md`).
//!
//! A value of one of these types is within its limits: the edge makes it once, and nothing inward checks again.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

/// Scalar values of a message that a preview shows, cut without a mark.
pub const PREVIEW_LENGTH: usize = 100;

/// Bytes that `device_metadata` has at most, as compact JSON.
pub const DEVICE_METADATA_LIMIT: usize = 4096;

/// Why a text breaks its rule. Its words complete a sentence that begins with the field's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing is left after trimming.
    #[error("must not be empty")]
    Empty,
    /// More than the limit, in scalar values.
    #[error("must be at most {limit} characters")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// PostgreSQL stores any text but this.
    #[error("must not contain the character U+0000")]
    Nul,
    /// No e-mail address.
    #[error("must be an email address")]
    NoEmailAddress,
    /// More bytes of JSON than [`DEVICE_METADATA_LIMIT`].
    #[error("must be an object of at most {DEVICE_METADATA_LIMIT} bytes of JSON")]
    DeviceMetadata,
}

/// Trims, and holds the rest to `1..=limit` scalar values.
fn limited(text: &str, limit: usize) -> Result<&str, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    // A scalar value has at most four bytes: most texts need no counting.
    if text.len() > limit && text.chars().count() > limit {
        return Err(TextError::TooLong { limit });
    }
    if text.contains('\0') {
        return Err(TextError::Nul);
    }
    Ok(text)
}

/// The text of a message: 1 to 5000 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MessageText(Arc<str>);

impl MessageText {
    /// The most characters a message has.
    pub const MAX_LENGTH: usize = 5000;

    /// Takes a text as it was sent, less the white space around it.
    ///
    /// # Errors
    /// [`TextError`] when it is empty, too long, or cannot be stored.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        limited(text, Self::MAX_LENGTH).map(|text| Self(Arc::from(text)))
    }

    /// Takes a text that was stored, and so was valid when it was sent.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(Arc::from(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a list or a notification shows of it.
    #[must_use]
    pub fn preview(&self) -> &str {
        preview(&self.0)
    }
}

/// The first [`PREVIEW_LENGTH`] scalar values of a text.
#[must_use]
pub fn preview(text: &str) -> &str {
    text.char_indices().nth(PREVIEW_LENGTH).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// What a customer says with a rating, in their own words: at most 2000 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Feedback(Arc<str>);

impl Feedback {
    /// The most characters it has.
    pub const MAX_LENGTH: usize = 2000;

    /// Takes a text as it was sent; nothing where only white space is left of it.
    ///
    /// # Errors
    /// [`TextError`] when it is too long, or cannot be stored.
    pub fn parse(text: &str) -> Result<Option<Self>, TextError> {
        match limited(text, Self::MAX_LENGTH) {
            Ok(text) => Ok(Some(Self(Arc::from(text)))),
            Err(TextError::Empty) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a text that was stored.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(Arc::from(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many stars: 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Rating(u8);

/// A number of stars that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Rating must be between 1 and 5")]
pub struct RatingError;

impl Rating {
    /// Takes whole numbers only, however they are spelled.
    ///
    /// # Errors
    /// [`RatingError`] for anything else.
    pub fn parse(stars: f64) -> Result<Self, RatingError> {
        [1_u8, 2, 3, 4, 5].into_iter().find(|whole| f64::from(*whole) == stars).map(Self).ok_or(RatingError)
    }

    /// How many.
    #[must_use]
    pub fn stars(self) -> u8 {
        self.0
    }
}

/// The client's own name for a send: 1 to 64 characters. The same sender repeating it means the same message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientMessageId(Arc<str>);

impl ClientMessageId {
    /// The most characters it has.
    pub const MAX_LENGTH: usize = 64;

    /// Takes an id as the client spells it.
    ///
    /// # Errors
    /// [`TextError`] when it is empty, too long, or cannot be stored.
    pub fn parse(id: &str) -> Result<Self, TextError> {
        limited(id, Self::MAX_LENGTH).map(|id| Self(Arc::from(id)))
    }

    /// The id as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address; two that differ only in case are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(Arc<str>);

impl EmailAddress {
    /// The most characters an address has (RFC 5321, section 4.5.3.1, local part and domain).
    pub const MAX_LENGTH: usize = 320;

    /// Takes an address in any case and keeps it in lower case. Whether mail arrives there is not looked at: one `@`
    /// with something on both sides, and no white space, is what apps have always been held to.
    ///
    /// # Errors
    /// [`TextError`] when it has no such form.
    pub fn parse(address: &str) -> Result<Self, TextError> {
        let address = limited(address, Self::MAX_LENGTH)?;
        match address.split_once('@') {
            Some((local, domain))
                if !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && !address.contains(char::is_whitespace) =>
            {
                Ok(Self(Arc::from(address.to_lowercase())))
            }
            _ => Err(TextError::NoEmailAddress),
        }
    }

    /// Takes an address that was stored.
    #[must_use]
    pub fn stored(address: &str) -> Self {
        Self(Arc::from(address.to_lowercase()))
    }

    /// The address in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A contact number, in whatever spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneNumber(Arc<str>);

impl PhoneNumber {
    /// The most characters it has.
    pub const MAX_LENGTH: usize = 64;

    /// Takes a number as it was sent.
    ///
    /// # Errors
    /// [`TextError`] when it is empty, too long, or cannot be stored.
    pub fn parse(number: &str) -> Result<Self, TextError> {
        limited(number, Self::MAX_LENGTH).map(|number| Self(Arc::from(number)))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text anywhere in it holds U+0000.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// What a client tells of its device: an object of at most [`DEVICE_METADATA_LIMIT`] bytes of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DeviceMetadata(Map<String, Value>);

impl DeviceMetadata {
    /// Takes an object as the client sent it.
    ///
    /// # Errors
    /// [`TextError::DeviceMetadata`] when it is too large, [`TextError::Nul`] when it cannot be stored.
    pub fn parse(object: Map<String, Value>) -> Result<Self, TextError> {
        let json = serde_json::to_string(&object).map_err(|_| TextError::DeviceMetadata)?;
        if json.len() > DEVICE_METADATA_LIMIT {
            return Err(TextError::DeviceMetadata);
        }
        // Search and filters over the stored object would choke on it.
        if object.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)) {
            return Err(TextError::Nul);
        }
        Ok(Self(object))
    }

    /// The object.
    #[must_use]
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Takes an object that was stored.
    #[must_use]
    pub fn stored(object: Map<String, Value>) -> Self {
        Self(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_1_to_5000_scalar_values_after_trimming() {
        assert_eq!(MessageText::parse(" \n\t "), Err(TextError::Empty));
        assert!(MessageText::parse(&"👋".repeat(5000)).is_ok());
        assert_eq!(MessageText::parse(&"👋".repeat(5001)), Err(TextError::TooLong { limit: 5000 }));
        assert!(MessageText::parse(&format!("  {}  ", "a".repeat(5000))).is_ok());
    }

    #[test]
    fn a_message_is_kept_as_sent_less_the_white_space_around_it() {
        let text = MessageText::parse("  two\n  lines \u{200b}").map(|text| text.as_str().to_owned());
        assert_eq!(text.as_deref(), Ok("two\n  lines \u{200b}"));
    }

    #[test]
    fn a_text_that_postgresql_cannot_store_is_refused() {
        assert_eq!(MessageText::parse("a\0b"), Err(TextError::Nul));
        assert_eq!(ClientMessageId::parse("a\0b"), Err(TextError::Nul));
    }

    #[test]
    fn a_preview_is_the_first_100_scalar_values_without_a_mark() {
        let text = "é".repeat(101);
        assert_eq!(preview(&text), "é".repeat(100));
        assert_eq!(preview("short"), "short");
    }

    #[test]
    fn a_client_message_id_has_at_most_64_characters() {
        assert!(ClientMessageId::parse(&"x".repeat(64)).is_ok());
        assert_eq!(ClientMessageId::parse(&"x".repeat(65)), Err(TextError::TooLong { limit: 64 }));
    }

    #[test]
    fn e_mail_addresses_are_compared_without_case() {
        assert_eq!(EmailAddress::parse("John@Example.com"), EmailAddress::parse(" john@example.COM "));
        for bad in ["", "john", "@x", "john@", "a@b@c", "a b@c"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn device_metadata_has_at_most_4096_bytes_of_json() {
        let object = |length: usize| Map::from_iter([("k".to_owned(), Value::from("x".repeat(length)))]);
        let frame = r#"{"k":""}"#.len();
        assert!(DeviceMetadata::parse(object(4096 - frame)).is_ok());
        assert_eq!(DeviceMetadata::parse(object(4097 - frame)), Err(TextError::DeviceMetadata));
    }
}
