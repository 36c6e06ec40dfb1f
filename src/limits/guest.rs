//! What people without an account do, counted so that no client can use up what is another's.
//!
//! Three things are known of such a call, and each is counted:
//! - **Its source**: the address (IPv6 by /64), or the account if there is a token. Its allowance is its own: a call
//!   with a token takes nothing from the calls without one of the same address.
//! - **The e-mail address** that it names. It is no secret, so anyone can name it: an allowance of the e-mail address alone
//!   could be used up by a stranger. It is therefore much wider than a source's, and only asked about sources that it has
//!   not admitted before. A source that was admitted has an allowance of its own for this address, which no other client can
//!   touch and which is used when the common one is empty. So a stranger with many sources can for a time keep out a
//!   person who writes for the first time or from a new address, but no person who has written before.
//! - **The conversation**, where one is continued. Its id cannot be guessed, so a client that names it is counted by it, as one
//!   person with the usual limit of sends, and the e-mail address's allowance is not asked at all: a person keeps
//!   talking from whatever address, however strangers use their e-mail address. A client that names an id that does not exist, or is
//!   another's, is limited as a source.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use uuid::Uuid;

use super::buckets::Buckets;
use super::{RateLimited, RateLimits};
use crate::config::LimitSettings;
use crate::domain::{EmailAddress, UserId};
use engineio::ip_prefix;

/// How long a source that was admitted is remembered after its last call.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GuestSource<'a> {
    /// An account, which names an e-mail address that need not be its own.
    Account(&'a UserId),
    /// An address; none if the transport has no addresses.
    Address(Option<IpAddr>),
}

/// What a call does in the name of an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GuestCall<'a> {
    /// It opens a conversation.
    Open,
    /// It continues the conversation with this id, in the client's spelling.
    Continue(&'a str),
    /// It creates a ticket, or adds to one.
    WriteTicket,
    /// It reads a ticket.
    ReadTicket,
}

/// The allowances of e-mail addresses.
#[derive(Debug)]
pub(super) struct EmailAllowance {
    /// Of all sources together, by e-mail address.
    common: Buckets,
    /// Of sources that were admitted, by source and e-mail address.
    own: Buckets,
    /// Of those who continue a conversation, by conversation and e-mail address.
    conversations: Buckets,
}

impl EmailAllowance {
    pub(super) fn new(settings: &LimitSettings) -> Self {
        let non_zero = |value: u32| NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN);
        let capacity = settings.limiter_cache_size;
        let common = Quota::per_minute(non_zero(settings.guest_email_calls_per_minute));
        let own = Quota::per_minute(non_zero(settings.guest_calls_per_minute));
        let sends = Quota::per_second(non_zero(settings.sends_per_second)).allow_burst(non_zero(settings.sends_burst));
        Self {
            common: Buckets::new(common, capacity),
            own: Buckets::kept_for(REMEMBERED, own, capacity),
            conversations: Buckets::new(sends, capacity),
        }
    }

    fn take(&self, from: GuestSource<'_>, email: &EmailAddress, call: GuestCall<'_>) -> Result<(), RateLimited> {
        if let GuestCall::Continue(conversation) = call {
            // However it is spelled. What is no id leads to no conversation, and may share an allowance.
            return self.conversations.take(&(Uuid::parse_str(conversation).ok(), email));
        }
        // As the addresses of one network count as one, so does what was admitted from them.
        let network = match from {
            GuestSource::Account(_) => None,
            GuestSource::Address(address) => address.map(ip_prefix),
        };
        let account = match from {
            GuestSource::Account(account) => Some(account),
            GuestSource::Address(_) => None,
        };
        let own = (account, network, email, call);
        match self.common.take(&(email, call)) {
            Ok(()) => {
                self.own.keep(&own);
                Ok(())
            }
            Err(refused) => self.own.take_existing(&own).unwrap_or(Err(refused)),
        }
    }
}

impl RateLimits {
    /// Counts what is done in the name of an e-mail address. The source has been counted already, by
    /// [`RateLimits::guest_call`] or [`RateLimits::account_guest_call`].
    ///
    /// # Errors
    /// [`RateLimited`]; a refused call is not counted.
    pub(crate) fn guest_email(
        &self,
        from: GuestSource<'_>,
        email: &EmailAddress,
        call: GuestCall<'_>,
    ) -> Result<(), RateLimited> {
        self.with(|limiters| limiters.guest_emails.take(from, email, call))
    }

    /// Counts a send of an account in the name of an e-mail address: as a send of the account, and for its address.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub(crate) fn account_guest_call(&self, account: &UserId, from: Option<IpAddr>) -> Result<(), RateLimited> {
        self.send(account)?;
        self.with(|limiters| limiters.account_guest_calls.take(&from.map(ip_prefix)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = "jane@example.com";

    /// The allowances refill by 1 a minute: no test takes that long.
    fn limits() -> RateLimits {
        RateLimits::new(&LimitSettings {
            enabled: true,
            sends_per_second: 1,
            sends_burst: 2,
            guest_calls_per_minute: 1,
            account_guest_calls_per_minute: 3,
            guest_email_calls_per_minute: 4,
            guest_token_calls_per_minute: 4,
            socket_events_per_second: 1,
            socket_connects_per_second: 1,
            handshakes_per_second: 1,
            read_bytes_per_second: 1,
            read_burst_bytes: 1,
            limiter_cache_size: 1000,
        })
    }

    fn email(address: &str) -> EmailAddress {
        EmailAddress::parse(address).expect("an address")
    }

    fn address(number: u16) -> GuestSource<'static> {
        GuestSource::Address(Some(IpAddr::from([0x2001, 0xdb8, 0, number, 0, 0, 0, 1])))
    }

    fn account(id: &str) -> UserId {
        UserId::parse(id).expect("an id")
    }

    /// Uses up an e-mail address's common allowance from many sources.
    fn use_up(limits: &RateLimits, call: GuestCall<'_>) {
        let refused = (1000..2000).any(|number| limits.guest_email(address(number), &email(EMAIL), call).is_err());
        assert!(refused, "it is never used up");
    }

    #[test]
    fn strangers_cannot_use_up_what_a_person_has_who_was_admitted_before() {
        for call in [GuestCall::Open, GuestCall::WriteTicket, GuestCall::ReadTicket] {
            let limits = limits();
            let jane = email("Jane@Example.com");
            assert!(limits.guest_email(address(1), &jane, call).is_ok());
            use_up(&limits, call);
            assert!(limits.guest_email(address(2), &jane, call).is_err(), "a new source");
            assert!(limits.guest_email(address(1), &email("jane@example.COM"), call).is_ok(), "a known source");
            assert!(limits.guest_email(address(1), &jane, call).is_err(), "its own allowance is bounded, too");
            assert!(limits.guest_email(address(2), &email("john@example.com"), call).is_ok(), "another e-mail address");
        }
    }

    #[test]
    fn a_known_source_is_known_by_its_network_and_for_what_it_has_done() {
        let limits = limits();
        let jane = email(EMAIL);
        let at = |host: u16| GuestSource::Address(Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host])));
        assert!(limits.guest_email(at(1), &jane, GuestCall::Open).is_ok());
        use_up(&limits, GuestCall::Open);
        use_up(&limits, GuestCall::WriteTicket);
        assert!(limits.guest_email(at(1), &jane, GuestCall::WriteTicket).is_err(), "never written to a ticket");
        assert!(limits.guest_email(at(2), &jane, GuestCall::Open).is_ok());
        assert!(limits.guest_email(at(3), &jane, GuestCall::Open).is_err(), "one allowance for the network");
    }

    #[test]
    fn reading_takes_nothing_from_writing() {
        let limits = limits();
        use_up(&limits, GuestCall::ReadTicket);
        assert!(limits.guest_email(address(1), &email(EMAIL), GuestCall::WriteTicket).is_ok());
        use_up(&limits, GuestCall::WriteTicket);
        assert!(limits.guest_email(address(1), &email(EMAIL), GuestCall::Open).is_ok());
    }

    #[test]
    fn a_conversation_continues_however_its_e_mail_address_is_used() {
        let limits = limits();
        use_up(&limits, GuestCall::Open);
        let this = "0190AB00-0000-7000-8000-00000000000A";
        let (again, other) = ("0190ab0000007000800000000000000a", "0190ab00-0000-7000-8000-00000000000b");
        let go_on = |number, id| limits.guest_email(address(number), &email(EMAIL), GuestCall::Continue(id));
        assert!(go_on(1, this).is_ok(), "from a new address");
        // One person, from whatever address and however the id is spelled.
        assert!((2..100).any(|number| go_on(number, again).is_err()));
        assert!(go_on(1, other).is_ok());
    }

    #[test]
    fn an_account_is_counted_whatever_e_mail_addresses_it_names_and_takes_nothing_from_guests() {
        let limits = limits();
        let (jane, john) = (account("jane"), account("john"));
        let home = Some(IpAddr::from([192, 0, 2, 1]));
        // One a second is gained: more than a burst in no time.
        assert!((0..100).any(|_| limits.account_guest_call(&jane, home).is_err()));
        // The account is refused before its address is counted, so others have what is left of it.
        assert!(limits.account_guest_call(&john, home).is_ok());
        let refused = (0..100).any(|number| limits.account_guest_call(&account(&format!("a{number}")), home).is_err());
        assert!(refused, "many accounts of one address");
        assert!(limits.account_guest_call(&account("ada"), Some(IpAddr::from([192, 0, 2, 2]))).is_ok());
        assert!(limits.guest_call(home).is_ok(), "people without an account have an allowance of their own");
        let jane = GuestSource::Account(&jane);
        assert!(limits.guest_email(jane, &email(EMAIL), GuestCall::Open).is_ok());
        use_up(&limits, GuestCall::Open);
        assert!(limits.guest_email(jane, &email(EMAIL), GuestCall::Open).is_ok(), "known, by the account");
        assert!(limits.guest_email(GuestSource::Account(&john), &email(EMAIL), GuestCall::Open).is_err());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let limits = limits();
        for number in 0..5000_u32 {
            let _ = limits.guest_email(address(1), &email(&format!("{number}@example.com")), GuestCall::Open);
        }
        let allowance = &limits.0.as_deref().expect("limits are enabled").guest_emails;
        for buckets in [&allowance.common, &allowance.own] {
            let count = buckets.count();
            assert!(count <= 1000, "{count}");
        }
    }
}
