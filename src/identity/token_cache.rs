//! A cache of verified tokens, so that a signature is verified once and not at every request.
//!
//! The key is the token's SHA-256. The expiry is checked at every use, so a cached token is refused at the same second
//! as one that is verified again.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::Principal;
use super::latest_role::PresentedToken;

/// Seconds that a token is cached at most.
const MAX_CACHED_SECONDS: u64 = 24 * 60 * 60;

/// The SHA-256 of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Its first eight bytes: enough among the tokens of one account.
    pub(super) fn short(self) -> u64 {
        self.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

/// What a verified token proves.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedToken {
    pub(super) principal: Principal,
    /// The last second since 1970 at which it is valid.
    pub(super) last_second: u64,
    /// When it was issued, in milliseconds since 1970; 0 if it names no time.
    pub(super) issued_at: i64,
    /// Identifies it among the tokens of its account.
    pub(super) fingerprint: u64,
    /// When it was verified, in milliseconds since 1970; `None` until it is found in the cache.
    pub(super) seen_before: Option<i64>,
}

impl VerifiedToken {
    /// The user, with the role that the token names.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// When it was issued, in milliseconds since 1970; 0 if it names no time.
    pub(crate) fn issued_at(&self) -> i64 {
        self.issued_at
    }

    /// The last second since 1970 at which it is valid.
    pub(crate) fn last_second(&self) -> u64 {
        self.last_second
    }

    /// The token as [`super::Roles`] sees it, presented now, in milliseconds since 1970.
    pub(super) fn presented(&self, now: i64) -> PresentedToken {
        PresentedToken {
            role: self.principal.role.clone(),
            fingerprint: self.fingerprint,
            issued_at: self.issued_at,
            expires_at: i64::try_from(self.last_second).unwrap_or(i64::MAX),
            now,
            seen_before: self.seen_before,
        }
    }
}

/// A bounded cache. The least valuable token is evicted by moka's policy (TinyLFU).
#[derive(Clone, Debug)]
pub(super) struct TokenCache(Cache<Fingerprint, (VerifiedToken, Duration)>);

impl TokenCache {
    /// A cache of at most `capacity` tokens.
    pub(super) fn new(capacity: u64) -> Self {
        Self(Cache::builder().max_capacity(capacity).expire_after(AtTokenExpiry).build())
    }

    pub(super) fn get(&self, token: Fingerprint) -> Option<VerifiedToken> {
        self.0.get(&token).map(|(verified, _)| verified)
    }

    pub(super) fn insert(&self, token: Fingerprint, verified: VerifiedToken, now: u64) {
        let remaining = verified.last_second.saturating_sub(now).saturating_add(1).min(MAX_CACHED_SECONDS);
        self.0.insert(token, (verified, Duration::from_secs(remaining)));
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.0.run_pending_tasks();
        self.0.entry_count()
    }
}

/// Evicts a token when it expires.
struct AtTokenExpiry;

impl Expiry<Fingerprint, (VerifiedToken, Duration)> for AtTokenExpiry {
    fn expire_after_create(&self, _: &Fingerprint, value: &(VerifiedToken, Duration), _: Instant) -> Option<Duration> {
        Some(value.1)
    }
}
