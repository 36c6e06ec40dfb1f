//! How many files this process may have open, and how many of them are left for connections.
//!
//! Each connection is an open file. A process that has used up its limit opens nothing any more: no connection to its
//! database, no log of SQLite's, and no connection that it could answer. So the limit is raised as far as the system
//! allows, what the server needs for itself is kept back, and connections beyond the rest wait in the kernel's queue
//! (`server.backlog`) until another ends. This does not listen or accept: `actix-server` does, and takes the number.

use crate::config::Settings;

/// What a worker opens for itself: the queue of its runtime's events, what wakes it, its signals.
const FOR_EACH_WORKER: u64 = 6;
/// SQLite has three for a connection: the database, its log, and the log's index.
const FOR_EACH_DATABASE_CONNECTION: u64 = 3;
/// What is open for a moment: a name that is looked up, a temporary file of SQLite's, connections that are being closed.
const SPARE: u64 = 16;
/// Connections that a worker must be able to hold for the server to be of any use.
const LEAST: u64 = 8;
/// What is taken to be open where the system does not tell.
const MOSTLY_OPEN: u64 = 64;

/// The system allows too few open files.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system allows {limit} open files, and {least} are needed at least: raise the limit (`ulimit -n`, or \
     `LimitNOFILE=` in a systemd unit), or ask for fewer of `server.workers` and `database.max_connections`"
)]
pub struct TooFewDescriptors {
    /// How many the process may have.
    pub limit: u64,
    /// How many it needs.
    pub least: u64,
}

/// Raises the limit as far as it goes, and says how many connections each of so many workers may hold: as many as
/// `server.max_connections` says, or fewer, which is logged. To be asked when the database is open.
pub(super) fn connections_for_each(workers: usize, settings: &Settings) -> Result<usize, TooFewDescriptors> {
    let limit = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => limit,
        Err(error) => {
            // Nobody knows the limit: then it is not what holds us back.
            tracing::warn!(%error, "the limit of open files could not be raised");
            return Ok(settings.server.max_connections);
        }
    };
    let needs = Needs {
        open: open_now(),
        workers: u64::try_from(workers).unwrap_or(u64::MAX),
        database_connections: settings.database.max_connections.into(),
    };
    let asked_for = settings.server.max_connections;
    let room = usize::try_from(needs.room(limit)?).unwrap_or(usize::MAX);
    if room < asked_for {
        tracing::warn!(
            open_files = limit,
            connections = room.saturating_mul(workers),
            "the limit of open files allows fewer connections than server.max_connections: those beyond wait; raise \
             it with ulimit -n or LimitNOFILE="
        );
    }
    Ok(room.min(asked_for))
}

fn open_now() -> u64 {
    std::fs::read_dir("/dev/fd").map_or(MOSTLY_OPEN, |open| open.count() as u64)
}

/// What the server needs besides its clients' connections.
struct Needs {
    open: u64,
    workers: u64,
    database_connections: u64,
}

impl Needs {
    /// Connections for each worker.
    fn room(&self, limit: u64) -> Result<u64, TooFewDescriptors> {
        let own = self
            .open
            .saturating_add(self.workers.saturating_mul(FOR_EACH_WORKER))
            .saturating_add(self.database_connections.saturating_mul(FOR_EACH_DATABASE_CONNECTION))
            .saturating_add(SPARE);
        let room = limit.saturating_sub(own).checked_div(self.workers).unwrap_or(0);
        let least = own.saturating_add(self.workers.saturating_mul(LEAST));
        if room < LEAST { Err(TooFewDescriptors { limit, least }) } else { Ok(room) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Needs, TooFewDescriptors};

    const NEEDS: Needs = Needs { open: 40, workers: 2, database_connections: 16 };
    /// 40 open, 2 × 6 for the workers, 16 × 3 for the database, 16 to spare.
    const OWN: u64 = 116;

    #[test]
    fn what_is_left_is_shared_among_the_workers() {
        assert_eq!(NEEDS.room(OWN + 2 * 1000), Ok(1000));
        assert_eq!(NEEDS.room(OWN + 2 * 1000 + 1), Ok(1000));
        assert_eq!(NEEDS.room(u64::MAX), Ok((u64::MAX - OWN) / 2));
    }

    #[test]
    fn with_too_few_it_is_said_how_many_are_needed() {
        let least = OWN + 2 * 8;
        assert_eq!(NEEDS.room(least), Ok(8));
        assert_eq!(NEEDS.room(least - 1), Err(TooFewDescriptors { limit: least - 1, least }));
        assert_eq!(NEEDS.room(0), Err(TooFewDescriptors { limit: 0, least }));
    }
}
