//! Why a session was closed.

use std::fmt;

/// Why a session was closed. [`CloseReason::as_str`] gives the texts of the reference server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The transport violated the protocol, or the client abandoned a request.
    TransportError,
    /// The client closed the session, or its connection was lost.
    TransportClose,
    /// The application closed the session, or its queue of outgoing packets exceeded its budget.
    ForcedClose,
    /// The client did not answer a ping in time.
    PingTimeout,
    /// The client sent an invalid packet.
    ParseError,
    /// The server is shutting down.
    ServerShuttingDown,
}

impl CloseReason {
    /// The reason as the reference server spells it: `transport close`, `ping timeout`, …
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
