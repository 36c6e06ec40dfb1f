//! What a server holds at a moment, to see that nothing is left behind.

use engineio::EngineStats;

/// What a server holds at a moment. Where every session is over, and the time is too in which clients may come back,
/// everything is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sessions, their actors and tasks.
    pub engine: EngineStats,
    /// All namespaces together.
    pub namespaces: NamespaceStats,
}

/// What namespaces hold at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NamespaceStats {
    /// Sockets, those whose clients may come back among them.
    pub sockets: usize,
    /// Rooms that anybody is in.
    pub rooms: usize,
    /// Secrets by which a socket can be claimed.
    pub claimable: usize,
    /// Sockets whose clients are away.
    pub away: usize,
    /// Tasks that wait until those may not come back any more.
    pub watchers: usize,
    /// Bytes of events that are kept for any socket.
    pub kept_bytes: usize,
}

impl std::iter::Sum for NamespaceStats {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            sockets: sum.sockets + one.sockets,
            rooms: sum.rooms + one.rooms,
            claimable: sum.claimable + one.claimable,
            away: sum.away + one.away,
            watchers: sum.watchers + one.watchers,
            kept_bytes: sum.kept_bytes + one.kept_bytes,
        })
    }
}
