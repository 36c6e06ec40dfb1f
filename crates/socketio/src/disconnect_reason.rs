//! Why sockets disconnect.

use std::fmt;

use engineio::CloseReason;

/// Why a socket disconnected from its namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The Engine.IO session closed.
    Closed(CloseReason),
    /// The Socket.IO layer closed the session: the client broke the protocol, or a handler panicked.
    ForcedServerClose,
    /// The client left the namespace.
    ClientNamespaceDisconnect,
    /// The server disconnected the client from the namespace.
    ServerNamespaceDisconnect,
}

impl DisconnectReason {
    /// The reason as the reference server spells it, for example `transport close`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed(reason) => reason.as_str(),
            Self::ForcedServerClose => "forced server close",
            Self::ClientNamespaceDisconnect => "client namespace disconnect",
            Self::ServerNamespaceDisconnect => "server namespace disconnect",
        }
    }

    /// Whether the socket is suspended, so that its client can recover it.
    pub(crate) const fn is_recoverable(self) -> bool {
        match self {
            Self::Closed(CloseReason::ParseError)
            | Self::ClientNamespaceDisconnect
            | Self::ServerNamespaceDisconnect => false,
            Self::Closed(_) | Self::ForcedServerClose => true,
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
