//! The position of the last event announced to this server's subscribers.
//!
//! It is shared between a server's registry and the conversation's machines, one after the other: a new machine continues
//! where its predecessor stopped, and a subscriber that joins while no machine runs can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Not known. The first event has position 1; 0 is known: nothing has happened.
const UNKNOWN: i64 = -1;

/// One conversation's. All clones share it.
#[derive(Clone, Debug)]
pub struct Watermark(Arc<AtomicI64>);

impl Watermark {
    /// Of a conversation of which nothing is announced yet, as far as is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self(Arc::new(AtomicI64::new(UNKNOWN)))
    }

    /// Position of the last event that need not be announced any more; `None` if it is not known.
    #[must_use]
    pub fn position(&self) -> Option<i64> {
        let position = self.0.load(Ordering::Relaxed);
        (position > UNKNOWN).then_some(position)
    }

    /// Everything up to this position has been announced.
    pub fn set(&self, position: i64) {
        self.0.store(position, Ordering::Relaxed);
    }

    /// Whether a later actor would lose something by not knowing it.
    #[must_use]
    pub fn is_worth_keeping(&self) -> bool {
        self.position().is_some_and(|position| position > 0)
    }
}
