//! The people in a conversation, with the data that the conversation keeps of them.

use super::{EmailAddress, UserId, is_blank};

/// The owner of a conversation. It changes once at most, when a guest moves theirs to an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// An account.
    Account(UserId),
    /// An e-mail address and no account, even where an account has that address.
    Guest(EmailAddress),
}

impl Owner {
    /// The key under which a sender's `client_message_id`s are unique, in storage too.
    #[must_use]
    pub fn sender_key(&self) -> String {
        match self {
            Self::Account(id) => account_key(id),
            Self::Guest(email) => format!("guest:{email}"),
        }
    }

    /// The account, where there is one.
    #[must_use]
    pub fn account(&self) -> Option<&UserId> {
        match self {
            Self::Account(id) => Some(id),
            Self::Guest(_) => None,
        }
    }
}

fn account_key(id: &UserId) -> String {
    format!("account:{id}")
}

/// A customer, with their data at the time of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Owns their conversations.
    pub owner: Owner,
    /// Display name; a guest has none.
    pub name: Option<String>,
    /// Contact address.
    pub email: Option<String>,
    /// Contact number.
    pub phone_number: Option<String>,
}

impl Customer {
    /// A customer without an account, known by their address only.
    #[must_use]
    pub fn guest(address: EmailAddress) -> Self {
        Self { email: Some(address.to_string()), owner: Owner::Guest(address), name: None, phone_number: None }
    }
}

/// A support agent, with their data at the time of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Their account.
    pub id: UserId,
    /// Display name, never empty.
    pub name: String,
    /// Their address.
    pub email: Option<String>,
}

/// `first_name last_name`, else `name`, else the e-mail's local part (`decisions.md`, "Who is who"). What a reader does not
/// see counts as absent.
#[must_use]
pub fn display_name(
    first_name: Option<&str>,
    last_name: Option<&str>,
    name: Option<&str>,
    email: Option<&str>,
) -> Option<String> {
    let parts = [first_name, last_name].into_iter().flatten().map(str::trim).filter(|part| !is_blank(part));
    let parts: Vec<&str> = parts.collect();
    [Some(parts.join(" ").trim()), name.map(str::trim), email.and_then(|email| email.split('@').next())]
        .into_iter()
        .flatten()
        .find(|name| !is_blank(name))
        .map(ToOwned::to_owned)
}

/// The display name of an agent without name and address. Clients split names, so it must not be empty.
pub const NAMELESS_AGENT: &str = "Support";

/// The sender key of auto-replies. It differs from every account's and guest's key, which have a prefix.
pub const AUTO_REPLY_KEY: &str = "auto-reply";

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The conversation's customer.
    Customer(Customer),
    /// An agent.
    Agent(Agent),
    /// The server, which follows a customer's message automatically.
    AutoReply {
        /// The displayed sender.
        name: String,
    },
}

impl Author {
    /// The key under which this author's `client_message_id`s are unique.
    #[must_use]
    pub fn sender_key(&self) -> String {
        match self {
            Self::Customer(customer) => customer.owner.sender_key(),
            Self::Agent(agent) => account_key(&agent.id),
            Self::AutoReply { .. } => AUTO_REPLY_KEY.to_owned(),
        }
    }

    /// Whether this account, in whatever role, or this guest wrote it.
    #[must_use]
    pub fn is(&self, person: &Owner) -> bool {
        match self {
            Self::Customer(customer) => customer.owner == *person,
            Self::Agent(agent) => person.account() == Some(&agent.id),
            Self::AutoReply { .. } => false,
        }
    }

    /// The account or the guest that wrote it; `None` if the server did.
    #[must_use]
    pub fn as_owner(&self) -> Option<Owner> {
        match self {
            Self::Customer(customer) => Some(customer.owner.clone()),
            Self::Agent(agent) => Some(Owner::Account(agent.id.clone())),
            Self::AutoReply { .. } => None,
        }
    }

    /// Whether the customer wrote it.
    #[must_use]
    pub fn is_customer(&self) -> bool {
        matches!(self, Self::Customer(_))
    }

    /// Whether an agent wrote it.
    #[must_use]
    pub fn is_agent(&self) -> bool {
        matches!(self, Self::Agent(_))
    }

    /// The account that wrote it, where there is one.
    #[must_use]
    pub fn account(&self) -> Option<&UserId> {
        match self {
            Self::Customer(customer) => customer.owner.account(),
            Self::Agent(agent) => Some(&agent.id),
            Self::AutoReply { .. } => None,
        }
    }

    /// Display name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Customer(customer) => customer.name.as_deref(),
            Self::Agent(agent) => Some(&agent.name),
            Self::AutoReply { name } => Some(name),
        }
    }

    /// E-mail address.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::Customer(customer) => customer.email.as_deref(),
            Self::Agent(agent) => agent.email.as_deref(),
            Self::AutoReply { .. } => None,
        }
    }
}

/// First and last name of a person who is known by a full name alone: split at the last blank; one word is a first name
/// (`additions.md`, 4).
#[must_use]
pub fn split_name(name: &str) -> (Option<&str>, Option<&str>) {
    let name = name.trim();
    match name.rsplit_once(char::is_whitespace) {
        Some((first, last)) => (Some(first.trim_end()), Some(last)),
        None => (Some(name).filter(|name| !is_blank(name)), None),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_full_name_is_split_at_its_last_blank() {
        for (name, first, last) in [
            ("Jane Doe", Some("Jane"), Some("Doe")),
            (" Jane  van  Doe ", Some("Jane  van"), Some("Doe")),
            ("Mary Ann\u{a0}Lee", Some("Mary Ann"), Some("Lee")),
            ("Cher", Some("Cher"), None),
            (" ", None, None),
        ] {
            assert_eq!(super::split_name(name), (first, last), "{name:?}");
        }
    }
}
