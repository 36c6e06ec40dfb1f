//! Latencies and rates of a run, by what was done.
//!
//! With a rate, latency counts from the time at which the request was due, so a stall of the server is charged for every
//! request that it delayed. Without one (a closed loop), a stall delays one request only and is seen less often than
//! customers would see it (coordinated omission). Such values are reported twice: as measured, and with hdrhistogram's
//! correction, with the median as the expected interval.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::history::Elapsed;

/// The longest latency that is distinguished, in microseconds: ten minutes.
const LONGEST: u64 = 600_000_000;

/// An operation whose latency is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A customer's message, from its request to its answer.
    Send,
    /// The same message, until it arrives at a listening socket.
    Delivery,
    /// The first message, which opens a conversation.
    Open,
    /// A claim.
    Claim,
    /// All claims of one conversation.
    Storm,
    /// An agent's answer.
    Reply,
    /// An agent's note.
    Note,
    /// An agent's offer to a colleague to take a conversation over.
    Handover,
    /// The colleague's yes or no.
    Respond,
    /// A close.
    Close,
    /// A rating.
    Rate,
    /// Until a socket has connected and joined.
    Connect,
    /// Until a socket that was cut has reconnected and has what it missed.
    Return,
    /// Until the last of all sockets that were cut at once has reconnected.
    Avalanche,
    /// Until the last one of all idle sockets has connected.
    Ramp,
}

impl Operation {
    /// Whether an account makes this request again as soon as it is answered, so that a stall prevents further ones.
    fn is_repeated_at_once(self) -> bool {
        matches!(self, Self::Send | Self::Claim | Self::Storm)
    }

    /// As tables name it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Delivery => "delivery",
            Self::Open => "open",
            Self::Claim => "claim",
            Self::Storm => "claim storm",
            Self::Reply => "reply",
            Self::Note => "note",
            Self::Handover => "handover",
            Self::Respond => "handover answer",
            Self::Close => "close",
            Self::Rate => "rate",
            Self::Connect => "connect",
            Self::Return => "return",
            Self::Avalanche => "avalanche",
            Self::Ramp => "all connected",
        }
    }
}

/// One second of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Second {
    /// Which one, from the beginning of the measurement.
    pub second: u64,
    /// How often it was done.
    pub count: u64,
    /// Milliseconds within which half of them were.
    pub p50_ms: f64,
    /// Milliseconds within which 99 of 100 were.
    pub p99_ms: f64,
}

/// The latencies of one operation.
#[derive(Clone, Debug)]
pub struct Series {
    /// Microseconds.
    pub latency: Histogram<u64>,
    /// Second by second; those without any are not there.
    pub seconds: Vec<Second>,
    /// Whether the requests form a closed loop, so that those which a stall prevented are missing.
    pub closed_loop: bool,
    current: (u64, Histogram<u64>),
}

impl Series {
    /// Always `Some`: the bounds are valid constants.
    fn new(closed_loop: bool) -> Option<Self> {
        let histogram = |digits| Histogram::new_with_bounds(1, LONGEST, digits).ok();
        Some(Self { latency: histogram(3)?, seconds: Vec::new(), closed_loop, current: (0, histogram(2)?) })
    }

    /// Without `at`, the operation ended after the measurement and belongs to no second.
    fn record(&mut self, at: Option<Duration>, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST).clamp(1, LONGEST);
        self.latency.saturating_record(micros);
        let Some(at) = at else { return };
        if self.current.0 != at.as_secs() {
            self.complete_second();
            self.current.0 = at.as_secs();
        }
        self.current.1.saturating_record(micros);
    }

    /// Completes the current second.
    fn complete_second(&mut self) {
        let (second, histogram) = &mut self.current;
        if !histogram.is_empty() {
            self.seconds.push(Second {
                second: *second,
                count: histogram.len(),
                p50_ms: millis(histogram.value_at_quantile(0.5)),
                p99_ms: millis(histogram.value_at_quantile(0.99)),
            });
            histogram.reset();
        }
    }

    /// The histogram corrected for coordinated omission, with the median as the expected interval.
    #[must_use]
    pub fn corrected(&self) -> Option<Histogram<u64>> {
        let median = self.latency.value_at_quantile(0.5);
        (self.closed_loop && !self.latency.is_empty()).then(|| self.latency.clone_correct(median.max(1)))
    }
}

/// Microseconds as milliseconds.
#[must_use]
pub fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    series: BTreeMap<Operation, Series>,
    /// Failures, and how often each occurred.
    pub errors: BTreeMap<String, u64>,
    /// The last failure.
    pub last_error: Option<String>,
    /// Whether the measurement was ended early.
    pub interrupted: bool,
    /// Requests answered 429.
    pub limited: u64,
    /// Counts that have no latency: cuts, recoveries, rejoins.
    pub counts: BTreeMap<&'static str, u64>,
    began: Option<Elapsed>,
    ended: Option<Elapsed>,
    closed_loop: bool,
}

impl Statistics {
    /// The statistics of a closed loop, or of a run in which requests have a schedule.
    #[must_use]
    pub fn new(closed_loop: bool) -> Self {
        Self { closed_loop, ..Self::default() }
    }

    /// Begins the measurement.
    pub fn begin(&mut self, now: Elapsed) {
        self.began = Some(now);
    }

    /// Ends the measurement.
    pub fn end(&mut self, now: Elapsed) {
        self.ended.get_or_insert(now);
        self.series.values_mut().for_each(Series::complete_second);
    }

    /// The length of the measurement so far.
    #[must_use]
    pub fn measured(&self, now: Elapsed) -> Duration {
        self.began.map_or(Duration::ZERO, |began| self.ended.unwrap_or(now).since(began))
    }

    /// Records an operation if it was due during the measurement. One that ends later counts too: leaving out those in
    /// flight at the end would leave out the slowest.
    pub fn record(&mut self, operation: Operation, due: Elapsed, now: Elapsed) {
        let Some(began) = self.began.filter(|began| *began <= due) else { return };
        if self.ended.is_some_and(|ended| ended < due) {
            return;
        }
        if !self.series.contains_key(&operation) {
            let series = Series::new(self.closed_loop && operation.is_repeated_at_once());
            self.series.extend(series.map(|series| (operation, series)));
        }
        if let Some(series) = self.series.get_mut(&operation) {
            let at = self.ended.is_none().then(|| now.since(began));
            series.record(at, now.since(due));
        }
    }

    /// Counts a failure.
    pub fn error(&mut self, what: impl Into<String>) {
        /// Kinds of errors kept; the rest is one kind.
        const KINDS: usize = 50;
        let mut what = what.into();
        if self.errors.len() >= KINDS && !self.errors.contains_key(&what) {
            "something else".clone_into(&mut what);
        }
        *self.errors.entry(what.clone()).or_default() += 1;
        self.last_error = Some(what);
    }

    /// Counts something.
    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Every operation that was recorded, with its series.
    pub fn series(&self) -> impl Iterator<Item = (Operation, &Series)> {
        self.series.iter().map(|(operation, series)| (*operation, series))
    }

    /// One operation's series.
    #[must_use]
    pub fn of(&self, operation: Operation) -> Option<&Series> {
        self.series.get(&operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Elapsed {
        Elapsed::after(Duration::from_millis(millis))
    }

    #[test]
    fn only_operations_due_during_the_measurement_count() {
        let mut statistics = Statistics::new(false);
        statistics.record(Operation::Send, at(0), at(1));
        statistics.begin(at(1000));
        statistics.record(Operation::Send, at(999), at(1001));
        statistics.record(Operation::Send, at(1000), at(1003));
        statistics.end(at(2000));
        statistics.record(Operation::Send, at(2001), at(2002));
        let series = statistics.of(Operation::Send).unwrap();
        assert!(series.latency.len() == 1 && series.latency.equivalent(series.latency.max(), 3000));
        statistics.record(Operation::Send, at(1999), at(5000));
        let series = statistics.of(Operation::Send).unwrap();
        assert_eq!((series.latency.len(), series.seconds.len()), (2, 1), "it was under way at the end");
        assert_eq!(statistics.measured(at(9000)), Duration::from_secs(1));
    }

    #[test]
    fn seconds_are_counted_separately() {
        let mut statistics = Statistics::new(false);
        statistics.begin(at(0));
        for (due, done) in [(0, 10), (500, 510), (1000, 1100), (3000, 3020)] {
            statistics.record(Operation::Send, at(due), at(done));
        }
        statistics.end(at(4000));
        let seconds: Vec<_> = statistics
            .of(Operation::Send)
            .unwrap()
            .seconds
            .iter()
            .map(|second| (second.second, second.count))
            .collect();
        assert_eq!(seconds, [(0, 2), (1, 1), (3, 1)]);
    }

    #[test]
    fn a_stall_weighs_more_when_corrected() {
        let mut closed = Statistics::new(true);
        closed.begin(at(0));
        for number in 0..1000 {
            closed.record(Operation::Send, at(number), at(number + 1));
        }
        closed.record(Operation::Send, at(1000), at(2000));
        let series = closed.of(Operation::Send).unwrap();
        let corrected = series.corrected().unwrap();
        assert!(series.latency.value_at_quantile(0.99) < 1100, "as measured it is one of a thousand");
        assert!(corrected.value_at_quantile(0.99) > 900_000, "it kept a thousand from being sent");

        let mut open = Statistics::new(false);
        open.begin(at(0));
        open.record(Operation::Send, at(0), at(1));
        assert!(open.of(Operation::Send).unwrap().corrected().is_none());
    }
}
