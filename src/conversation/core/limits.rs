//! Limits of the machine: sizes and times.

use std::time::Duration;

/// The limits of one machine.
#[derive(Clone, Copy, Debug)]
pub struct MachineLimits {
    /// Commands that wait for the database; more are answered [`super::CommandError::Overloaded`]. Also subscribers
    /// that wait to read their backlog.
    pub in_flight: usize,
    /// Stored sends in the idempotency cache.
    pub idempotency_cache: usize,
    /// Maximum of events of another server that a load reports; the newest ones.
    pub catch_up_events: i64,
    /// How long the machine reloads because of events in doubt.
    pub in_doubt: Duration,
    /// Idle time after which it drops everything but the conversation's state.
    pub trim_after: Duration,
    /// Idle time after which it is passivated.
    pub passivate_after: Duration,
}
