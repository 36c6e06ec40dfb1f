//! Tokens that have been found good, so that each is checked once and not at every request.
//!
//! A token is known by its SHA-256: nobody can make another with the same. What is kept is what the token proved, and
//! until when; it is looked at against the clock each time, so that a remembered token is refused at the same second as
//! one that is checked anew.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::Principal;

/// No token is remembered for longer, whatever it says.
const LONGEST: u64 = 24 * 60 * 60;

/// What a token is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

/// What a token proved.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    pub(super) principal: Principal,
    /// The last second, since 1970, at which it holds.
    pub(super) last_second: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Remembered(Cache<Fingerprint, (Proof, Duration)>);

impl Remembered {
    /// Remembers so many tokens; beyond, those that come least often go.
    pub(super) fn new(capacity: u64) -> Self {
        Self(Cache::builder().max_capacity(capacity).expire_after(WhenItExpires).build())
    }

    pub(super) fn get(&self, token: Fingerprint) -> Option<Proof> {
        self.0.get(&token).map(|(proof, _)| proof)
    }

    pub(super) fn insert(&self, token: Fingerprint, proof: Proof, now: u64) {
        let remaining = proof.last_second.saturating_sub(now).saturating_add(1).min(LONGEST);
        self.0.insert(token, (proof, Duration::from_secs(remaining)));
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.0.run_pending_tasks();
        self.0.entry_count()
    }
}

/// Makes room when a token can be of no more use.
struct WhenItExpires;

impl Expiry<Fingerprint, (Proof, Duration)> for WhenItExpires {
    fn expire_after_create(&self, _: &Fingerprint, value: &(Proof, Duration), _: Instant) -> Option<Duration> {
        Some(value.1)
    }
}
