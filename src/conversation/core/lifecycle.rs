//! Passivation: a machine stops when it has been idle for a time, or when its state would not save a read. Earlier, it is
//! trimmed: it drops everything but the conversation's state.
//!
//! Both times are exact, and no command sets a timer: when the timer fires and the machine was used meanwhile, it is set
//! again for the remainder.
//!
//! The machine leaves the registry when it is idle, and stops when every message sent to it before has arrived. Its driver
//! forwards these messages to the conversation's next machine. So no command is lost, and no two machines of a server
//! work at the same time: otherwise one would publish events that the other does not record for the subscribers whose
//! backlog it reads.

use std::time::{Duration, Instant};

use super::limits::MachineLimits;

/// The stages of passivation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// In the registry.
    #[default]
    Registered,
    /// No longer in the registry; messages sent before may still arrive, and are forwarded.
    Passivated,
    /// Every message has arrived; it stops when nothing is in progress.
    Drained,
}

/// Use and end of one machine.
#[derive(Debug)]
pub(super) struct Lifecycle {
    stage: Stage,
    last_used: Instant,
}

/// The next step of an unused machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unused {
    /// Check again after this time.
    Wait(Duration),
    /// Trim, and check again after this time.
    Trim(Duration),
    /// Passivate.
    Passivate,
}

impl Lifecycle {
    pub(super) fn new(now: Instant) -> Self {
        Self { stage: Stage::default(), last_used: now }
    }

    pub(super) fn used(&mut self, now: Instant) {
        self.last_used = now;
    }

    pub(super) fn is_registered(&self) -> bool {
        self.stage == Stage::Registered
    }

    pub(super) fn is_drained(&self) -> bool {
        self.stage == Stage::Drained
    }

    pub(super) fn passivated(&mut self) {
        self.stage = self.stage.max(Stage::Passivated);
    }

    pub(super) fn drained(&mut self) {
        self.stage = Stage::Drained;
    }

    /// The step that is due. Work in progress counts as use.
    pub(super) fn check(&mut self, is_idle: bool, limits: &MachineLimits, now: Instant) -> Unused {
        if !is_idle {
            self.last_used = now;
        }
        let unused = now.saturating_duration_since(self.last_used);
        if unused >= limits.passivate_after {
            return Unused::Passivate;
        }
        if unused >= limits.trim_after {
            return Unused::Trim(limits.passivate_after.saturating_sub(unused));
        }
        Unused::Wait(limits.trim_after.min(limits.passivate_after).saturating_sub(unused))
    }
}
