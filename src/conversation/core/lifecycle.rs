//! When a machine ends: it has not been used for a while, or it holds nothing that would save a read. Some time before,
//! it drops everything but the conversation's state.
//!
//! Both times are exact, and no command costs a timer: the timer is set for when the machine would become unused from
//! its last use on, and where it was used meanwhile, again for the remainder.
//!
//! The machine leaves the registry first and stops once everything that was sent to it before has arrived. It leaves
//! when it is idle, and its driver forwards what still arrives to the conversation's next machine. So no command is
//! lost, and no two machines of a server work at the same time: the one would publish events that the other does not
//! record for the subscribers whose backlog it reads.

use std::time::{Duration, Instant};

use super::limits::Limits;

/// How far a machine is on its way out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It is in the registry.
    #[default]
    Registered,
    /// It is not; what was sent before may still arrive, and is forwarded.
    Passivated,
    /// Everything that was sent has arrived: it stops as soon as it is done.
    Drained,
}

/// Use and end of one machine.
#[derive(Debug)]
pub(super) struct Lifecycle {
    stage: Stage,
    last_used: Instant,
}

/// What an unused machine is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unused {
    /// Look again after this time.
    Wait(Duration),
    /// Trim, and look again after this time.
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

    /// What to do now. Whatever is in progress counts as use.
    pub(super) fn check(&mut self, is_idle: bool, limits: &Limits, now: Instant) -> Unused {
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
