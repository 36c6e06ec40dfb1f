//! Commands: requests to change a conversation. The edge validates their form; [`super::decide`] applies the rules.

use super::{
    Absence, Agent, AnswerHandover, AssignConversation, Author, ClientMessageId, Customer, CustomerRating,
    EmailAddress, ExpireHandover, HelpCenterPost, Message, MessageText, Origin, Party, Release, Reopen,
    RequestHandover, ResolutionNotes, TakeOver, TicketDraft, TicketPriority, TicketStatus, WithdrawHandover,
};

/// What a command addresses: the conversation, or the ticket attached to it. A ticket that a customer creates directly
/// has a conversation of its own ([`super::Channel::Ticket`]), its thread, which is visible only as the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The conversation.
    Conversation,
    /// Its ticket.
    Ticket,
}

/// A request to change one conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A customer's first message creates the conversation, or a ticket with its thread.
    Open(Box<Open>),
    /// A customer's further message.
    Send(SendMessage),
    /// An agent becomes the assignee.
    Claim(Claim),
    /// An agent answers. An unassigned conversation becomes theirs first.
    Reply(SendReply),
    /// An agent writes a note that only agents see.
    Note(AddNote),
    /// The assignee gives it back to the queue.
    Release(Release),
    /// An agent takes it over from an absent assignee.
    TakeOver(Box<TakeOver>),
    /// A supervisor assigns it.
    Assign(AssignConversation),
    /// An agent closes it.
    Close(Close),
    /// An agent reopens it.
    Reopen(Reopen),
    /// The customer rates it.
    Rate(SubmitRating),
    /// The assignee asks another agent to take it over.
    RequestHandover(Box<RequestHandover>),
    /// The agent who was asked accepts or rejects.
    AnswerHandover(AnswerHandover),
    /// The agent who asked takes the request back.
    WithdrawHandover(WithdrawHandover),
    /// A request was not answered in time.
    ExpireHandover(ExpireHandover),
    /// An agent creates a ticket from the conversation.
    CreateTicket(Box<CreateTicket>),
    /// An agent changes the ticket's status.
    SetTicketStatus(SetTicketStatus),
    /// An agent assigns the ticket.
    AssignTicket(AssignTicket),
    /// An agent changes the ticket's priority.
    PrioritiseTicket(PrioritiseTicket),
    /// A customer enters the help center, which creates their conversation there, empty, unless it exists.
    EnterHelpCenter(Box<EnterHelpCenter>),
    /// A customer writes in the help center.
    WriteToHelpCenter(Box<HelpCenterPost>),
    /// A guest who has an account now moves the conversation to it.
    ClaimGuest(Box<ClaimGuest>),
}

/// A customer's first message and its circumstances.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// How the conversation begins.
    pub origin: Origin,
    /// The first message.
    pub text: MessageText,
    /// The ticket to create with it; the origin's channel is [`super::Channel::Ticket`] then, and the text is the
    /// ticket's description.
    pub ticket: Option<Box<TicketDraft>>,
    /// The client's id for this send.
    pub client_message_id: Option<ClientMessageId>,
}

/// A message to an existing conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post<Writer> {
    /// Whether it is written to the conversation or to its ticket.
    pub target: Target,
    /// Who writes.
    pub from: Writer,
    /// The text.
    pub text: MessageText,
    /// The client's id for this send.
    pub client_message_id: Option<ClientMessageId>,
}

/// A customer's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendMessage(pub Post<Customer>);

/// An agent's answer, visible to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendReply(pub Post<Agent>);

/// An agent's note, visible to agents only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddNote(pub Post<Agent>);

/// An agent becomes the assignee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The agent.
    pub by: Agent,
}

/// An agent closes the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The agent.
    pub by: Agent,
}

/// The customer rates a closed conversation, or a ticket that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmitRating {
    /// Whether the conversation or its ticket is rated.
    pub target: Target,
    /// The rating.
    pub rate: CustomerRating,
}

/// An agent creates a ticket from a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTicket {
    /// The agent.
    pub by: Agent,
    /// The ticket.
    pub draft: TicketDraft,
}

/// An agent changes a ticket's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetTicketStatus {
    /// The agent.
    pub by: Agent,
    /// The new status.
    pub status: TicketStatus,
    /// Notes on the resolution; `None` keeps the earlier ones.
    pub notes: Option<ResolutionNotes>,
}

/// An agent assigns a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignTicket {
    /// The agent.
    pub by: Agent,
    /// The new assignee; `None` where the directory has no such agent.
    pub to: Option<Party>,
    /// Whether the agent is a supervisor, who may assign the ticket of any conversation.
    pub is_supervisor: bool,
    /// What was found of the absence of the conversation's assignee; `None` if they are present.
    pub absence: Option<Absence>,
}

/// An agent changes a ticket's priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrioritiseTicket {
    /// The agent.
    pub by: Agent,
    /// The new priority.
    pub priority: TicketPriority,
}

/// A customer enters the help center.
#[derive(Clone, Debug, PartialEq)]
pub struct EnterHelpCenter {
    /// How their conversation begins if it does not exist; the channel is [`super::Channel::HelpCenter`].
    pub origin: Origin,
}

/// A guest moves their conversation to their account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimGuest {
    /// The account.
    pub by: Customer,
    /// The address that the guest's token states.
    pub guest: EmailAddress,
}

/// Identifies a send permanently: its sender, and the client's id for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// [`Author::sender_key`].
    pub sender: String,
    /// The client's id.
    pub client_message_id: ClientMessageId,
}

impl Open {
    /// Whether a conversation is opened, or a ticket.
    #[must_use]
    pub fn target(&self) -> Target {
        if self.ticket.is_some() { Target::Ticket } else { Target::Conversation }
    }

    /// The key by which a repeat of this send is recognised; `None` if the client gave it no id.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<IdempotencyKey> {
        key(&self.client_message_id, || self.origin.customer.owner.sender_key())
    }
}

impl Command {
    /// Whether it creates a conversation; it meets an existing one only as a repeat of itself.
    #[must_use]
    pub fn creates_conversation(&self) -> bool {
        matches!(self, Self::Open(_) | Self::EnterHelpCenter(_))
    }

    /// What it addresses.
    #[must_use]
    pub fn target(&self) -> Target {
        match self {
            Self::Open(open) => open.target(),
            Self::Send(SendMessage(post)) => post.target,
            Self::Reply(SendReply(post)) | Self::Note(AddNote(post)) => post.target,
            Self::Rate(rating) => rating.target,
            Self::SetTicketStatus(_) | Self::AssignTicket(_) | Self::PrioritiseTicket(_) => Target::Ticket,
            Self::Claim(_)
            | Self::Release(_)
            | Self::TakeOver(_)
            | Self::Assign(_)
            | Self::Close(_)
            | Self::Reopen(_)
            | Self::RequestHandover(_)
            | Self::AnswerHandover(_)
            | Self::WithdrawHandover(_)
            | Self::ExpireHandover(_)
            | Self::CreateTicket(_)
            | Self::EnterHelpCenter(_)
            | Self::WriteToHelpCenter(_)
            | Self::ClaimGuest(_) => Target::Conversation,
        }
    }

    /// The key by which a repeat of this command is recognised; only a send to which the client gave an id has one.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<IdempotencyKey> {
        match self {
            Self::Open(open) => open.idempotency_key(),
            Self::Send(SendMessage(post)) => key(&post.client_message_id, || post.from.owner.sender_key()),
            Self::WriteToHelpCenter(post) => key(&post.client_message_id, || post.origin.customer.owner.sender_key()),
            Self::Reply(SendReply(post)) | Self::Note(AddNote(post)) => {
                key(&post.client_message_id, || Author::Agent(post.from.clone()).sender_key())
            }
            Self::Claim(_)
            | Self::Release(_)
            | Self::TakeOver(_)
            | Self::Assign(_)
            | Self::Close(_)
            | Self::Reopen(_)
            | Self::Rate(_)
            | Self::RequestHandover(_)
            | Self::AnswerHandover(_)
            | Self::WithdrawHandover(_)
            | Self::ExpireHandover(_)
            | Self::CreateTicket(_)
            | Self::SetTicketStatus(_)
            | Self::AssignTicket(_)
            | Self::PrioritiseTicket(_)
            | Self::EnterHelpCenter(_)
            | Self::ClaimGuest(_) => None,
        }
    }

    /// Drops the client's id, so that no repeat of this command is recognised: a defect that tests must find.
    pub(crate) fn forget_idempotency_key(&mut self) {
        match self {
            Self::Open(open) => open.client_message_id = None,
            Self::Send(SendMessage(post)) => post.client_message_id = None,
            Self::Reply(SendReply(post)) | Self::Note(AddNote(post)) => post.client_message_id = None,
            // The help center keeps its keys: the defect is about the support app.
            Self::WriteToHelpCenter(_)
            | Self::Claim(_)
            | Self::Release(_)
            | Self::TakeOver(_)
            | Self::Assign(_)
            | Self::Close(_)
            | Self::Reopen(_)
            | Self::Rate(_)
            | Self::RequestHandover(_)
            | Self::AnswerHandover(_)
            | Self::WithdrawHandover(_)
            | Self::ExpireHandover(_)
            | Self::CreateTicket(_)
            | Self::SetTicketStatus(_)
            | Self::AssignTicket(_)
            | Self::PrioritiseTicket(_)
            | Self::EnterHelpCenter(_)
            | Self::ClaimGuest(_) => {}
        }
    }

    /// Whether `message`, which is stored under this command's key, is what this command would write: then the command
    /// is a repeat. Otherwise the client has used the key for something else.
    #[must_use]
    pub fn would_write(&self, message: &Message) -> bool {
        let (text, is_from_customer, is_note) = match self {
            Self::Open(open) => (&open.text, true, false),
            Self::Send(SendMessage(post)) => (&post.text, true, false),
            Self::WriteToHelpCenter(post) => (&post.text, true, false),
            Self::Reply(SendReply(post)) => (&post.text, false, false),
            Self::Note(AddNote(post)) => (&post.text, false, true),
            Self::Claim(_)
            | Self::Release(_)
            | Self::TakeOver(_)
            | Self::Assign(_)
            | Self::Close(_)
            | Self::Reopen(_)
            | Self::Rate(_)
            | Self::RequestHandover(_)
            | Self::AnswerHandover(_)
            | Self::WithdrawHandover(_)
            | Self::ExpireHandover(_)
            | Self::CreateTicket(_)
            | Self::SetTicketStatus(_)
            | Self::AssignTicket(_)
            | Self::PrioritiseTicket(_)
            | Self::EnterHelpCenter(_)
            | Self::ClaimGuest(_) => return false,
        };
        text == &message.text && is_from_customer == message.author.is_customer() && is_note == message.is_note()
    }
}

fn key(id: &Option<ClientMessageId>, sender: impl FnOnce() -> String) -> Option<IdempotencyKey> {
    id.clone().map(|client_message_id| IdempotencyKey { sender: sender(), client_message_id })
}

/// Each kind of command is one variant of [`Command`].
macro_rules! variants {
    ($($kind:ident => $variant:ident $(, $box:ident)?;)+) => {
        $(impl From<$kind> for Command {
            fn from(command: $kind) -> Self {
                Self::$variant($($box::new)?(command))
            }
        })+
    };
}

variants! {
    Open => Open, Box;
    SendMessage => Send;
    Claim => Claim;
    ClaimGuest => ClaimGuest, Box;
    SendReply => Reply;
    AddNote => Note;
    Release => Release;
    TakeOver => TakeOver, Box;
    AssignConversation => Assign;
    Close => Close;
    Reopen => Reopen;
    SubmitRating => Rate;
    RequestHandover => RequestHandover, Box;
    AnswerHandover => AnswerHandover;
    WithdrawHandover => WithdrawHandover;
    ExpireHandover => ExpireHandover;
    CreateTicket => CreateTicket, Box;
    SetTicketStatus => SetTicketStatus;
    AssignTicket => AssignTicket;
    PrioritiseTicket => PrioritiseTicket;
    EnterHelpCenter => EnterHelpCenter, Box;
    HelpCenterPost => WriteToHelpCenter, Box;
}
