//! Identifiers. Each kind has its own type, so that they cannot be confused.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use uuid::Uuid;

macro_rules! uuid_identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Parses an id in the form that clients use: with hyphens and nothing around it.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                (text.len() == 36).then(|| Uuid::parse_str(text).ok()).flatten().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

uuid_identifier! {
    /// A conversation.
    ConversationId
}
uuid_identifier! {
    /// An event of a conversation; for a message it is the message's id.
    EventId
}

uuid_identifier! {
    /// A handover.
    HandoverId
}
uuid_identifier! {
    /// A ticket; people refer to it by its number.
    TicketId
}

/// An account, as a token's `sub` names it: any string of 1 to 128 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

/// Why a string is no [`UserId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account's id has 1 to 128 characters, none of them U+0000")]
pub struct UserIdError;

impl UserId {
    /// Maximum length in characters (Unicode scalar values).
    pub const MAX_LENGTH: usize = 128;

    /// Parses an id as a token contains it.
    ///
    /// # Errors
    /// [`UserIdError`] when it is empty, longer than [`UserId::MAX_LENGTH`], or contains U+0000, which PostgreSQL cannot
    /// store.
    pub fn parse(id: &str) -> Result<Self, UserIdError> {
        let length = id.chars().count();
        if length == 0 || length > Self::MAX_LENGTH || id.contains('\0') {
            return Err(UserIdError);
        }
        Ok(Self(Arc::from(id)))
    }

    /// The id as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_has_1_to_128_characters() {
        assert_eq!(UserId::parse(""), Err(UserIdError));
        assert!(UserId::parse(&"é".repeat(128)).is_ok());
        assert_eq!(UserId::parse(&"é".repeat(129)), Err(UserIdError));
        assert_eq!(UserId::parse("a\0b"), Err(UserIdError));
    }
}
