//! How much the writers have done: what tells whether group commit groups.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was stored since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Transactions in which something was.
    pub commits: u64,
    /// Appends in them.
    pub appends: u64,
}

/// Counts for all writers of a journal.
#[derive(Debug, Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    appends: AtomicU64,
}

impl Counters {
    /// A transaction has stored this many appends.
    pub(super) fn committed(&self, appends: usize) {
        if appends > 0 {
            self.commits.fetch_add(1, Ordering::Relaxed);
            self.appends.fetch_add(appends as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn tally(&self) -> Tally {
        Tally { commits: self.commits.load(Ordering::Relaxed), appends: self.appends.load(Ordering::Relaxed) }
    }
}
