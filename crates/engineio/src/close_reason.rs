//! Why sessions end.

use std::fmt;

/// Why a session ended. [`CloseReason::as_str`] is the text that applications and dashboards know from the reference
/// server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The transport broke a rule of the protocol, or a request of a poll was given up.
    TransportError,
    /// The client closed, or its connection ended.
    TransportClose,
    /// This server closed it.
    ForcedClose,
    /// A ping was not answered in time.
    PingTimeout,
    /// What came was no packet.
    ParseError,
    /// This server is stopping.
    ServerShuttingDown,
}

impl CloseReason {
    /// The reason in the words of the reference server.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransportError => "transport error",
            Self::TransportClose => "transport close",
            Self::ForcedClose => "forced close",
            Self::PingTimeout => "ping timeout",
            Self::ParseError => "parse error",
            Self::ServerShuttingDown => "server shutting down",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
