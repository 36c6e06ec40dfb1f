//! A person whose token was good.

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
    /// `sub` names no account.
    #[error("sub is not an account's id")]
    Subject,
}

/// Who calls, as their token describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
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

impl Principal {
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

    fn principal(first: Option<&str>, last: Option<&str>, name: Option<&str>, email: Option<&str>) -> Principal {
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        Principal {
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
            assert_eq!(principal(first, last, name, email).display_name().as_deref(), expected);
        }
    }

    #[test]
    fn an_agent_always_has_a_name() {
        assert_eq!(principal(None, None, None, None).as_agent().name, "Support");
    }
}
