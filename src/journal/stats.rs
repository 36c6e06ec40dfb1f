//! Counts of commits and appends: appends per commit is how well group commit groups. And whether the database stores
//! anything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::database::DatabaseError;

/// How long a commit that the database could not store is remembered if no other follows.
const REMEMBERED: Duration = Duration::from_secs(5);

/// What the writers have committed since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Transactions that committed at least one append.
    pub commits: u64,
    /// Appends in them.
    pub appends: u64,
}

/// Counts for all writers of a journal.
#[derive(Debug, Default)]
pub(super) struct StatsCounter {
    commits: AtomicU64,
    appends: AtomicU64,
    /// The last commit that the database could not store, if none has been stored since.
    not_stored: Mutex<Option<Instant>>,
}

impl StatsCounter {
    /// Remembers whether the database could store a transaction.
    pub(super) fn observe<T>(&self, outcome: &Result<T, DatabaseError>) {
        match outcome {
            Ok(_) => *self.not_stored.lock() = None,
            Err(DatabaseError::CannotStore(_)) => *self.not_stored.lock() = Some(Instant::now()),
            Err(_) => {}
        }
    }

    /// Whether the last commits were refused by a read-only or full database.
    pub(super) fn cannot_store(&self) -> bool {
        self.not_stored.lock().is_some_and(|at| at.elapsed() < REMEMBERED)
    }

    /// Counts a transaction that committed this many appends.
    pub(super) fn count(&self, appends: usize) {
        if appends > 0 {
            self.commits.fetch_add(1, Ordering::Relaxed);
            self.appends.fetch_add(appends as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> JournalStats {
        JournalStats { commits: self.commits.load(Ordering::Relaxed), appends: self.appends.load(Ordering::Relaxed) }
    }
}
