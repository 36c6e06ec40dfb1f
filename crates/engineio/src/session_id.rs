//! The Engine.IO session id: a client that knows it can read and write the session, so it is a secret. It differs from
//! any public id that the application assigns.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes in an id: 168 bits.
const LENGTH: usize = 21;
/// Length of the base64url form.
const TEXT_LENGTH: usize = 28;

/// A session's id. Stored as 21 bytes rather than as a heap string.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionId([u8; LENGTH]);

impl SessionId {
    /// A new id from the thread's cryptographic generator.
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// Parses an id; `None` for any text that [`SessionId::random`] cannot have produced.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; LENGTH];
        (text.len() == TEXT_LENGTH).then(|| URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()).flatten()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// Shows the first characters only, as logs must not contain the secret.
impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third, ..] = self.0;
        write!(formatter, "SessionId({}…)", URL_SAFE_NO_PAD.encode([first, second, third]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_reverses_formatting() {
        let id = SessionId::random();
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn any_other_text_is_refused() {
        for text in ["", "constructor", "__proto__", "!!!!!!!!!!!!!!!!!!!!!!!!!!!!", &"é".repeat(14), &"A".repeat(5000)]
        {
            assert_eq!(SessionId::parse(text), None);
        }
    }
}
