//! Texts and their limits. Lengths count Unicode scalar values, after trimming (`decisions.md`).
//!
//! A value of one of these types is within its limits: the edge validates it once, and no other module checks again.

use std::sync::Arc;

use serde::Serialize;

/// Maximum size of `device_metadata` as compact JSON, in bytes.
pub const DEVICE_METADATA_LIMIT: usize = 4096;

/// Length of a message preview in scalar values; a longer text is cut without an ellipsis.
pub const PREVIEW_LENGTH: usize = 100;

/// Why a text is invalid. `Display` completes a sentence that begins with the name of the field.
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
    /// PostgreSQL cannot store this character.
    #[error("must not contain the character U+0000")]
    Nul,
    /// Not an e-mail address.
    #[error("must be an email address")]
    InvalidEmailAddress,
    /// More bytes of JSON than [`DEVICE_METADATA_LIMIT`].
    #[error("must be an object of at most {DEVICE_METADATA_LIMIT} bytes of JSON")]
    DeviceMetadata,
}

/// Trims a text and requires `1..=limit` scalar values of the rest.
pub(super) fn limited(text: &str, limit: usize) -> Result<&str, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    // A text has at most as many scalar values as bytes, so most texts need no counting.
    if text.len() > limit && text.chars().count() > limit {
        return Err(TextError::TooLong { limit });
    }
    if text.contains('\0') {
        return Err(TextError::Nul);
    }
    Ok(text)
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $limit:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Maximum length in characters.
            pub const MAX_LENGTH: usize = $limit;

            /// Parses a text from a client; white space around it is dropped.
            ///
            /// # Errors
            /// [`TextError`] when it is empty, too long, or cannot be stored.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                limited(text, Self::MAX_LENGTH).map(|text| Self(Arc::from(text)))
            }

            /// As [`Self::parse`]; `None` for a text that is empty after trimming.
            ///
            /// # Errors
            /// [`TextError`] when it is too long, or cannot be stored.
            pub fn parse_optional(text: &str) -> Result<Option<Self>, TextError> {
                match Self::parse(text) {
                    Ok(text) => Ok(Some(text)),
                    Err(TextError::Empty) => Ok(None),
                    Err(error) => Err(error),
                }
            }

            /// A text from the database. It was validated before it was stored.
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
    };
}

text! {
    /// The text of a message: 1 to 5000 characters.
    MessageText, 5000
}
text! {
    /// The free text of a customer's rating.
    Feedback, 2000
}
text! {
    /// The reason for a handover.
    Reason, 1000
}
text! {
    /// The subject of a ticket, one line.
    Subject, 200
}
text! {
    /// The description of a ticket.
    Description, 5000
}
text! {
    /// An agent's notes on a change of a ticket's status.
    ResolutionNotes, 5000
}
text! {
    /// The id of an object in another system, such as a transaction or a registration session.
    Reference, 128
}
text! {
    /// A client's id for a send. If the same sender repeats it, it means the same message.
    ClientMessageId, 64
}

impl MessageText {
    /// Maximum length of a customer's message in the help center (`help-center.md`, 4.5).
    pub const MAX_LENGTH_IN_HELP_CENTER: usize = 2000;

    /// As [`Self::parse`], for a customer's message in the help center.
    ///
    /// # Errors
    /// [`TextError`] when it is empty, too long, or cannot be stored.
    pub fn parse_for_help_center(text: &str) -> Result<Self, TextError> {
        limited(text, Self::MAX_LENGTH_IN_HELP_CENTER).map(|text| Self(Arc::from(text)))
    }

    /// The preview for lists and notifications.
    #[must_use]
    pub fn preview(&self) -> &str {
        preview(&self.0)
    }
}

impl From<&Description> for MessageText {
    /// A ticket's description is its first message; both have the same limit.
    fn from(description: &Description) -> Self {
        Self(Arc::clone(&description.0))
    }
}

/// The first [`PREVIEW_LENGTH`] scalar values of a text.
#[must_use]
pub fn preview(text: &str) -> &str {
    text.char_indices().nth(PREVIEW_LENGTH).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
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
    fn a_message_in_the_help_center_has_1_to_2000_scalar_values_after_trimming() {
        assert_eq!(MessageText::parse_for_help_center(" \n"), Err(TextError::Empty));
        assert!(MessageText::parse_for_help_center(&format!(" {} ", "👋".repeat(2000))).is_ok());
        assert_eq!(MessageText::parse_for_help_center(&"👋".repeat(2001)), Err(TextError::TooLong { limit: 2000 }));
    }

    #[test]
    fn a_message_is_stored_as_sent_without_surrounding_white_space() {
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
}
