//! Memory that received data takes, of all connections together: packets whose attachments are missing, events that wait
//! for their handlers, and the arguments of running handlers.
//!
//! Each connection counts what it holds in a [`ReceivedShare`] of the server's [`ReceivedMemory`]; the share is given back
//! when the connection ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A connection that holds no more than this is never closed for what others hold.
pub(crate) const SMALL: usize = 64 * 1024;

/// What all connections of a server hold.
#[derive(Debug)]
pub(crate) struct ReceivedMemory {
    limit: usize,
    held: AtomicUsize,
}

impl ReceivedMemory {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: AtomicUsize::new(0) })
    }

    /// In bytes.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

/// What one connection holds.
#[derive(Debug)]
pub(crate) struct ReceivedShare {
    total: Arc<ReceivedMemory>,
    held: usize,
}

impl ReceivedShare {
    pub(crate) fn new(total: &Arc<ReceivedMemory>) -> Self {
        Self { total: Arc::clone(total), held: 0 }
    }

    /// Sets what the connection holds now. `false` if it has to be closed: together they hold too much, and this one is not
    /// [`SMALL`].
    pub(crate) fn set(&mut self, held: usize) -> bool {
        let before = std::mem::replace(&mut self.held, held);
        let total = if held >= before {
            self.total.held.fetch_add(held - before, Ordering::Relaxed) + (held - before)
        } else {
            self.total.held.fetch_sub(before - held, Ordering::Relaxed) - (before - held)
        };
        held <= SMALL || total <= self.total.limit
    }
}

impl Drop for ReceivedShare {
    fn drop(&mut self) {
        self.total.held.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_hold_much_are_closed_and_only_above_the_limit() {
        let memory = ReceivedMemory::new(10 * SMALL);
        let (mut small, mut large, mut other) =
            (ReceivedShare::new(&memory), ReceivedShare::new(&memory), ReceivedShare::new(&memory));
        assert!(large.set(5 * SMALL) && other.set(5 * SMALL), "the limit is reached");
        assert!(small.set(SMALL), "a small one is not closed");
        assert!(!large.set(5 * SMALL), "a large one is");
        drop(large);
        assert!(other.set(9 * SMALL));
        assert!(!other.set(9 * SMALL + 1));
        assert_eq!(memory.held(), 10 * SMALL + 1);
        assert!(other.set(0) && small.set(0));
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn a_connection_that_ends_gives_back_what_it_held() {
        let memory = ReceivedMemory::new(SMALL);
        let mut share = ReceivedShare::new(&memory);
        assert!(share.set(123));
        drop(share);
        assert_eq!(memory.held(), 0);
    }
}
