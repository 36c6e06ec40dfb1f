//! The end of a session.

/// The session is over: closed by the server, refused, or its connection is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnected;

impl From<reqwest::Error> for Disconnected {
    fn from(_: reqwest::Error) -> Self {
        Self
    }
}
