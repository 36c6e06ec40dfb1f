//! A limit per key, such as a user or an address: one token bucket (`governor`) for each, in a bounded cache.
//!
//! A bucket that is unused for as long as it takes to fill up is full, and can be evicted without a difference. If there
//! are too many, the least recently used one is evicted.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::RateLimited;

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Token buckets by key.
pub(super) struct Buckets<C: Clock = DefaultClock> {
    quota: Quota,
    clock: C,
    /// By a keyed hash, which clients cannot predict. Keys with the same hash share a bucket.
    buckets: Cache<u64, Arc<Bucket<C>>>,
    hasher: RandomState,
}

impl Buckets {
    /// At most `capacity` buckets of this quota.
    pub(super) fn new(quota: Quota, capacity: u64) -> Self {
        let full_after = quota.replenish_interval().saturating_mul(quota.burst_size().get());
        Self::kept_for(full_after, quota, capacity)
    }

    /// As [`Buckets::new`], with buckets that are kept for `idle` after their last use, even when they are full.
    pub(super) fn kept_for(idle: Duration, quota: Quota, capacity: u64) -> Self {
        Self::with_clock(quota, capacity, DefaultClock::default(), idle)
    }
}

impl<C: Clock + Clone + Send + Sync + 'static> Buckets<C>
where
    Bucket<C>: Send + Sync,
{
    fn with_clock(quota: Quota, capacity: u64, clock: C, evict_after: Duration) -> Self {
        let buckets = Cache::builder()
            .max_capacity(capacity)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(evict_after)
            .build();
        Self { quota, clock, buckets, hasher: RandomState::new() }
    }

    /// Takes a token from the bucket of `key`, if there is one.
    pub(super) fn take(&self, key: &impl Hash) -> Result<(), RateLimited> {
        self.take_from(&self.bucket(key))
    }

    /// As [`Buckets::take`], from a bucket that exists; `None` if there is none.
    pub(super) fn take_existing(&self, key: &impl Hash) -> Option<Result<(), RateLimited>> {
        self.buckets.get(&self.hasher.hash_one(key)).map(|bucket| self.take_from(&bucket))
    }

    /// Makes the bucket of `key` if there is none, full.
    pub(super) fn keep(&self, key: &impl Hash) {
        self.bucket(key);
    }

    /// How many buckets there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.buckets.run_pending_tasks();
        self.buckets.entry_count()
    }

    fn bucket(&self, key: &impl Hash) -> Arc<Bucket<C>> {
        self.buckets.get_with(self.hasher.hash_one(key), || {
            Arc::new(RateLimiter::direct_with_clock(self.quota, self.clock.clone()))
        })
    }

    fn take_from(&self, bucket: &Bucket<C>) -> Result<(), RateLimited> {
        bucket.check().map_err(|refused| RateLimited { wait: refused.wait_time_from(self.clock.now()) })
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

    fn non_zero(value: u32) -> NonZeroU32 {
        NonZeroU32::new(value).expect("not 0")
    }

    fn sends(clock: &FakeRelativeClock) -> Buckets<FakeRelativeClock> {
        let quota = Quota::per_second(non_zero(5)).allow_burst(non_zero(20));
        Buckets::with_clock(quota, 1000, clock.clone(), LONG)
    }

    #[test]
    fn after_a_burst_one_is_accepted_per_replenishment_interval() {
        let clock = FakeRelativeClock::default();
        let buckets = sends(&clock);
        for n in 0..20 {
            assert_eq!(buckets.take(&"jane"), Ok(()), "{n}");
        }
        for _ in 0..3 {
            assert_eq!(buckets.take(&"jane"), Err(RateLimited { wait: Duration::from_millis(200) }));
        }
        clock.advance(Duration::from_millis(199));
        assert_eq!(buckets.take(&"jane"), Err(RateLimited { wait: Duration::from_millis(1) }));
        clock.advance(Duration::from_millis(1));
        assert_eq!(buckets.take(&"jane"), Ok(()), "a refusal takes no token");
        assert!(buckets.take(&"jane").is_err());
        assert_eq!(buckets.take(&"john"), Ok(()));
    }

    #[test]
    fn the_sustained_rate_does_not_exceed_the_quota() {
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
    fn ten_per_minute_are_a_burst_of_ten_and_the_next_after_six_seconds() {
        let clock = FakeRelativeClock::default();
        let buckets = Buckets::with_clock(Quota::per_minute(non_zero(10)), 1000, clock.clone(), LONG);
        assert_eq!((0..20).filter(|_| buckets.take(&1).is_ok()).count(), 10);
        assert_eq!(buckets.take(&1).map_err(RateLimited::retry_after_seconds), Err(6));
        clock.advance(Duration::from_secs(6));
        assert_eq!((0..20).filter(|_| buckets.take(&1).is_ok()).count(), 1);
        clock.advance(Duration::from_secs(60));
        assert_eq!((0..20).filter(|_| buckets.take(&1).is_ok()).count(), 10);
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_keys_in_use() {
        let clock = FakeRelativeClock::default();
        let buckets = Buckets::with_clock(Quota::per_minute(non_zero(10)), 100, clock, LONG);
        while buckets.take(&"greedy").is_ok() {}
        for n in 0..10_000 {
            let _ = buckets.take(&n);
            if n % 50 == 0 {
                assert!(buckets.take(&"greedy").is_err(), "evicted after {n} others");
                buckets.buckets.run_pending_tasks();
            }
        }
        buckets.buckets.run_pending_tasks();
        assert!(buckets.buckets.entry_count() <= 100, "{}", buckets.buckets.entry_count());
    }

    #[test]
    fn unused_buckets_are_evicted() {
        let quota = Quota::per_second(non_zero(100)).allow_burst(non_zero(10));
        let buckets = Buckets::new(quota, 1000);
        for n in 0..500 {
            let _ = buckets.take(&n);
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            buckets.buckets.run_pending_tasks();
            if buckets.buckets.entry_count() == 0 {
                break;
            }
            assert!(Instant::now() < deadline, "{} are still there", buckets.buckets.entry_count());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn concurrent_requests_share_the_quota() {
        let buckets = sends(&FakeRelativeClock::default());
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| (0..100).filter(|_| buckets.take(&"jane").is_ok()).count())).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(taken, 20);
    }
}
