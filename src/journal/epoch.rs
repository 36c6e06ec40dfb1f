//! Fails every append that was decided on top of a failed one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A series of appends, each decided on the state after the one before it without waiting for it to be stored.
///
/// If one of them is not stored, the later ones were decided on a state that never existed. The version fence does not
/// always catch them: another server's events may produce the version they expect. So the first append that fails
/// aborts the epoch, and the rest of it is refused. Reloading a conversation begins a new epoch.
#[derive(Clone, Debug, Default)]
pub struct Epoch(Arc<AtomicBool>);

impl Epoch {
    /// A new epoch, in which nothing has failed.
    #[must_use]
    pub fn begin() -> Self {
        Self::default()
    }

    /// Refuses whatever of it is not stored yet.
    pub fn abort(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was aborted.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Whether both are the same epoch.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
