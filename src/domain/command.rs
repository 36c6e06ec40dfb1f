//! What may be asked of a conversation. The edge has checked the form; whether it may happen, [`super::decide`] says.

use super::{Agent, Author, ClientMessageId, Customer, Feedback, MessageText, Origin, Rating};

/// Something that somebody wants of one conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A customer's first message: makes the conversation.
    Open(Box<Open>),
    /// A customer's further message.
    Send(Post<Customer>),
    /// An agent takes it.
    Claim(Agent),
    /// An agent answers; an unassigned conversation becomes theirs first.
    Reply(Post<Agent>),
    /// An agent writes what only agents see.
    Note(Post<Agent>),
    /// An agent ends it.
    Close(Agent),
    /// The customer says how it was.
    Rate(Rate),
}

/// What the customer says of a closed conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Who says so.
    pub from: Customer,
    /// How many stars.
    pub rating: Rating,
    /// In their own words.
    pub feedback: Option<Feedback>,
}

/// The first message and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// How the conversation begins.
    pub origin: Origin,
    /// What was written.
    pub text: MessageText,
    /// The client's name for this send.
    pub client_message_id: Option<ClientMessageId>,
}

/// A message of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post<Writer> {
    /// Who wrote.
    pub from: Writer,
    /// What was written.
    pub text: MessageText,
    /// The client's name for this send.
    pub client_message_id: Option<ClientMessageId>,
}

/// What names a send for good: who sent it, and the name they gave it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SendKey {
    /// [`Author::sender_key`].
    pub sender: String,
    /// The client's name for it.
    pub client_message_id: ClientMessageId,
}

impl Command {
    /// The key by which a repeat of this command is known; only a named send has one.
    #[must_use]
    pub fn send_key(&self) -> Option<SendKey> {
        let (sender, id) = match self {
            Self::Open(open) => (open.origin.customer.owner.sender_key(), &open.client_message_id),
            Self::Send(post) => (post.from.owner.sender_key(), &post.client_message_id),
            Self::Reply(post) | Self::Note(post) => {
                (Author::Agent(post.from.clone()).sender_key(), &post.client_message_id)
            }
            Self::Claim(_) | Self::Close(_) | Self::Rate(_) => return None,
        };
        id.clone().map(|client_message_id| SendKey { sender, client_message_id })
    }

    /// What it writes, where it writes.
    #[must_use]
    pub fn text(&self) -> Option<&MessageText> {
        match self {
            Self::Open(open) => Some(&open.text),
            Self::Send(post) => Some(&post.text),
            Self::Reply(post) | Self::Note(post) => Some(&post.text),
            Self::Claim(_) | Self::Close(_) | Self::Rate(_) => None,
        }
    }

    /// Whether a message that stands under this command's key is what this command would have written: then it is a
    /// repeat, otherwise the key was used for something else.
    #[must_use]
    pub fn would_have_written(&self, message: &super::Message) -> bool {
        let is_customers = matches!(self, Self::Open(_) | Self::Send(_));
        self.text() == Some(&message.text)
            && matches!(self, Self::Note(_)) == message.is_note()
            && is_customers == message.author.is_customer()
    }
}
