//! Texts and their limits. Lengths count Unicode scalar values, after trimming (`decisions.md`).
//!
//! A value of one of these types is within its limits: the edge validates it once, and no other module checks again.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use super::is_blank;

/// Maximum size of `device_metadata` as compact JSON, in bytes.
pub const DEVICE_METADATA_LIMIT: usize = 4096;

/// Maximum length of a message preview in scalar values; a longer text is cut without an ellipsis.
pub const PREVIEW_LENGTH: usize = 100;

/// Why a text is invalid. `Display` completes a sentence that begins with the name of the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A reader would see nothing.
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

/// Trims a text, and requires that the rest is visible and has at most `limit` scalar values.
pub(super) fn limited(text: &str, limit: usize) -> Result<&str, TextError> {
    let text = text.trim();
    if is_blank(text) {
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

/// The text as it is stored: U+0000, which PostgreSQL cannot store, becomes U+FFFD (`additions.md`, 1).
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
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
                limited(&storable(text), Self::MAX_LENGTH).map(|text| Self(Arc::from(text)))
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
        limited(&storable(text), Self::MAX_LENGTH_IN_HELP_CENTER).map(|text| Self(Arc::from(text)))
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

/// The beginning of a text: at most [`PREVIEW_LENGTH`] scalar values, cut between two grapheme clusters, which readers take
/// for one character each. A first cluster that is longer is cut.
#[must_use]
pub fn preview(text: &str) -> &str {
    // Most messages: each scalar value takes a byte at least.
    if text.len() <= PREVIEW_LENGTH {
        return text;
    }
    let Some((limit, _)) = text.char_indices().nth(PREVIEW_LENGTH) else { return text };
    // Whether a cluster ends at the limit depends on the next scalar value, and on nothing after it.
    let next = text.get(limit..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let seen = text.get(..limit + next).unwrap_or(text);
    let mut ends = seen.grapheme_indices(true).map(|(start, _)| start).filter(|start| (1..=limit).contains(start));
    text.get(..ends.next_back().unwrap_or(limit)).unwrap_or(text)
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
    fn what_postgresql_cannot_store_is_replaced() {
        assert_eq!(MessageText::parse("a\0b").map(|text| text.as_str().to_owned()), Ok("a\u{fffd}b".to_owned()));
        assert_eq!(ClientMessageId::parse("a\0b").map(|id| id.as_str().to_owned()), Ok("a\u{fffd}b".to_owned()));
    }

    #[test]
    fn a_preview_is_the_first_100_scalar_values_without_a_mark() {
        let text = "é".repeat(101);
        assert_eq!(preview(&text), "é".repeat(100));
        assert_eq!(preview("short"), "short");
    }

    #[test]
    fn a_text_that_no_reader_can_see_is_empty() {
        for blank in ["\u{200b}", " \u{3164} ", "\u{2800}\n\u{feff}", "\u{ffa0}\u{200d}\u{fe0f}"] {
            assert_eq!(MessageText::parse(blank), Err(TextError::Empty), "{blank:?}");
            assert_eq!(Feedback::parse_optional(blank), Ok(None), "{blank:?}");
        }
        let kept = MessageText::parse("\u{200b}Hi\u{200b}").map(|text| text.as_str().to_owned());
        assert_eq!(kept.as_deref(), Ok("\u{200b}Hi\u{200b}"), "stored as it was sent");
    }

    #[test]
    fn a_preview_does_not_cut_a_grapheme_cluster() {
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        for (cluster, before, expected) in [
            (family, 99, 99),
            (family, 93, 100),
            (family, 94, 94),
            ("e\u{301}", 99, 99),
            ("e\u{301}", 98, 100),
            ("🇩🇪", 99, 99),
            ("🇩🇪", 98, 100),
            ("👋🏽", 99, 99),
            ("\r\n", 99, 99),
            ("한", 99, 100),
            ("\u{1100}\u{1161}\u{11a8}", 98, 98),
        ] {
            let text = format!("{}{cluster}{}", "x".repeat(before), "y".repeat(50));
            assert_eq!(preview(&text).chars().count(), expected, "{cluster:?} after {before}");
        }
        let endless = format!("e{}", "\u{301}".repeat(500));
        assert_eq!(preview(&endless).chars().count(), 100, "a first cluster that is longer is cut");
        let flags = "🇩🇪".repeat(60);
        assert_eq!(preview(&flags), "🇩🇪".repeat(50), "pairs of regional indicators");
    }

    proptest::proptest! {
        #[test]
        fn a_preview_is_a_prefix_that_ends_with_a_cluster(text in "(\\PC|[e\u{301}\u{200d}👩👧🇩🇪🏽각ᄀ\r\n]){0,150}") {
            let shown = preview(&text);
            assert!(text.starts_with(shown) && shown.chars().count() <= PREVIEW_LENGTH);
            let first_is_longer = text.graphemes(true).next().is_some_and(|first| first.chars().count() > PREVIEW_LENGTH);
            let ends = text.grapheme_indices(true).map(|(start, _)| start).chain([text.len()]);
            assert!(first_is_longer || ends.into_iter().any(|end| end == shown.len()), "{text:?}");
            // As much as fits.
            let longer = text.grapheme_indices(true).map(|(start, cluster)| start + cluster.len());
            let most = longer.filter(|end| text[..*end].chars().count() <= PREVIEW_LENGTH).max();
            assert!(first_is_longer || shown.len() == most.unwrap_or(0), "{text:?}");
        }
    }

    #[test]
    fn a_client_message_id_has_at_most_64_characters() {
        assert!(ClientMessageId::parse(&"x".repeat(64)).is_ok());
        assert_eq!(ClientMessageId::parse(&"x".repeat(65)), Err(TextError::TooLong { limit: 64 }));
    }
}
