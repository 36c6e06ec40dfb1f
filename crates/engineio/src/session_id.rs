//! The Engine.IO session id: a secret that lets its holder poll a session, so it is random, long and never the public
//! Socket.IO id.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes in an id: 168 bits.
const LENGTH: usize = 21;
/// The same in base64url.
const TEXT_LENGTH: usize = 28;

/// A session's id. Kept as bytes: 21 instead of a heap string in every map.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionId([u8; LENGTH]);

impl SessionId {
    /// A new one from the thread's cryptographic generator.
    #[must_use]
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// Reads what a client sent. `None` for anything that no server of ours can have handed out.
    #[must_use]
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

/// It is a secret, so logs show only its beginning.
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
    fn what_is_written_is_read_again() {
        let id = SessionId::random();
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn anything_else_is_no_id() {
        for text in ["", "constructor", "__proto__", "!!!!!!!!!!!!!!!!!!!!!!!!!!!!", &"é".repeat(14), &"A".repeat(5000)]
        {
            assert_eq!(SessionId::parse(text), None);
        }
    }
}
