//! The wall clock, passed in so that tests can replace it.

use chrono::{SubsecRound, Utc};

use crate::domain::Timestamp;

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// The current time in whole milliseconds, as the contract shows it and storage keeps it.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Utc::now().trunc_subsecs(3)
    }
}
