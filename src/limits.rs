//! How often somebody may: sends by person, calls without an account by address, events by socket and the joining of
//! namespaces by connection, handshakes by address (`decisions.md`, "Envelope and errors").
//!
//! REST and sockets ask the same limits. Who asks has been told apart before (401 and 403 come first), and nothing has
//! been done yet. Each server counts for itself, in memory.

mod buckets;
mod connection;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;
use governor::clock::DefaultClock;

use crate::config::LimitSettings;
use crate::domain::{EmailAddress, Owner, UserId};
use buckets::Buckets;
use engineio::ip_prefix;

pub use connection::ConnectionLimits;
use connection::Pace;

/// A connection whose refused packets come faster than this many times the limit is flooding.
const FLOOD: u32 = 10;

/// Too often: it may be done again after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too often; again in {wait:?}")]
pub struct TooSoon {
    wait: Duration,
}

impl TooSoon {
    /// Whole seconds until it may be tried again, rounded up; 1 at the least.
    #[must_use]
    pub fn retry_after_seconds(self) -> u64 {
        let begun = u64::from(self.wait.subsec_nanos() > 0);
        self.wait.as_secs().saturating_add(begun).max(1)
    }
}

/// Why a packet of a connection is not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    /// Beyond the limit.
    #[error("too often")]
    TooSoon,
    /// So far beyond it that the connection should be closed.
    #[error("the connection floods")]
    Flood,
}

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender<'a> {
    /// An account, whatever its role.
    Account(&'a UserId),
    /// Somebody without one, known by their address.
    Guest(&'a EmailAddress),
}

impl<'a> From<&'a Owner> for Sender<'a> {
    fn from(owner: &'a Owner) -> Self {
        match owner {
            Owner::Account(id) => Self::Account(id),
            Owner::Guest(email) => Self::Guest(email),
        }
    }
}

impl<'a> From<&'a UserId> for Sender<'a> {
    fn from(id: &'a UserId) -> Self {
        Self::Account(id)
    }
}

/// The limits of this server. Cheap to clone; every clone counts in the same place.
#[derive(Clone, Debug)]
pub struct Limits(Option<Arc<Counts>>);

#[derive(Debug)]
struct Counts {
    sends: Buckets,
    guest_calls: Buckets,
    socket_events: Pace,
    socket_connects: Pace,
    handshakes: Buckets,
}

impl Limits {
    /// The limits as configured; none where they are off.
    #[must_use]
    pub fn new(settings: &LimitSettings) -> Self {
        let figure = |figure: u32| NonZeroU32::new(figure).unwrap_or(NonZeroU32::MIN);
        let buckets = |quota| Buckets::new(quota, settings.limiter_cache_size);
        let pace = |a_second| {
            let refused = Quota::per_second(figure(a_second).saturating_mul(figure(FLOOD)));
            Pace { taken: Quota::per_second(figure(a_second)), refused }
        };
        Self(settings.enabled.then(|| {
            Arc::new(Counts {
                sends: buckets(
                    Quota::per_second(figure(settings.sends_per_second)).allow_burst(figure(settings.sends_burst)),
                ),
                guest_calls: buckets(Quota::per_minute(figure(settings.guest_calls_per_minute))),
                socket_events: pace(settings.socket_events_per_second),
                socket_connects: pace(settings.socket_connects_per_second),
                handshakes: buckets(Quota::per_second(figure(settings.handshakes_per_second))),
            })
        }))
    }

    /// Counts a message: a customer's, an agent's, a note, to a conversation or a ticket. Its form has been found
    /// right.
    ///
    /// # Errors
    /// [`TooSoon`]; such a message counts for nothing.
    pub fn send<'a>(&self, by: impl Into<Sender<'a>>) -> Result<(), TooSoon> {
        self.with(|counts| counts.sends.take(&by.into()))
    }

    /// Counts a call of somebody without an account, whatever becomes of it.
    ///
    /// # Errors
    /// [`TooSoon`].
    pub fn guest_call(&self, from: Option<IpAddr>) -> Result<(), TooSoon> {
        self.with(|counts| counts.guest_calls.take(&from.map(ip_prefix)))
    }

    /// Counts a session that is to be opened.
    ///
    /// # Errors
    /// [`TooSoon`].
    pub fn handshake(&self, from: Option<IpAddr>) -> Result<(), TooSoon> {
        self.with(|counts| counts.handshakes.take(&from.map(ip_prefix)))
    }

    /// The limits of a connection that begins, where they are on. They are its own: nobody else counts there.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionLimits> {
        let counts = self.0.as_deref()?;
        Some(ConnectionLimits::new(counts.socket_events, counts.socket_connects, DefaultClock::default()))
    }

    fn with(&self, take: impl FnOnce(&Counts) -> Result<(), TooSoon>) -> Result<(), TooSoon> {
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
            socket_events_per_second: 1,
            socket_connects_per_second: 1,
            handshakes_per_second: 1,
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
    fn each_person_is_counted_apart_and_a_guest_apart_from_the_account_of_the_same_name() {
        let limits = Limits::new(&settings());
        let (jane, john) = (account("jane@example.com"), account("john"));
        let guest = Owner::Guest(EmailAddress::parse("Jane@Example.com").expect("an address"));
        let again = Owner::Guest(EmailAddress::parse("jane@example.COM").expect("an address"));
        // Twice as many as a burst, and some that a slow machine gains: whoever is refused here is one of these.
        let refused = |sends: &dyn Fn() -> Result<(), TooSoon>| (0..100).any(|_| sends().is_err());
        assert!(refused(&|| limits.send(&jane)));
        assert!(limits.send(&john).is_ok());
        assert!(limits.send(&guest).is_ok());
        assert!(refused(&|| limits.send(&guest)));
        assert!((0..100).any(|_| limits.send(&again).is_err()), "one address however it is spelled");
        // As customer or as agent: it is the same person.
        assert!((0..100).any(|_| limits.send(&Owner::Account(jane.clone())).is_err()));
    }

    #[test]
    fn addresses_of_ipv6_are_counted_by_their_ip_prefix_64_bits() {
        for (one, other, is_same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ] {
            let limits = Limits::new(&settings());
            assert!(limits.guest_call(address(one)).is_ok());
            assert_eq!(limits.guest_call(address(other)).is_err(), is_same, "{one} {other}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_told_is_limited_too() {
        let limits = Limits::new(&settings());
        assert!(limits.guest_call(None).is_ok());
        assert!(limits.guest_call(None).is_err());
    }

    #[test]
    fn limits_that_are_off_refuse_nothing() {
        let limits = Limits::new(&LimitSettings { enabled: false, ..settings() });
        for _ in 0..1000 {
            assert!(limits.send(&account("jane")).is_ok());
            assert!(limits.guest_call(None).is_ok());
            assert!(limits.handshake(None).is_ok());
        }
        assert!(limits.connection().is_none());
    }

    #[test]
    fn the_time_to_wait_is_rounded_up_to_whole_seconds() {
        for (milliseconds, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (5999, 6), (6000, 6)] {
            let too_soon = TooSoon { wait: Duration::from_millis(milliseconds) };
            assert_eq!(too_soon.retry_after_seconds(), seconds, "{milliseconds}");
        }
    }
}
