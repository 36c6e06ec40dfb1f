//! The budget of file descriptors: how many connections the limit of open files leaves room for.
//!
//! Each connection takes a descriptor. A process at its limit can open nothing: no database connection, no SQLite file,
//! no client. So the limit is raised as far as the system allows, and the server's own descriptors are reserved. Some of the
//! rest are for connections beyond the limit, which are answered that there are too many ([`Slots::reserved`]); further
//! ones wait in the kernel's queue (`server.backlog`).

use rlimit::Resource;

use crate::config::Settings;
use crate::database::Backend;

/// Descriptors of a worker: its runtime's epoll instance, waker and signal pipe.
const PER_WORKER: u64 = 6;
/// Descriptors of a thread of conversation actors; running ones are among the open ones.
const PER_ARBITER: u64 = 4;
/// Reserved for short-lived descriptors: name lookups, SQLite's temporary files, closing connections.
const SPARE: u64 = 16;
/// Reserved slots of a worker, and as what part of all at most.
const RESERVED: usize = 16;
const RESERVED_PART: usize = 8;
/// The fewest connections that a server must be able to hold.
const MIN_CONNECTIONS: u64 = 8;
/// An estimate of the open descriptors without those of actor threads, for systems without `/dev/fd`.
const ESTIMATED_OPEN: u64 = 64;

/// The limit of open files is too low.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system allows {limit} open files, and {least} are needed at least: raise the limit (`ulimit -n`, or \
     `LimitNOFILE=` in a systemd unit), or ask for fewer of `server.workers`, `conversation.threads` and \
     `database.max_connections`"
)]
pub struct TooFewDescriptors {
    /// The limit.
    pub limit: u64,
    /// The lowest limit that is enough.
    pub least: u64,
}

/// The connections that a worker may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slots {
    /// `server.max_connections`, or fewer.
    pub(super) connections: usize,
    /// Those beyond, on which only the server's health is served.
    pub(super) reserved: usize,
}

impl Slots {
    fn new(configured: usize, available: usize) -> Self {
        let reserved = RESERVED.min(available / RESERVED_PART);
        Self { connections: configured.min(available - reserved), reserved }
    }

    /// All connections that are accepted at the same time.
    pub(super) fn all(self) -> usize {
        self.connections + self.reserved
    }
}

/// Raises the limit as far as possible, and returns how many connections each worker may hold: `server.max_connections`,
/// or fewer, which is logged. Counts open descriptors, so it must be called after the database is connected and the
/// actor threads run.
pub(super) fn slots_per_worker(
    workers: usize,
    settings: &Settings,
    backend: Backend,
) -> Result<Slots, TooFewDescriptors> {
    let configured = settings.server.max_connections;
    // If it cannot be raised, the current limit applies.
    let limit =
        rlimit::increase_nofile_limit(u64::MAX).or_else(|_| rlimit::getrlimit(Resource::NOFILE).map(|(soft, _)| soft));
    let limit = match limit {
        Ok(limit) => limit,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files is unknown: connections may exhaust it");
            return Ok(Slots::new(configured, usize::MAX));
        }
    };
    let needs = Needs {
        open: open_descriptors(settings),
        workers: workers as u64,
        database_connections: settings.database.max_connections.into(),
        descriptors_per_connection: match backend {
            Backend::Postgres => 1,
            // The database file and its write-ahead log.
            Backend::Sqlite => 2,
        },
    };
    let slots = Slots::new(configured, usize::try_from(needs.connections(limit)?).unwrap_or(usize::MAX));
    if slots.connections < configured {
        tracing::info!(
            open_files = limit,
            connections = slots.connections.saturating_mul(workers),
            "the limit of open files allows fewer connections than server.max_connections"
        );
    }
    Ok(slots)
}

fn open_descriptors(settings: &Settings) -> u64 {
    let estimate = || ESTIMATED_OPEN + PER_ARBITER * settings.conversation.arbiter_threads() as u64;
    std::fs::read_dir("/dev/fd").map_or_else(|_| estimate(), |open| open.count() as u64)
}

/// Descriptors other than those of clients' connections.
struct Needs {
    open: u64,
    workers: u64,
    database_connections: u64,
    descriptors_per_connection: u64,
}

impl Needs {
    /// The connections that a limit leaves for each worker.
    fn connections(&self, limit: u64) -> Result<u64, TooFewDescriptors> {
        let own = self
            .open
            .saturating_add(self.workers.saturating_mul(PER_WORKER))
            .saturating_add(self.database_connections.saturating_mul(self.descriptors_per_connection))
            .saturating_add(SPARE);
        let least = own.saturating_add(self.workers.max(MIN_CONNECTIONS));
        let connections = limit.saturating_sub(own).checked_div(self.workers).unwrap_or(0);
        if limit < least { Err(TooFewDescriptors { limit, least }) } else { Ok(connections) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Needs, Slots, TooFewDescriptors};

    const NEEDS: Needs = Needs { open: 40, workers: 2, database_connections: 16, descriptors_per_connection: 2 };
    /// 40 open, 2 × 6 for the workers, 16 × 2 for the database, 16 to spare.
    const OWN: u64 = 100;

    #[test]
    fn workers_share_the_remaining_descriptors() {
        assert_eq!(NEEDS.connections(OWN + 2 * 1000), Ok(1000));
        assert_eq!(NEEDS.connections(OWN + 2 * 1000 + 1), Ok(1000));
        assert_eq!(NEEDS.connections(u64::MAX), Ok((u64::MAX - OWN) / 2));
    }

    #[test]
    fn too_low_a_limit_is_refused_with_the_lowest_sufficient_one() {
        let least = OWN + 8;
        assert_eq!(NEEDS.connections(least), Ok(4));
        assert_eq!(NEEDS.connections(least - 1), Err(TooFewDescriptors { limit: least - 1, least }));
        assert_eq!(NEEDS.connections(0), Err(TooFewDescriptors { limit: 0, least }));
    }

    #[test]
    fn each_worker_must_be_able_to_hold_a_connection() {
        let many = Needs { workers: 64, ..NEEDS };
        let least = 40 + 64 * 6 + 32 + 16 + 64;
        assert_eq!(many.connections(least), Ok(1));
        assert_eq!(many.connections(least - 1), Err(TooFewDescriptors { limit: least - 1, least }));
    }

    #[test]
    fn some_slots_are_reserved_and_a_worker_always_has_others() {
        for (configured, available, connections, reserved) in [
            (25_000, usize::MAX, 25_000, 16),
            (25_000, 25_016, 25_000, 16),
            (25_000, 25_015, 24_999, 16),
            (25_000, 35, 31, 4),
            (4, 35, 4, 4),
            (25_000, 8, 7, 1),
            (25_000, 7, 7, 0),
            (25_000, 1, 1, 0),
        ] {
            assert_eq!(Slots::new(configured, available), Slots { connections, reserved });
        }
    }
}
