//! The user that a valid token identifies.

use std::ops::Deref;
use std::sync::Arc;

use super::guest::Guest;
use crate::domain::{Agent, Customer, NAMELESS_AGENT, Owner, UserId, display_name};

/// Why a token is refused. Clients only see that it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is no token.
    #[error("no token")]
    Missing,
    /// Its signature, format, algorithm, issuer, audience or a time is wrong.
    #[error("{0}")]
    Invalid(String),
    /// It exceeds the maximum length.
    #[error("longer than a token may be")]
    TooLong,
    /// It has expired.
    #[error("expired")]
    Expired,
    /// It has critical headers, none of which is supported.
    #[error("it has critical headers")]
    Critical,
    /// It names an unknown key, or none although there are several.
    #[error("no such key")]
    Key,
    /// The server can verify tokens but not sign them.
    #[error(
        "auth.algorithm is {0:?}: this server holds a public key alone, which cannot sign; the holder of the private key \
         issues tokens"
    )]
    CannotSign(&'static str),
    /// `sub` is no valid account id.
    #[error("sub is not an account's id")]
    Subject,
    /// It is a guest's, and serves nothing but one conversation or ticket.
    #[error("a guest's token")]
    Guest,
}

impl TokenError {
    /// The kind of error, without anything that the token contains.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid(_) => "invalid",
            Self::TooLong => "too long",
            Self::Expired => "expired",
            Self::Critical => "critical header",
            Self::Key => "unknown key",
            Self::CannotSign(_) => "cannot sign",
            Self::Subject => "invalid subject",
            Self::Guest => "a guest's",
        }
    }
}

/// The authenticated user of a request or socket. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Arc<Identity>);

impl From<Identity> for Principal {
    fn from(identity: Identity) -> Self {
        Self(Arc::new(identity))
    }
}

impl Principal {
    /// The same user in a role that is no agent's.
    pub(super) fn without_agent_rights(&self, role: String) -> Self {
        Self::from(Identity { role, is_agent: false, ..Identity::clone(self) })
    }
}

impl Deref for Principal {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0
    }
}

/// Who a valid token identifies: a user with an account, or a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// A user with an account.
    Account(Principal),
    /// A person without one, with a token for one conversation or ticket.
    Guest(Guest),
}

impl Person {
    /// The user with an account.
    #[must_use]
    pub fn account(&self) -> Option<&Principal> {
        match self {
            Self::Account(principal) => Some(principal),
            Self::Guest(_) => None,
        }
    }

    /// The guest.
    #[must_use]
    pub fn guest(&self) -> Option<&Guest> {
        match self {
            Self::Account(_) => None,
            Self::Guest(guest) => Some(guest),
        }
    }

    /// The user with an account, if they are an agent.
    #[must_use]
    pub fn agent(&self) -> Option<&Principal> {
        self.account().filter(|principal| principal.is_agent)
    }

    /// The owner of what is theirs.
    #[must_use]
    pub fn as_owner(&self) -> Owner {
        match self {
            Self::Account(principal) => principal.as_owner(),
            Self::Guest(guest) => guest.as_owner(),
        }
    }

    /// The author of what they write as a customer.
    #[must_use]
    pub fn as_customer(&self) -> Customer {
        match self {
            Self::Account(principal) => principal.as_customer(),
            Self::Guest(guest) => guest.as_customer(),
        }
    }
}

/// A user, as their token describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub id: UserId,
    /// The role, as the token spells it.
    pub role: String,
    /// Whether the role is one of `auth.agent_roles`.
    pub is_agent: bool,
    /// E-mail address.
    pub email: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Phone number.
    pub phone_number: Option<String>,
    /// The account's tag.
    pub smipay_tag: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
}

impl Identity {
    /// `first_name last_name`, else `name`, else the e-mail's local part.
    #[must_use]
    pub fn display_name(&self) -> Option<String> {
        display_name(self.first_name.as_deref(), self.last_name.as_deref(), self.name.as_deref(), self.email.as_deref())
    }

    /// This user as the owner of what is theirs.
    #[must_use]
    pub fn as_owner(&self) -> Owner {
        Owner::Account(self.id.clone())
    }

    /// This user as a customer.
    #[must_use]
    pub fn as_customer(&self) -> Customer {
        Customer {
            owner: self.as_owner(),
            name: self.display_name(),
            email: self.email.clone(),
            phone_number: self.phone_number.clone(),
        }
    }

    /// This user as an agent; only for one with [`Identity::is_agent`].
    #[must_use]
    pub fn as_agent(&self) -> Agent {
        Agent {
            id: self.id.clone(),
            name: self.display_name().unwrap_or_else(|| NAMELESS_AGENT.to_owned()),
            email: self.email.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(first: Option<&str>, last: Option<&str>, name: Option<&str>, email: Option<&str>) -> Identity {
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        Identity {
            id: UserId::parse("a").expect("an id"),
            role: "admin".to_owned(),
            is_agent: true,
            email: owned(email),
            first_name: owned(first),
            last_name: owned(last),
            name: owned(name),
            phone_number: None,
            smipay_tag: None,
            picture: None,
        }
    }

    #[test]
    fn a_display_name_is_the_first_available_of_several() {
        for (first, last, name, email, expected) in [
            (Some("Sarah"), Some("Johnson"), Some("x"), Some("y@z"), Some("Sarah Johnson")),
            (Some("Sarah"), None, Some("x"), None, Some("Sarah")),
            (Some(" "), Some(""), Some(" Sarah J. "), None, Some("Sarah J.")),
            (None, None, None, Some("sarah@smipay.com"), Some("sarah")),
            (None, None, Some(""), Some("@"), None),
        ] {
            assert_eq!(identity(first, last, name, email).display_name().as_deref(), expected);
        }
    }

    #[test]
    fn an_agent_always_has_a_name() {
        assert_eq!(identity(None, None, None, None).as_agent().name, "Support");
    }
}
