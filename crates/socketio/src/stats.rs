//! Counts of what a server holds, for metrics and for leak tests.

use engineio::EngineStats;

/// Counts of what a server holds. All are 0 once every session has closed and the recovery time has passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sessions, their actors and tasks.
    pub engine: EngineStats,
    /// The sum over all namespaces.
    pub namespaces: NamespaceStats,
    /// Memory that received data takes: packets whose attachments are missing, events that wait for their handlers, and
    /// the arguments of running handlers, in bytes.
    pub received_bytes: usize,
}

/// Counts of what namespaces hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NamespaceStats {
    /// Sockets, including suspended ones.
    pub sockets: usize,
    /// Rooms; a room exists while a socket is in it.
    pub rooms: usize,
    /// Sockets that a client can recover, connected ones included.
    pub recoverable: usize,
    /// Suspended sockets: their connection broke and the client may return.
    pub suspended: usize,
    /// Tasks that expire suspended sockets, at most one for each namespace.
    pub expiry_tasks: usize,
    /// Size of the events kept in replay buffers and queues, in bytes; each event counts once.
    pub replay_bytes: usize,
}

impl std::iter::Sum for NamespaceStats {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            sockets: sum.sockets + one.sockets,
            rooms: sum.rooms + one.rooms,
            recoverable: sum.recoverable + one.recoverable,
            suspended: sum.suspended + one.suspended,
            expiry_tasks: sum.expiry_tasks + one.expiry_tasks,
            replay_bytes: sum.replay_bytes + one.replay_bytes,
        })
    }
}
