//! What guests do with their tokens, counted for the client's address and for the e-mail address (`additions.md`, 6).
//!
//! Anyone can get a token in the name of an e-mail address, by writing in its name. So that no stranger can use up what
//! another needs, a conversation has an allowance of its own when that of its e-mail address is used up: it takes the
//! token for that very conversation to use it.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use uuid::Uuid;

use super::buckets::Buckets;
use super::{RateLimited, RateLimits};
use crate::config::LimitSettings;
use crate::domain::EmailAddress;
use engineio::ip_prefix;

/// How long a conversation that was admitted is remembered after its last call.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// What a call with a token does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TokenCall {
    /// It reads the conversation or ticket.
    Read,
    /// It writes to it.
    Send,
}

/// The allowances of calls with guests' tokens.
#[derive(Debug)]
pub(super) struct TokenAllowance {
    addresses: Buckets,
    /// Of an e-mail address, by what is done.
    emails: Buckets,
    /// Of a conversation or ticket, by what is done.
    places: Buckets,
}

impl TokenAllowance {
    pub(super) fn new(settings: &LimitSettings) -> Self {
        let per_minute = |value: u32| Quota::per_minute(NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN));
        let (common, capacity) = (per_minute(settings.guest_token_calls_per_minute), settings.limiter_cache_size);
        Self {
            addresses: Buckets::new(common, capacity),
            emails: Buckets::new(common, capacity),
            places: Buckets::kept_for(REMEMBERED, per_minute(settings.guest_calls_per_minute), capacity),
        }
    }

    fn take(
        &self,
        from: Option<IpAddr>,
        place: Uuid,
        email: &EmailAddress,
        call: TokenCall,
    ) -> Result<(), RateLimited> {
        self.addresses.take(&from.map(ip_prefix))?;
        let own = (place, call);
        match self.emails.take(&(email, call)) {
            Ok(()) => {
                self.places.keep(&own);
                Ok(())
            }
            Err(refused) => self.places.take_existing(&own).unwrap_or(Err(refused)),
        }
    }
}

impl RateLimits {
    /// Counts a call with a guest's token.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub(crate) fn guest_token(
        &self,
        from: Option<IpAddr>,
        place: Uuid,
        email: &EmailAddress,
        call: TokenCall,
    ) -> Result<(), RateLimited> {
        self.with(|limiters| limiters.guest_tokens.take(from, place, email, call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Sources};

    #[test]
    fn an_address_and_an_e_mail_address_are_limited_and_a_conversation_keeps_its_own() {
        let variables = [
            ("SWITCHBOARD__LIMITS__ENABLED", "true"),
            ("SWITCHBOARD__LIMITS__GUEST_TOKEN_CALLS_PER_MINUTE", "5"),
            ("SWITCHBOARD__LIMITS__GUEST_CALLS_PER_MINUTE", "1"),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (_, settings) = Settings::load(&Sources { folder: None, variables }).expect("these settings should load");
        let limits = RateLimits::new(&settings.limits);
        let (jane, john) = (EmailAddress::parse("jane@x").expect("one"), EmailAddress::parse("john@x").expect("one"));
        let (mine, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let at = |host: u8| Some(IpAddr::from([192, 0, 2, host]));
        assert!(limits.guest_token(at(1), mine, &jane, TokenCall::Read).is_ok());
        // A stranger with another conversation in Jane's name, from many addresses.
        assert!((10..30).any(|host| limits.guest_token(at(host), other, &jane, TokenCall::Read).is_err()), "by e-mail");
        assert!(limits.guest_token(at(1), mine, &jane, TokenCall::Read).is_ok(), "her own allowance");
        assert!(limits.guest_token(at(1), mine, &jane, TokenCall::Read).is_err(), "is bounded");
        assert!(limits.guest_token(at(1), mine, &jane, TokenCall::Send).is_ok(), "reading takes nothing from writing");
        let mut people = (100..120)
            .map(|number| (Uuid::from_u128(number), EmailAddress::parse(&format!("{number}@x")).expect("one")));
        assert!(
            people.any(|(place, email)| limits.guest_token(at(2), place, &email, TokenCall::Read).is_err()),
            "by address"
        );
        assert!(limits.guest_token(at(3), mine, &john, TokenCall::Read).is_ok());
    }
}
