//! How many bytes a person may read over time.
//!
//! What a read costs is known only afterwards, so it is paid afterwards: a read is admitted while the person's debt is at
//! most a burst, and the debt shrinks at a constant rate (the generic cell rate algorithm, with payment after use).

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use parking_lot::Mutex;

use super::RateLimited;
use crate::config::LimitSettings;

/// What every read costs in addition to its bytes.
const BASE_COST: usize = 1024;

/// The debts of readers.
#[derive(Debug)]
pub(super) struct ReadMeter {
    per_second: f64,
    /// The largest debt with which a read is admitted, as the time in which it is paid.
    burst: Duration,
    /// When each reader's debt is paid, by a keyed hash.
    paid_at: Cache<u64, Arc<Mutex<Instant>>>,
    hasher: RandomState,
}

impl ReadMeter {
    pub(super) fn new(settings: &LimitSettings) -> Self {
        let per_second = f64::from(settings.read_bytes_per_second);
        let burst = Duration::from_secs_f64(f64::from(settings.read_burst_bytes) / per_second);
        let paid_at = Cache::builder()
            .max_capacity(settings.limiter_cache_size)
            .eviction_policy(EvictionPolicy::lru())
            // The debt after one read that a full burst admitted is paid by then, unless it was enormous.
            .time_to_idle(burst.saturating_mul(2).saturating_add(Duration::from_secs(60)))
            .build();
        Self { per_second, burst, paid_at, hasher: RandomState::new() }
    }

    /// Whether a read may begin.
    pub(super) fn check(&self, reader: &impl Hash, now: Instant) -> Result<(), RateLimited> {
        let Some(paid_at) = self.paid_at.get(&self.hasher.hash_one(reader)) else { return Ok(()) };
        let debt = paid_at.lock().saturating_duration_since(now);
        match debt.checked_sub(self.burst) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(RateLimited { wait }),
        }
    }

    /// Adds what a read has cost.
    pub(super) fn charge(&self, reader: &impl Hash, bytes: usize, now: Instant) {
        let cost = u32::try_from(bytes.saturating_add(BASE_COST)).unwrap_or(u32::MAX);
        let time = Duration::from_secs_f64(f64::from(cost) / self.per_second);
        let paid_at = self.paid_at.get_with(self.hasher.hash_one(reader), || Arc::new(Mutex::new(now)));
        let mut paid_at = paid_at.lock();
        *paid_at = (*paid_at).max(now) + time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Sources};

    /// 1 MB a second, and a burst of 10.
    fn meter(limiter_cache_size: u64) -> ReadMeter {
        let (_, settings) = Settings::load(&Sources::default()).expect("the defaults");
        ReadMeter::new(&LimitSettings {
            read_bytes_per_second: 1_000_000,
            read_burst_bytes: 10_000_000,
            limiter_cache_size,
            ..settings.limits
        })
    }

    #[test]
    fn reads_are_admitted_up_to_a_burst_and_then_at_the_rate() {
        let (meter, start) = (meter(100), Instant::now());
        let mut read = 0;
        while meter.check(&"jane", start).is_ok() {
            meter.charge(&"jane", 1_000_000 - BASE_COST, start);
            read += 1;
        }
        assert_eq!(read, 11, "the last one begins with a debt of exactly a burst");
        assert_eq!(meter.check(&"jane", start), Err(RateLimited { wait: Duration::from_secs(1) }));
        assert_eq!(meter.check(&"john", start), Ok(()));
        let later = start + Duration::from_millis(999);
        assert_eq!(meter.check(&"jane", later).map_err(RateLimited::retry_after_seconds), Err(1));
        assert_eq!(meter.check(&"jane", start + Duration::from_secs(1)), Ok(()));
        // After a rest there is one burst, and not more.
        let rested = start + Duration::from_secs(3600);
        meter.charge(&"jane", 10_000_000 - BASE_COST, rested);
        assert_eq!(meter.check(&"jane", rested), Ok(()));
        meter.charge(&"jane", 0, rested);
        assert!(meter.check(&"jane", rested).is_err(), "even an empty answer costs something");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (meter, now) = (meter(50), Instant::now());
        for reader in 0..1000 {
            meter.charge(&reader, 1, now);
        }
        meter.paid_at.run_pending_tasks();
        assert!(meter.paid_at.entry_count() <= 50);
    }
}
