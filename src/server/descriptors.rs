//! How many files this process may have open, and how many of them are left for connections.
//!
//! Each connection is an open file. A process that has used up its limit opens nothing any more: no connection to its
//! database, no log of SQLite's, and no connection that it could answer. So the limit is raised as far as the system
//! allows, what the server needs for itself is kept back, and connections beyond the rest wait in the kernel's queue
//! (`server.backlog`) until another ends. This does not listen or accept: `actix-server` does, and takes the number.

use rlimit::Resource;

use crate::config::Settings;
use crate::database::Backend;

/// What a worker opens for itself: the queue of its runtime's events, what wakes it, its signals.
const FOR_EACH_WORKER: u64 = 6;
/// The same for a thread of conversations; those that run are counted with what is open.
const FOR_EACH_ARBITER: u64 = 4;
/// What is open for a moment: a name that is looked up, a temporary file of SQLite's, connections that are being closed.
const SPARE: u64 = 16;
/// Connections that the server must be able to hold to be of any use.
const LEAST: u64 = 8;
/// What is taken to be open, beside threads of conversations, where the system does not tell.
const MOSTLY_OPEN: u64 = 64;

/// The system allows too few open files.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system allows {limit} open files, and {least} are needed at least: raise the limit (`ulimit -n`, or \
     `LimitNOFILE=` in a systemd unit), or ask for fewer of `server.workers`, `conversation.threads` and \
     `database.max_connections`"
)]
pub struct TooFewDescriptors {
    /// How many the process may have.
    pub limit: u64,
    /// How many it needs.
    pub least: u64,
}

/// Raises the limit as far as it goes, and says how many connections each of so many workers may hold: as many as
/// `server.max_connections` says, or fewer, which is logged. To be asked when the database is open and conversations
/// have their threads.
pub(super) fn connections_for_each(
    workers: usize,
    settings: &Settings,
    backend: Backend,
) -> Result<usize, TooFewDescriptors> {
    let asked_for = settings.server.max_connections;
    // Where it may not be raised it still holds.
    let limit =
        rlimit::increase_nofile_limit(u64::MAX).or_else(|_| rlimit::getrlimit(Resource::NOFILE).map(|(soft, _)| soft));
    let limit = match limit {
        Ok(limit) => limit,
        Err(error) => {
            tracing::warn!(%error, "how many files may be open is not known: connections may come to take them all");
            return Ok(asked_for);
        }
    };
    let needs = Needs {
        open: open_now(settings),
        workers: workers as u64,
        database_connections: settings.database.max_connections.into(),
        for_each_database_connection: match backend {
            Backend::Postgres => 1,
            // The database and its log.
            Backend::Sqlite => 2,
        },
    };
    let room = usize::try_from(needs.room(limit)?).unwrap_or(usize::MAX);
    if room < asked_for {
        tracing::info!(
            open_files = limit,
            connections = room.saturating_mul(workers),
            "connections beyond this number wait: the limit of open files allows fewer than server.max_connections"
        );
    }
    Ok(room.min(asked_for))
}

fn open_now(settings: &Settings) -> u64 {
    let guess = || MOSTLY_OPEN + FOR_EACH_ARBITER * settings.conversation.arbiter_threads() as u64;
    std::fs::read_dir("/dev/fd").map_or_else(|_| guess(), |open| open.count() as u64)
}

/// What the server needs besides its clients' connections.
struct Needs {
    open: u64,
    workers: u64,
    database_connections: u64,
    for_each_database_connection: u64,
}

impl Needs {
    /// Connections for each worker.
    fn room(&self, limit: u64) -> Result<u64, TooFewDescriptors> {
        let own = self
            .open
            .saturating_add(self.workers.saturating_mul(FOR_EACH_WORKER))
            .saturating_add(self.database_connections.saturating_mul(self.for_each_database_connection))
            .saturating_add(SPARE);
        let least = own.saturating_add(self.workers.max(LEAST));
        let room = limit.saturating_sub(own).checked_div(self.workers).unwrap_or(0);
        if limit < least { Err(TooFewDescriptors { limit, least }) } else { Ok(room) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Needs, TooFewDescriptors};

    const NEEDS: Needs = Needs { open: 40, workers: 2, database_connections: 16, for_each_database_connection: 2 };
    /// 40 open, 2 × 6 for the workers, 16 × 2 for the database, 16 to spare.
    const OWN: u64 = 100;

    #[test]
    fn what_is_left_is_shared_among_the_workers() {
        assert_eq!(NEEDS.room(OWN + 2 * 1000), Ok(1000));
        assert_eq!(NEEDS.room(OWN + 2 * 1000 + 1), Ok(1000));
        assert_eq!(NEEDS.room(u64::MAX), Ok((u64::MAX - OWN) / 2));
    }

    #[test]
    fn with_too_few_it_is_said_how_many_are_needed() {
        let least = OWN + 8;
        assert_eq!(NEEDS.room(least), Ok(4));
        assert_eq!(NEEDS.room(least - 1), Err(TooFewDescriptors { limit: least - 1, least }));
        assert_eq!(NEEDS.room(0), Err(TooFewDescriptors { limit: 0, least }));
    }

    #[test]
    fn each_worker_must_be_able_to_hold_one() {
        let many = Needs { workers: 64, ..NEEDS };
        let least = 40 + 64 * 6 + 32 + 16 + 64;
        assert_eq!(many.room(least), Ok(1));
        assert_eq!(many.room(least - 1), Err(TooFewDescriptors { limit: least - 1, least }));
    }
}
