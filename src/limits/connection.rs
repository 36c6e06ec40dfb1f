//! Limits of one connection. Its buckets live as long as the connection, so that only reconnecting fills them up; the
//! handshake limit covers that.

use std::sync::Arc;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::EventRefusal;

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// How many packets are accepted, and how many may be refused before the connection counts as flooding.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketQuota {
    pub(super) accepted: Quota,
    pub(super) refused: Quota,
}

/// The limits of one connection. A bucket is allocated at its first use.
pub struct ConnectionLimits<C: Clock = DefaultClock> {
    clock: C,
    events: PacketQuota,
    connects: PacketQuota,
    /// One per namespace.
    event_limiters: Vec<(Arc<str>, PacketLimiter<C>)>,
    connect_limiter: Option<Box<PacketLimiter<C>>>,
}

/// Counts one kind of packet.
struct PacketLimiter<C: Clock> {
    accepted: Bucket<C>,
    refused: Option<Box<Bucket<C>>>,
}

impl<C: Clock + Clone> PacketLimiter<C> {
    fn new(packet_quota: PacketQuota, clock: &C) -> Self {
        Self { accepted: RateLimiter::direct_with_clock(packet_quota.accepted, clock.clone()), refused: None }
    }

    fn take(&mut self, packet_quota: PacketQuota, clock: &C) -> Result<(), EventRefusal> {
        if self.accepted.check().is_ok() {
            return Ok(());
        }
        let bucket = || Box::new(RateLimiter::direct_with_clock(packet_quota.refused, clock.clone()));
        match self.refused.get_or_insert_with(bucket).check() {
            Ok(()) => Err(EventRefusal::RateLimited),
            Err(_) => Err(EventRefusal::Flood),
        }
    }
}

impl<C: Clock + Clone> ConnectionLimits<C> {
    pub(super) fn new(events: PacketQuota, connects: PacketQuota, clock: C) -> Self {
        Self { clock, events, connects, event_limiters: Vec::new(), connect_limiter: None }
    }

    /// Counts an event of the connection's socket in a namespace. Leaving and rejoining the namespace does not reset the
    /// count.
    ///
    /// # Errors
    /// [`EventRefusal`].
    pub fn event(&mut self, namespace: &Arc<str>) -> Result<(), EventRefusal> {
        if let Some((_, limiter)) = self.event_limiters.iter_mut().find(|(name, _)| name == namespace) {
            return limiter.take(self.events, &self.clock);
        }
        let mut limiter = PacketLimiter::new(self.events, &self.clock);
        let first = limiter.take(self.events, &self.clock);
        self.event_limiters.push((Arc::clone(namespace), limiter));
        first
    }

    /// Counts a CONNECT packet, whatever its outcome.
    ///
    /// # Errors
    /// [`EventRefusal`].
    pub fn connect(&mut self) -> Result<(), EventRefusal> {
        let limiter = || Box::new(PacketLimiter::new(self.connects, &self.clock));
        self.connect_limiter.get_or_insert_with(limiter).take(self.connects, &self.clock)
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

    fn packet_quota(per_second: u32) -> PacketQuota {
        let limit = NonZeroU32::new(per_second).expect("not 0");
        let flood = NonZeroU32::new(per_second * 10).expect("not 0");
        PacketQuota { accepted: Quota::per_second(limit), refused: Quota::per_second(flood) }
    }

    fn limits(clock: &FakeRelativeClock) -> ConnectionLimits<FakeRelativeClock> {
        ConnectionLimits::new(packet_quota(50), packet_quota(20), clock.clone())
    }

    /// How many were accepted, refused, and counted as a flood.
    fn outcomes(count: usize, mut once: impl FnMut() -> Result<(), EventRefusal>) -> [usize; 3] {
        let mut outcomes = [0; 3];
        for _ in 0..count {
            match once() {
                Ok(()) => outcomes[0] += 1,
                Err(EventRefusal::RateLimited) => outcomes[1] += 1,
                Err(EventRefusal::Flood) => outcomes[2] += 1,
            }
        }
        outcomes
    }

    #[test]
    fn ten_times_the_limit_is_refused_and_the_next_packet_is_a_flood() {
        let clock = FakeRelativeClock::default();
        let mut limits = limits(&clock);
        let support: Arc<str> = "/support".into();
        assert_eq!(outcomes(50, || limits.event(&support)), [50, 0, 0]);
        assert_eq!(limits.event(&support), Err(EventRefusal::RateLimited));
        assert_eq!(outcomes(499, || limits.event(&support)), [0, 499, 0]);
        assert_eq!(limits.event(&support), Err(EventRefusal::Flood));
        // Refusals take no token: after a second the bucket is full again.
        clock.advance(Duration::from_secs(1));
        assert_eq!(outcomes(551, || limits.event(&support)), [50, 500, 1]);
    }

    #[test]
    fn one_more_is_accepted_per_replenishment_interval() {
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
    fn namespaces_and_connect_packets_are_counted_separately() {
        let mut limits = limits(&FakeRelativeClock::default());
        assert_eq!(outcomes(51, || limits.event(&"/support".into())), [50, 1, 0]);
        assert_eq!(outcomes(51, || limits.event(&"/help-center".into())), [50, 1, 0]);
        assert_eq!(outcomes(222, || limits.connect()), [20, 200, 2]);
        assert_eq!(outcomes(1, || limits.event(&"/support".into())), [0, 1, 0]);
    }
}
