//! Contact details: e-mail addresses and phone numbers.

use std::fmt;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::blank::{is_blank, is_default_ignorable};
use super::text::{TextError, limited, storable};

/// An e-mail address in the form in which addresses are compared (`additions.md`, 1): Unicode NFC without default-ignorable
/// characters and surrounding white space, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(Arc<str>);

impl EmailAddress {
    /// Maximum length in characters (RFC 5321, section 4.5.3.1: 64 for the local part, 255 for the domain, and `@`).
    pub const MAX_LENGTH: usize = 320;

    /// Parses an address as people type it. It must be a plausible `addr-spec` (RFC 5322, section 3.4.1): a local part, one
    /// `@`, and a domain without empty labels; not a list, a link, or an address with a display name. Deliverability is not
    /// checked.
    ///
    /// # Errors
    /// [`TextError`] if it has another form.
    pub fn parse(address: &str) -> Result<Self, TextError> {
        let address = normalised(address);
        let address = limited(&address, Self::MAX_LENGTH)?;
        if is_plausible(address) { Ok(Self(Arc::from(address))) } else { Err(TextError::InvalidEmailAddress) }
    }

    /// A plausible address as people are shown it: normalised but for the case. `None` if it is implausible.
    #[must_use]
    pub fn as_written(address: &str) -> Option<String> {
        Self::parse(address).ok().map(|_| visible(address))
    }

    /// An address from the database. Earlier releases stored addresses in lower case, but not normalised otherwise; they
    /// are compared in the form that they have today.
    #[must_use]
    pub fn stored(address: &str) -> Self {
        Self(Arc::from(normalised(address)))
    }

    /// The address, normalised.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The form in which addresses are compared. Normalising it again changes nothing.
fn normalised(address: &str) -> String {
    // What the lower case of a letter consists of may compose with what follows it.
    visible(address).to_lowercase().nfc().collect()
}

/// What readers see of an address, in Unicode NFC.
fn visible(address: &str) -> String {
    // Nearly all addresses.
    if address.is_ascii() {
        return address.trim().to_owned();
    }
    // Without an ignorable character two others may compose.
    let visible: String = address.chars().filter(|character| !is_default_ignorable(*character)).nfc().collect();
    visible.trim().to_owned()
}

fn is_plausible(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let is_foreign = |character: char| {
        character.is_whitespace() || character.is_control() || ['<', '>', ',', ';', '@'].contains(&character)
    };
    !is_blank(local)
        && !local.contains(is_foreign)
        && !local.starts_with("mailto:")
        && !domain.contains(is_foreign)
        && domain.split('.').all(|label| !is_blank(label))
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
        limited(&storable(number), Self::MAX_LENGTH).map(|number| Self(Arc::from(number)))
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
    fn an_address_that_people_take_for_another_is_the_same() {
        let jane = EmailAddress::parse("jos\u{e9}@example.com").expect("an address");
        for same in [
            "jose\u{301}@example.com",
            "JOSE\u{301}@Example.COM",
            "\u{202a}jos\u{e9}@example.com\u{202c}",
            "jos\u{e9}\u{200b}@example.com",
            "jose\u{200d}\u{301}@example.com",
            "\u{feff} jos\u{e9}@exam\u{ad}ple.com\u{a0}",
        ] {
            assert_eq!(EmailAddress::parse(same), Ok(jane.clone()), "{same:?}");
            assert_eq!(EmailAddress::stored(same), jane, "{same:?}");
        }
    }

    #[test]
    fn an_address_is_shown_in_the_case_in_which_it_was_written() {
        assert_eq!(
            EmailAddress::as_written(" Jose\u{301}@Example.com\u{200b}").as_deref(),
            Some("Jos\u{e9}@Example.com")
        );
        assert_eq!(EmailAddress::as_written("<a@b>"), None);
    }

    #[test]
    fn what_is_no_addr_spec_is_no_address() {
        for bad in [
            "a@b,",
            "a@b,c@d",
            "<a@b>",
            "Jane <a@b>",
            "mailto:a@b",
            "MAILTO:a@b",
            "a@b.",
            "a@.b",
            "a@b..c",
            "a@@b",
            "a@b;",
            "a@\u{200b}",
            "\u{2800}@b",
            "a@b.\u{2800}",
            "a\u{1}@b",
            "a\u{2003}b@c",
            "@",
            "a@",
            "\u{200b}@b",
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(TextError::InvalidEmailAddress), "{bad:?}");
        }
        for good in ["a@b", "a+b@c.de", "o'neil@x-y.example", "a..b@docomo.example", "用户@例子.广告", "a@[127.0.0.1]"]
        {
            assert!(EmailAddress::parse(good).is_ok(), "{good:?}");
        }
        let long = format!("{}@example.com", "x".repeat(320 - 12));
        assert!(EmailAddress::parse(&long).is_ok());
        assert_eq!(EmailAddress::parse(&format!("x{long}")), Err(TextError::TooLong { limit: 320 }));
    }

    proptest::proptest! {
        #[test]
        fn normalising_an_address_again_changes_nothing(address in "(\\PC|[İẞΣσςÅe\u{301}\u{345}\u{200b}\u{ad}@. ]){0,40}") {
            let once = normalised(&address);
            assert_eq!(normalised(&once), once);
            if let Ok(parsed) = EmailAddress::parse(&address) {
                assert_eq!(EmailAddress::stored(parsed.as_str()), parsed);
                assert_eq!(EmailAddress::parse(parsed.as_str()), Ok(parsed));
            }
        }
    }

    #[test]
    fn e_mail_addresses_are_compared_without_case() {
        assert_eq!(EmailAddress::parse("John@Example.com"), EmailAddress::parse(" john@example.COM "));
        for bad in ["", "john", "@x", "john@", "a@b@c", "a b@c"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }
}
