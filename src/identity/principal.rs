//! A person whose token was good.

use std::ops::Deref;
use std::sync::Arc;

use crate::domain::{Agent, Customer, NAMELESS_AGENT, Owner, UserId, display_name};

/// Why a token was not good. The caller learns only that it was not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("no token")]
    Missing,
    /// The signature, the form, the algorithm or a time is wrong.
    #[error("{0}")]
    Invalid(String),
    /// It is longer than any that is looked at.
    #[error("longer than a token may be")]
    TooLong,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It asks for something that must be understood, and is not.
    #[error("it has critical headers")]
    Critical,
    /// It names a key that is not known, or none where there are several.
    #[error("no such key")]
    Key,
    /// The server can verify tokens and not sign any.
    #[error(
        "auth.algorithm is {0:?}: this server holds a public key alone, which cannot sign; tokens come from whoever \
         holds the private key"
    )]
    CannotSign(&'static str),
    /// `sub` names no account.
    #[error("sub is not an account's id")]
    Subject,
}

/// Who calls. Cheap to clone: what the token says is shared by all who hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Arc<Identity>);

impl From<Identity> for Principal {
    fn from(identity: Identity) -> Self {
        Self(Arc::new(identity))
    }
}

impl Deref for Principal {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0
    }
}

/// A person, as their token describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub id: UserId,
    /// As the token spells it.
    pub role: String,
    /// Whether the role is one of `auth.agent_roles`.
    pub is_agent: bool,
    /// E-mail address.
    pub email: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Whole name.
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

    /// This person as one who asks for help.
    #[must_use]
    pub fn as_customer(&self) -> Customer {
        Customer {
            owner: Owner::Account(self.id.clone()),
            name: self.display_name(),
            email: self.email.clone(),
            phone_number: self.phone_number.clone(),
        }
    }

    /// This person as one who helps; only for a principal with [`Principal::is_agent`].
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
    fn a_display_name_is_made_of_what_there_is() {
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
