//! What may be asked of a conversation. The edge has checked the form; whether it may happen, [`super::decide`] says.

use super::{
    Agent, AnswerHandover, AskHandover, Author, ClientMessageId, Customer, Feedback, HelpCenterPost, MessageText,
    Origin, Party, Rating, ResolutionNotes, TicketDraft, TicketPriority, TicketStatus,
};

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
    /// The agent who holds it asks another to take it over.
    AskHandover(Box<AskHandover>),
    /// The agent who was asked answers.
    AnswerHandover(AnswerHandover),
    /// An agent makes a ticket of it.
    CreateTicket {
        /// Who.
        by: Agent,
        /// Of what.
        draft: Box<TicketDraft>,
    },
    /// A customer makes a ticket without a conversation: makes a thread for it.
    OpenTicket(Box<OpenTicket>),
    /// A customer writes into a ticket.
    SendToTicket(Post<Customer>),
    /// An agent answers in a ticket; in a conversation's this is [`Command::Reply`].
    ReplyToTicket(Post<Agent>),
    /// An agent writes into a ticket what only agents see.
    NoteOnTicket(Post<Agent>),
    /// An agent says how far a ticket is.
    SetTicketStatus {
        /// Who.
        by: Agent,
        /// How far.
        status: TicketStatus,
        /// Said with it.
        notes: Option<ResolutionNotes>,
    },
    /// An agent gives a ticket to an agent.
    AssignTicket {
        /// Who.
        by: Agent,
        /// To whom; `None` where the directory has no such agent.
        to: Option<Party>,
    },
    /// An agent says how urgent a ticket is.
    PrioritiseTicket {
        /// Who.
        by: Agent,
        /// How urgent.
        priority: TicketPriority,
    },
    /// The customer says how a ticket was dealt with.
    RateTicket(Rate),
    /// A customer comes to the help center: makes their conversation there, empty, unless it is there.
    EnterHelpCenter(Box<Origin>),
    /// A customer writes in the help center.
    WriteToHelpCenter(Box<HelpCenterPost>),
}

/// A ticket that a customer makes, and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenTicket {
    /// How its thread begins; the channel is [`super::Channel::Ticket`].
    pub origin: Origin,
    /// What the ticket is made of; its description is the thread's first message.
    pub draft: TicketDraft,
    /// The client's name for this send.
    pub client_message_id: Option<ClientMessageId>,
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
pub struct IdempotencyKey {
    /// [`Author::sender_key`].
    pub sender: String,
    /// The client's name for it.
    pub client_message_id: ClientMessageId,
}

impl Command {
    /// Whether it makes a conversation, and meets one only as a repeat of itself.
    #[must_use]
    pub fn begins(&self) -> bool {
        matches!(self, Self::Open(_) | Self::OpenTicket(_) | Self::EnterHelpCenter(_))
    }

    /// Whether it is asked of a ticket rather than of a conversation.
    #[must_use]
    pub fn is_of_ticket(&self) -> bool {
        match self {
            Self::OpenTicket(_)
            | Self::SendToTicket(_)
            | Self::ReplyToTicket(_)
            | Self::NoteOnTicket(_)
            | Self::SetTicketStatus { .. }
            | Self::AssignTicket { .. }
            | Self::PrioritiseTicket { .. }
            | Self::RateTicket(_) => true,
            Self::Open(_)
            | Self::Send(_)
            | Self::Claim(_)
            | Self::Reply(_)
            | Self::Note(_)
            | Self::Close(_)
            | Self::Rate(_)
            | Self::AskHandover(_)
            | Self::AnswerHandover(_)
            | Self::CreateTicket { .. }
            | Self::EnterHelpCenter(_)
            | Self::WriteToHelpCenter(_) => false,
        }
    }

    /// The key by which a repeat of this command is known; only a named send has one.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<IdempotencyKey> {
        let (sender, id) = match self {
            Self::Open(open) => (open.origin.customer.owner.sender_key(), &open.client_message_id),
            Self::OpenTicket(open) => (open.origin.customer.owner.sender_key(), &open.client_message_id),
            Self::Send(post) | Self::SendToTicket(post) => (post.from.owner.sender_key(), &post.client_message_id),
            Self::WriteToHelpCenter(post) => (post.origin.customer.owner.sender_key(), &post.client_message_id),
            Self::Reply(post) | Self::Note(post) | Self::ReplyToTicket(post) | Self::NoteOnTicket(post) => {
                (Author::Agent(post.from.clone()).sender_key(), &post.client_message_id)
            }
            _ => return None,
        };
        id.clone().map(|client_message_id| IdempotencyKey { sender, client_message_id })
    }

    /// Whether a message that stands under this command's key is what this command would have written: then it is a
    /// repeat, otherwise the key was used for something else.
    #[must_use]
    pub fn would_have_written(&self, message: &super::Message) -> bool {
        let (text, is_customers) = match self {
            Self::Open(open) => (open.text.as_str(), true),
            Self::OpenTicket(open) => (open.draft.description.as_str(), true),
            Self::Send(post) | Self::SendToTicket(post) => (post.text.as_str(), true),
            Self::WriteToHelpCenter(post) => (post.text.as_str(), true),
            Self::Reply(post) | Self::Note(post) | Self::ReplyToTicket(post) | Self::NoteOnTicket(post) => {
                (post.text.as_str(), false)
            }
            _ => return false,
        };
        text == message.text.as_str()
            && matches!(self, Self::Note(_) | Self::NoteOnTicket(_)) == message.is_note()
            && is_customers == message.author.is_customer()
    }
}
