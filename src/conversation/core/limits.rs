//! Sizes and times that the machine is given.

use std::time::Duration;

/// Every bound of one machine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Commands that wait for the database; more are answered [`super::CommandError::Overloaded`]. Also subscribers
    /// that wait to read their backlog.
    pub in_flight: usize,
    /// Stored sends whose repeats are answered without asking the database.
    pub idempotency_cache: usize,
    /// Events of another server that a load reports at most, the newest.
    pub catch_up_events: i64,
    /// How long the machine looks for events of which it is not known whether they are stored.
    pub in_doubt: Duration,
    /// Unused for so long, it drops everything but the conversation's state.
    pub trim_after: Duration,
    /// Unused for so long, it stops.
    pub passivate_after: Duration,
}
