//! How somebody can be reached.

use std::fmt;
use std::sync::Arc;

use super::text::{TextError, limited};

/// An e-mail address; two that differ only in case are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(Arc<str>);

impl EmailAddress {
    /// The most characters an address has (RFC 5321, section 4.5.3.1, local part and domain).
    pub const MAX_LENGTH: usize = 320;

    /// Takes an address in any case and keeps it in lower case. Whether mail arrives there is not looked at: one `@`
    /// with something on both sides, and no white space, is what apps have always been held to.
    ///
    /// # Errors
    /// [`TextError`] when it has no such form.
    pub fn parse(address: &str) -> Result<Self, TextError> {
        let address = limited(address, Self::MAX_LENGTH)?;
        match address.split_once('@') {
            Some((local, domain))
                if !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && !address.contains(char::is_whitespace) =>
            {
                Ok(Self(Arc::from(address.to_lowercase())))
            }
            _ => Err(TextError::NoEmailAddress),
        }
    }

    /// Takes an address that was stored.
    #[must_use]
    pub fn stored(address: &str) -> Self {
        Self(Arc::from(address.to_lowercase()))
    }

    /// The address in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A contact number, in whatever spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneNumber(Arc<str>);

impl PhoneNumber {
    /// The most characters it has.
    pub const MAX_LENGTH: usize = 64;

    /// Takes a number as it was sent.
    ///
    /// # Errors
    /// [`TextError`] when it is empty, too long, or cannot be stored.
    pub fn parse(number: &str) -> Result<Self, TextError> {
        limited(number, Self::MAX_LENGTH).map(|number| Self(Arc::from(number)))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses_are_compared_without_case() {
        assert_eq!(EmailAddress::parse("John@Example.com"), EmailAddress::parse(" john@example.COM "));
        for bad in ["", "john", "@x", "john@", "a@b@c", "a b@c"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }
}
