//! What an operator must see of attacks and of misconfigured apps: refused tokens, refusals of the guard, limits. An
//! attacker causes as many as they like, so only some are logged; all are counted.
//!
//! The counters are the process's, as the log is.

use std::fmt::Display;
use std::time::Instant;

use parking_lot::Mutex;

/// A kind of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A token that is not valid.
    Token,
    /// A request without a token whose headers or signature the guard refuses.
    Guard,
    /// A request, an event or a connection over a rate limit.
    RateLimit,
    /// A connection over a limit of their number.
    Connection,
    /// A request that is not HTTP. Scanners send these all the time, so they are logged at debug level.
    Malformed,
}

/// The counters of each kind, in the order of [`Refused`].
static COUNTERS: [Mutex<Counter>; 5] = [const { Mutex::new(Counter::new()) }; 5];

/// Lines a second of each kind; set at the start.
static LINES_PER_SECOND: Mutex<u32> = Mutex::new(0);

/// Sets `log.refusals_per_second`.
pub(super) fn start(lines_per_second: u32) {
    *LINES_PER_SECOND.lock() = lines_per_second;
}

impl Refused {
    /// Counts a refusal, and logs it with its reason unless too many have been logged in this second. The reason must
    /// contain nothing that the client sent.
    pub(crate) fn record(self, reason: impl Display) {
        let limit = *LINES_PER_SECOND.lock();
        let counted = self.counter().map(|counter| counter.lock().count(Instant::now(), limit));
        let Some(Sample { total, suppressed }) = counted.flatten() else { return };
        match self {
            Self::Token => tracing::info!(%reason, total, suppressed, "a token was refused"),
            Self::Guard => tracing::info!(%reason, total, suppressed, "the guard refused a request"),
            Self::RateLimit => tracing::info!(%reason, total, suppressed, "a rate limit was exceeded"),
            Self::Connection => tracing::info!(%reason, total, suppressed, "a connection was refused"),
            Self::Malformed => tracing::debug!(%reason, total, suppressed, "a request was malformed"),
        }
    }

    fn counter(self) -> Option<&'static Mutex<Counter>> {
        COUNTERS.get(self as usize)
    }
}

/// How many refusals there were, and which of them are logged.
#[derive(Debug)]
struct Counter {
    /// Since the start.
    total: u64,
    /// Not logged since the last one that was.
    suppressed: u64,
    /// The second that began at `since` has had this many lines.
    since: Option<Instant>,
    lines: u32,
}

/// What a line contains.
#[derive(Debug, PartialEq, Eq)]
struct Sample {
    total: u64,
    suppressed: u64,
}

impl Counter {
    const fn new() -> Self {
        Self { total: 0, suppressed: 0, since: None, lines: 0 }
    }

    /// Counts one refusal. Returns what to log, if it is to be logged.
    fn count(&mut self, now: Instant, limit: u32) -> Option<Sample> {
        self.total += 1;
        if self.since.is_none_or(|since| now.duration_since(since).as_secs() > 0) {
            (self.since, self.lines) = (Some(now), 0);
        }
        if self.lines >= limit {
            self.suppressed += 1;
            return None;
        }
        self.lines += 1;
        Some(Sample { total: self.total, suppressed: std::mem::take(&mut self.suppressed) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_so_many_a_second_are_logged_and_the_next_line_counts_the_others() {
        let (mut counter, start) = (Counter::new(), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for total in 1..=3 {
            assert_eq!(counter.count(at(total), 3), Some(Sample { total, suppressed: 0 }));
        }
        for milliseconds in 4..=1000 {
            assert_eq!(counter.count(at(milliseconds), 3), None);
        }
        assert_eq!(counter.count(at(1001), 3), Some(Sample { total: 1001, suppressed: 997 }));
        assert_eq!(counter.count(at(1002), 3), Some(Sample { total: 1002, suppressed: 0 }));
    }

    #[test]
    fn no_lines_are_logged_if_none_are_allowed() {
        let (mut counter, start) = (Counter::new(), Instant::now());
        assert!((0..100).all(|second| counter.count(start + Duration::from_secs(second), 0).is_none()));
        assert_eq!((counter.total, counter.suppressed), (100, 100));
    }
}
