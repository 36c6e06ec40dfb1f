//! What one incoming message may cost. How long it may be incomplete follows from the heartbeat: a pong is a message
//! itself, so it cannot arrive within one.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Outbox;
use crate::config::EngineConfig;

/// The bound of a session's incoming messages.
#[derive(Debug)]
pub(super) struct Incoming {
    /// What the application has set last.
    max_payload: AtomicUsize,
    /// The largest value that the application may set.
    limit: usize,
}

impl Incoming {
    pub(super) fn new(config: &EngineConfig) -> Self {
        let max_payload = config.initial_max_payload.min(config.max_payload);
        Self { max_payload: AtomicUsize::new(max_payload), limit: config.max_payload }
    }
}

impl Outbox {
    /// Maximum size of a message, frame or body that is received now, in bytes.
    pub(crate) fn max_payload(&self) -> usize {
        self.incoming.max_payload.load(Ordering::Relaxed)
    }

    pub(crate) fn set_max_payload(&self, bytes: usize) {
        self.incoming.max_payload.store(bytes.min(self.incoming.limit), Ordering::Relaxed);
    }
}
