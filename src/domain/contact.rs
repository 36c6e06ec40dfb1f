//! Contact details: e-mail addresses and phone numbers.

use std::fmt;
use std::sync::Arc;

use super::text::{TextError, limited};

/// An e-mail address in lower case, so that two addresses that differ only in case are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(Arc<str>);

impl EmailAddress {
    /// Maximum length in characters (RFC 5321, section 4.5.3.1: 64 for the local part, 255 for the domain, and `@`).
    pub const MAX_LENGTH: usize = 320;

    /// Parses an address in any case. The check is the one that apps rely on: one `@` with text on both sides, and no
    /// white space. Deliverability is not checked.
    ///
    /// # Errors
    /// [`TextError`] if it has another form.
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
            _ => Err(TextError::InvalidEmailAddress),
        }
    }

    /// An address from the database.
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

/// A contact number. The format is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneNumber(Arc<str>);

impl PhoneNumber {
    /// Maximum length in characters.
    pub const MAX_LENGTH: usize = 64;

    /// Parses a number from a client; white space around it is dropped.
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
