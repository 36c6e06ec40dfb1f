//! The people in a conversation, as far as a conversation knows them.

use super::{EmailAddress, UserId};

/// Who a conversation belongs to. It never changes.
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

/// The person who asks for help, as they were when they wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// What shows that a conversation is theirs.
    pub owner: Owner,
    /// Display name; a guest has none.
    pub name: Option<String>,
    /// Contact address.
    pub email: Option<String>,
    /// Contact number.
    pub phone_number: Option<String>,
}

impl Customer {
    /// A customer of whom only the address is known.
    #[must_use]
    pub fn guest(address: EmailAddress) -> Self {
        Self { email: Some(address.to_string()), owner: Owner::Guest(address), name: None, phone_number: None }
    }
}

/// The person who helps, as they were when they acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Their account.
    pub id: UserId,
    /// Display name, never empty.
    pub name: String,
    /// Their address.
    pub email: Option<String>,
}

/// `first_name last_name`, else `name`, else the e-mail's local part (`decisions.md`, "Who is who").
#[must_use]
pub fn display_name(
    first_name: Option<&str>,
    last_name: Option<&str>,
    name: Option<&str>,
    email: Option<&str>,
) -> Option<String> {
    let parts: Vec<&str> = [first_name, last_name].into_iter().flatten().map(str::trim).collect();
    [Some(parts.join(" ").trim()), name.map(str::trim), email.and_then(|email| email.split('@').next())]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .map(ToOwned::to_owned)
}

/// The name of an agent of whom nothing else is known: clients split names, so it is never empty.
pub const NAMELESS_AGENT: &str = "Support";

/// The sender under which auto-replies are stored; no account's and no guest's key looks like it.
pub const AUTO_REPLY_KEY: &str = "auto-reply";

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The conversation's customer.
    Customer(Customer),
    /// An agent.
    Agent(Agent),
    /// The server: it follows a customer's message automatically.
    AutoReply {
        /// The sender that it shows.
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
