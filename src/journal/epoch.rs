//! Keeps a speculation whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A run of appends each decided on the state that the one before it leaves, without waiting for it to be stored.
///
/// When one of them is not stored, those behind it rest on something that never happened. The fence alone would not
/// catch them: the version that they expect may come about by another server's events. So the first that fails breaks
/// the lineage, and what still comes of it is turned away. Whoever loads a conversation anew begins a new one.
#[derive(Clone, Debug, Default)]
pub struct Epoch(Arc<AtomicBool>);

impl Epoch {
    /// A lineage of which nothing has failed yet.
    #[must_use]
    pub fn begin() -> Self {
        Self::default()
    }

    /// From here on nothing of it is stored.
    pub fn abort(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether something of it has failed.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Whether both are the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
