//! What one connection may say: its buckets are kept with it, so that nothing it does but to come anew fills them up.

use std::sync::Arc;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::EventRefusal;

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// How often something may be done, and how often it may be refused before that is a flood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) taken: Quota,
    pub(super) refused: Quota,
}

/// The limits of one connection. What it has not yet done takes no room.
pub struct ConnectionLimits<C: Clock = DefaultClock> {
    clock: C,
    events: Pace,
    connects: Pace,
    said: Vec<(Arc<str>, Lane<C>)>,
    asked_to_join: Option<Box<Lane<C>>>,
}

/// What is counted together.
struct Lane<C: Clock> {
    taken: Bucket<C>,
    refused: Option<Box<Bucket<C>>>,
}

impl<C: Clock + Clone> Lane<C> {
    fn new(pace: Pace, clock: &C) -> Self {
        Self { taken: RateLimiter::direct_with_clock(pace.taken, clock.clone()), refused: None }
    }

    fn take(&mut self, pace: Pace, clock: &C) -> Result<(), EventRefusal> {
        if self.taken.check().is_ok() {
            return Ok(());
        }
        let bucket = || Box::new(RateLimiter::direct_with_clock(pace.refused, clock.clone()));
        match self.refused.get_or_insert_with(bucket).check() {
            Ok(()) => Err(EventRefusal::TooSoon),
            Err(_) => Err(EventRefusal::Flood),
        }
    }
}

impl<C: Clock + Clone> ConnectionLimits<C> {
    pub(super) fn new(events: Pace, connects: Pace, clock: C) -> Self {
        Self { clock, events, connects, said: Vec::new(), asked_to_join: None }
    }

    /// Counts an event of one of the connection's sockets, of which it has one in each namespace: leaving and joining
    /// again makes no difference.
    ///
    /// # Errors
    /// [`EventRefusal`].
    pub fn event(&mut self, namespace: &Arc<str>) -> Result<(), EventRefusal> {
        if let Some((_, lane)) = self.said.iter_mut().find(|(name, _)| name == namespace) {
            return lane.take(self.events, &self.clock);
        }
        let mut lane = Lane::new(self.events, &self.clock);
        let first = lane.take(self.events, &self.clock);
        self.said.push((Arc::clone(namespace), lane));
        first
    }

    /// Counts a wish to join a namespace, whatever becomes of it.
    ///
    /// # Errors
    /// [`EventRefusal`].
    pub fn connect(&mut self) -> Result<(), EventRefusal> {
        let lane = || Box::new(Lane::new(self.connects, &self.clock));
        self.asked_to_join.get_or_insert_with(lane).take(self.connects, &self.clock)
    }
}

impl<C: Clock> std::fmt::Debug for ConnectionLimits<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { events, connects, .. } = self;
        formatter
            .debug_struct("ConnectionLimits")
            .field("events", events)
            .field("connects", connects)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn pace(a_second: u32) -> Pace {
        let figure = NonZeroU32::new(a_second).expect("not 0");
        let flood = NonZeroU32::new(a_second * 10).expect("not 0");
        Pace { taken: Quota::per_second(figure), refused: Quota::per_second(flood) }
    }

    fn limits(clock: &FakeRelativeClock) -> ConnectionLimits<FakeRelativeClock> {
        ConnectionLimits::new(pace(50), pace(20), clock.clone())
    }

    /// How many were taken, how many refused, and how many of the rest were a flood.
    fn outcomes(count: usize, mut once: impl FnMut() -> Result<(), EventRefusal>) -> [usize; 3] {
        let mut outcomes = [0; 3];
        for _ in 0..count {
            match once() {
                Ok(()) => outcomes[0] += 1,
                Err(EventRefusal::TooSoon) => outcomes[1] += 1,
                Err(EventRefusal::Flood) => outcomes[2] += 1,
            }
        }
        outcomes
    }

    #[test]
    fn the_limit_is_taken_ten_times_as_many_are_refused_and_the_next_is_a_flood() {
        let clock = FakeRelativeClock::default();
        let mut limits = limits(&clock);
        let support: Arc<str> = "/support".into();
        assert_eq!(outcomes(50, || limits.event(&support)), [50, 0, 0]);
        assert_eq!(limits.event(&support), Err(EventRefusal::TooSoon));
        assert_eq!(outcomes(499, || limits.event(&support)), [0, 499, 0]);
        assert_eq!(limits.event(&support), Err(EventRefusal::Flood));
        // A second later it is as at first: what was refused has taken nothing.
        clock.advance(Duration::from_secs(1));
        assert_eq!(outcomes(551, || limits.event(&support)), [50, 500, 1]);
    }

    #[test]
    fn one_more_is_taken_as_often_as_the_limit_says() {
        let clock = FakeRelativeClock::default();
        let mut limits = limits(&clock);
        let support: Arc<str> = "/support".into();
        assert_eq!(outcomes(60, || limits.event(&support)), [50, 10, 0]);
        clock.advance(Duration::from_millis(19));
        assert_eq!(outcomes(1, || limits.event(&support)), [0, 1, 0]);
        clock.advance(Duration::from_millis(1));
        assert_eq!(outcomes(2, || limits.event(&support)), [1, 1, 0]);
    }

    #[test]
    fn the_sockets_of_a_connection_and_its_joining_are_counted_apart() {
        let mut limits = limits(&FakeRelativeClock::default());
        assert_eq!(outcomes(51, || limits.event(&"/support".into())), [50, 1, 0]);
        assert_eq!(outcomes(51, || limits.event(&"/help-center".into())), [50, 1, 0]);
        assert_eq!(outcomes(222, || limits.connect()), [20, 200, 2]);
        assert_eq!(outcomes(1, || limits.event(&"/support".into())), [0, 1, 0]);
    }
}
