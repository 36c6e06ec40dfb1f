//! A limit that is kept for each of many: people, addresses, sockets.
//!
//! Each has a bucket of its own (`governor`). They are found in a bounded cache: one that was not used for as long as
//! it takes to fill up is full, and forgotten; where there are too many, that one goes which was not used for longest.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::TooSoon;

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// See the module.
pub(super) struct Buckets<C: Clock = DefaultClock> {
    quota: Quota,
    clock: C,
    /// By a hash that nobody outside can foresee: two that share one share a bucket, at worst.
    buckets: Cache<u64, Arc<Bucket<C>>>,
    hasher: RandomState,
}

impl Buckets {
    /// Buckets that hold and gain what the quota says, `capacity` of them at most.
    pub(super) fn new(quota: Quota, capacity: u64) -> Self {
        let full_after = quota.replenish_interval().saturating_mul(quota.burst_size().get());
        Self::with_clock(quota, capacity, DefaultClock::default(), full_after)
    }
}

impl<C: Clock + Clone + Send + Sync + 'static> Buckets<C>
where
    Bucket<C>: Send + Sync,
{
    fn with_clock(quota: Quota, capacity: u64, clock: C, forget_after: Duration) -> Self {
        let buckets = Cache::builder()
            .max_capacity(capacity)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(forget_after)
            .build();
        Self { quota, clock, buckets, hasher: RandomState::new() }
    }

    /// Takes one from the bucket of `key`; where it is empty nothing is taken.
    pub(super) fn take(&self, key: &impl Hash) -> Result<(), TooSoon> {
        let bucket = self.buckets.get_with(self.hasher.hash_one(key), || {
            Arc::new(RateLimiter::direct_with_clock(self.quota, self.clock.clone()))
        });
        bucket.check().map_err(|refused| TooSoon { wait: refused.wait_time_from(self.clock.now()) })
    }
}

impl<C: Clock> std::fmt::Debug for Buckets<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Buckets").field("quota", &self.quota).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Instant;

    use governor::clock::FakeRelativeClock;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn figure(figure: u32) -> NonZeroU32 {
        NonZeroU32::new(figure).expect("not 0")
    }

    fn sends(clock: &FakeRelativeClock) -> Buckets<FakeRelativeClock> {
        let quota = Quota::per_second(figure(5)).allow_burst(figure(20));
        Buckets::with_clock(quota, 1000, clock.clone(), LONG)
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_as_often_as_the_quota_says() {
        let clock = FakeRelativeClock::default();
        let buckets = sends(&clock);
        for n in 0..20 {
            assert_eq!(buckets.take(&"jane"), Ok(()), "{n}");
        }
        for _ in 0..3 {
            assert_eq!(buckets.take(&"jane"), Err(TooSoon { wait: Duration::from_millis(200) }));
        }
        clock.advance(Duration::from_millis(199));
        assert_eq!(buckets.take(&"jane"), Err(TooSoon { wait: Duration::from_millis(1) }));
        clock.advance(Duration::from_millis(1));
        assert_eq!(buckets.take(&"jane"), Ok(()), "what was refused has taken nothing");
        assert!(buckets.take(&"jane").is_err());
        assert_eq!(buckets.take(&"john"), Ok(()));
    }

    #[test]
    fn in_the_long_run_no_more_are_let_through_than_the_quota_says() {
        let clock = FakeRelativeClock::default();
        let buckets = sends(&clock);
        let mut taken = 0;
        for _ in 0..1000 {
            taken += u32::from(buckets.take(&"jane").is_ok());
            clock.advance(Duration::from_millis(10));
        }
        assert_eq!(taken, 20 + 49, "a burst, and 5 a second for not quite 10 seconds");
    }

    #[test]
    fn ten_a_minute_are_ten_at_once_and_the_next_after_six_seconds() {
        let clock = FakeRelativeClock::default();
        let buckets = Buckets::with_clock(Quota::per_minute(figure(10)), 1000, clock.clone(), LONG);
        assert_eq!((0..20).filter(|_| buckets.take(&1).is_ok()).count(), 10);
        assert_eq!(buckets.take(&1).map_err(TooSoon::retry_after_seconds), Err(6));
        clock.advance(Duration::from_secs(6));
        assert_eq!((0..20).filter(|_| buckets.take(&1).is_ok()).count(), 1);
        clock.advance(Duration::from_secs(60));
        assert_eq!((0..20).filter(|_| buckets.take(&1).is_ok()).count(), 10);
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for_and_who_comes_often_is() {
        let clock = FakeRelativeClock::default();
        let buckets = Buckets::with_clock(Quota::per_minute(figure(10)), 100, clock, LONG);
        while buckets.take(&"greedy").is_ok() {}
        for n in 0..10_000 {
            let _ = buckets.take(&n);
            if n % 50 == 0 {
                assert!(buckets.take(&"greedy").is_err(), "forgotten after {n} others");
                buckets.buckets.run_pending_tasks();
            }
        }
        buckets.buckets.run_pending_tasks();
        assert!(buckets.buckets.entry_count() <= 100, "{}", buckets.buckets.entry_count());
    }

    #[test]
    fn who_has_not_come_for_a_while_is_forgotten() {
        let quota = Quota::per_second(figure(100)).allow_burst(figure(10));
        let buckets = Buckets::new(quota, 1000);
        for n in 0..500 {
            let _ = buckets.take(&n);
        }
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            buckets.buckets.run_pending_tasks();
            if buckets.buckets.entry_count() == 0 {
                break;
            }
            assert!(Instant::now() < patience, "{} are still there", buckets.buckets.entry_count());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn many_at_once_get_no_more_than_one_alone() {
        let buckets = sends(&FakeRelativeClock::default());
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| (0..100).filter(|_| buckets.take(&"jane").is_ok()).count())).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(taken, 20);
    }
}
