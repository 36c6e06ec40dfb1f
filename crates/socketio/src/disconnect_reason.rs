//! Why sockets leave.

use std::fmt;

use engineio::CloseReason;

/// Why a socket has left its namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// Its session ended.
    Closed(CloseReason),
    /// The server closed its session, because the client broke the protocol or on purpose.
    ForcedServerClose,
    /// The client left the namespace.
    ClientNamespaceDisconnect,
    /// The server put it out of the namespace.
    ServerNamespaceDisconnect,
}

impl DisconnectReason {
    /// The reason in the words of the reference server.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed(reason) => reason.as_str(),
            Self::ForcedServerClose => "forced server close",
            Self::ClientNamespaceDisconnect => "client namespace disconnect",
            Self::ServerNamespaceDisconnect => "server namespace disconnect",
        }
    }

    /// Whether the client may come back and go on where it was.
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
