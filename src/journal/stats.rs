//! Counts of commits and appends: appends per commit is how well group commit groups.

use std::sync::atomic::{AtomicU64, Ordering};

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
}

impl StatsCounter {
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
