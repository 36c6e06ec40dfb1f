//! Rate limits: sends per user, what people without an account do ([`guest`]), events and CONNECT packets per
//! connection, handshakes per address (`decisions.md`, "Envelope and errors").
//!
//! REST and sockets share them. A limit is checked after authentication, since 401 and 403 take precedence, and before
//! the request has any effect. Each server counts on its own, in memory that is bounded.

mod buckets;
mod connection;
mod guest;
mod guest_token;
mod read_meter;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use governor::Quota;
use governor::clock::DefaultClock;

use crate::config::LimitSettings;
use crate::domain::UserId;
use buckets::Buckets;
use engineio::ip_prefix;
use guest::EmailAllowance;
use guest_token::TokenAllowance;

pub(crate) use connection::ConnectionLimits;
use connection::PacketQuota;
pub(crate) use guest::{GuestCall, GuestSource};
pub(crate) use guest_token::TokenCall;
use read_meter::ReadMeter;

/// A connection is flooding if its refused packets exceed the limit this many times over.
const FLOOD_FACTOR: u32 = 10;

/// A limit is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate limited; retry after {wait:?}")]
pub struct RateLimited {
    wait: Duration,
}

impl RateLimited {
    /// Seconds until the next attempt can succeed, rounded up; at least 1.
    #[must_use]
    pub fn retry_after_seconds(self) -> u64 {
        let started = u64::from(self.wait.subsec_nanos() > 0);
        self.wait.as_secs().saturating_add(started).max(1)
    }
}

/// Why a packet of a connection is not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    /// The limit is exceeded.
    #[error("rate limited")]
    RateLimited,
    /// It is exceeded so far that the connection should be closed.
    #[error("the connection floods the server")]
    Flood,
}

/// The limits of this server. Cheap to clone; clones share their counters.
#[derive(Clone, Debug)]
pub struct RateLimits(Option<Arc<Limiters>>);

#[derive(Debug)]
struct Limiters {
    sends: Buckets,
    guest_calls: Buckets,
    account_guest_calls: Buckets,
    guest_emails: EmailAllowance,
    guest_tokens: TokenAllowance,
    socket_events: PacketQuota,
    socket_connects: PacketQuota,
    handshakes: Buckets,
    reads: ReadMeter,
}

impl RateLimits {
    /// The configured limits; none if they are disabled.
    #[must_use]
    pub fn new(settings: &LimitSettings) -> Self {
        let non_zero = |value: u32| NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN);
        let buckets = |quota| Buckets::new(quota, settings.limiter_cache_size);
        let packet_quota = |per_second| {
            let refused = Quota::per_second(non_zero(per_second).saturating_mul(non_zero(FLOOD_FACTOR)));
            PacketQuota { accepted: Quota::per_second(non_zero(per_second)), refused }
        };
        Self(settings.enabled.then(|| {
            Arc::new(Limiters {
                sends: buckets(
                    Quota::per_second(non_zero(settings.sends_per_second)).allow_burst(non_zero(settings.sends_burst)),
                ),
                guest_calls: buckets(Quota::per_minute(non_zero(settings.guest_calls_per_minute))),
                account_guest_calls: buckets(Quota::per_minute(non_zero(settings.account_guest_calls_per_minute))),
                guest_emails: EmailAllowance::new(settings),
                guest_tokens: TokenAllowance::new(settings),
                socket_events: packet_quota(settings.socket_events_per_second),
                socket_connects: packet_quota(settings.socket_connects_per_second),
                handshakes: buckets(Quota::per_second(non_zero(settings.handshakes_per_second))),
                reads: ReadMeter::new(settings),
            })
        }))
    }

    /// Counts a valid message of an account, whatever its role, including notes, to a conversation or a ticket.
    ///
    /// # Errors
    /// [`RateLimited`]; a refused message is not counted.
    pub fn send(&self, by: &UserId) -> Result<(), RateLimited> {
        self.with(|limiters| limiters.sends.take(by))
    }

    /// Counts a request without a token, whatever its outcome.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn guest_call(&self, from: Option<IpAddr>) -> Result<(), RateLimited> {
        self.with(|limiters| limiters.guest_calls.take(&from.map(ip_prefix)))
    }

    /// Counts an Engine.IO handshake.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn handshake(&self, from: Option<IpAddr>) -> Result<(), RateLimited> {
        self.with(|limiters| limiters.handshakes.take(&from.map(ip_prefix)))
    }

    /// Whether an account may read, after what it has read before.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn read(&self, by: &UserId) -> Result<(), RateLimited> {
        self.with(|limiters| limiters.reads.check(by, Instant::now()))
    }

    /// Counts what an account has read.
    pub fn has_read(&self, by: &UserId, bytes: usize) {
        if let Some(limiters) = self.0.as_deref() {
            limiters.reads.charge(by, bytes, Instant::now());
        }
    }

    /// The limits of a new connection; none if limits are disabled.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionLimits> {
        let limiters = self.0.as_deref()?;
        Some(ConnectionLimits::new(limiters.socket_events, limiters.socket_connects, DefaultClock::default()))
    }

    fn with(&self, take: impl FnOnce(&Limiters) -> Result<(), RateLimited>) -> Result<(), RateLimited> {
        self.0.as_deref().map_or(Ok(()), take)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> LimitSettings {
        LimitSettings {
            enabled: true,
            sends_per_second: 1,
            sends_burst: 2,
            guest_calls_per_minute: 1,
            account_guest_calls_per_minute: 1,
            guest_email_calls_per_minute: 1,
            guest_token_calls_per_minute: 1,
            socket_events_per_second: 1,
            socket_connects_per_second: 1,
            handshakes_per_second: 1,
            read_bytes_per_second: 1,
            read_burst_bytes: 1,
            limiter_cache_size: 100,
        }
    }

    fn account(id: &str) -> UserId {
        UserId::parse(id).expect("an id")
    }

    fn address(address: &str) -> Option<IpAddr> {
        Some(address.parse().expect("an address"))
    }

    #[test]
    fn each_account_is_counted_apart() {
        let limits = RateLimits::new(&settings());
        // More than a burst and the tokens that a slow machine gains: one of them must be refused.
        assert!((0..100).any(|_| limits.send(&account("jane")).is_err()));
        assert!(limits.send(&account("john")).is_ok());
    }

    #[test]
    fn ipv6_addresses_are_counted_by_their_64_bit_network() {
        for (one, other, is_same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ] {
            let limits = RateLimits::new(&settings());
            assert!(limits.guest_call(address(one)).is_ok());
            assert_eq!(limits.guest_call(address(other)).is_err(), is_same, "{one} {other}");
        }
    }

    #[test]
    fn requests_without_a_known_address_are_limited_together() {
        let limits = RateLimits::new(&settings());
        assert!(limits.guest_call(None).is_ok());
        assert!(limits.guest_call(None).is_err());
    }

    #[test]
    fn disabled_limits_refuse_nothing() {
        let limits = RateLimits::new(&LimitSettings { enabled: false, ..settings() });
        for _ in 0..1000 {
            assert!(limits.send(&account("jane")).is_ok());
            assert!(limits.guest_call(None).is_ok());
            assert!(limits.handshake(None).is_ok());
        }
        assert!(limits.connection().is_none());
    }

    #[test]
    fn retry_after_is_rounded_up_to_seconds() {
        for (milliseconds, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (5999, 6), (6000, 6)] {
            let refusal = RateLimited { wait: Duration::from_millis(milliseconds) };
            assert_eq!(refusal.retry_after_seconds(), seconds, "{milliseconds}");
        }
    }
}
