//! The events of a conversation. An event is a fact and never changes; replayed in order of position, the events of a
//! conversation give its state.

use super::{
    Agent, Author, Channel, ClientMessageId, ConversationId, Customer, CustomerRating, DeviceMetadata, EmailAddress,
    EventId, Handover, MessageText, Owner, Party, Reason, Resolution, StatusChange, TicketCreation, TicketPriority,
    TicketStatus, Timestamp,
};

/// A [`Change`] with its position in the conversation's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Unique; for a message it is the message's id.
    pub id: EventId,
    /// The conversation.
    pub conversation: ConversationId,
    /// 1, 2, 3 … without a gap.
    pub position: i64,
    /// Never earlier than the previous event.
    pub at: Timestamp,
    /// What it changes.
    pub change: Change,
}

/// What an event changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The conversation was created. Always at position 1, and stored together with its first message; only in the help
    /// center the first message may come later.
    Created(Box<Origin>),
    /// A message was written.
    Message(Message),
    /// An agent became the assignee.
    Claimed(Agent),
    /// The assignee gave the conversation back to the queue.
    Released(Agent),
    /// An agent took the conversation over from an absent assignee.
    TakenOver {
        /// The agent, who is the assignee now.
        by: Agent,
        /// The assignee before.
        previous: Party,
        /// The reason.
        reason: Option<Reason>,
    },
    /// A supervisor assigned the conversation.
    Assigned {
        /// The supervisor.
        by: Agent,
        /// The new assignee.
        to: Party,
        /// The assignee before.
        previous: Option<Party>,
    },
    /// An agent closed the conversation, which resolves its open ticket.
    Closed {
        /// The agent.
        by: Agent,
        /// The status that the ticket had, if it was open.
        open_ticket: Option<TicketStatus>,
    },
    /// The customer wrote to a closed conversation in the help center, which reopens it without an assignee.
    Reopened(Customer),
    /// An agent reopened a closed conversation and became the assignee.
    ReopenedByAgent(Agent),
    /// Its guest moved the conversation to their account.
    MovedToAccount(Box<AccountMove>),
    /// The customer rated the conversation.
    Rated(CustomerRating),
    /// The assignee asked another agent to take the conversation over.
    HandoverRequested {
        /// The handover.
        handover: Box<Handover>,
        /// Whether the target had a socket that hears of it; otherwise their next connection does.
        is_target_online: bool,
    },
    /// A handover ended; if it was accepted, the target is now the assignee.
    HandoverResolved {
        /// The handover as it was requested.
        handover: Box<Handover>,
        /// The target, the agent who withdrew it, or the agent whose command ended it; `None` if it expired.
        by: Option<Agent>,
        /// How it ended.
        resolution: Resolution,
    },
    /// A ticket was created.
    TicketCreated(Box<TicketCreation>),
    /// The ticket's status changed.
    TicketStatusChanged(Box<StatusChange>),
    /// An agent assigned the ticket. The ticket of a conversation has its assignee: this assigns both.
    TicketAssigned {
        /// The agent who assigned it.
        by: Agent,
        /// The new assignee.
        to: Party,
        /// The conversation's assignee before; `None` for a ticket with a thread of its own.
        previous: Option<Party>,
    },
    /// An agent changed the ticket's priority.
    TicketPrioritised {
        /// The agent.
        by: Agent,
        /// The new priority.
        priority: TicketPriority,
    },
    /// The customer rated the ticket.
    TicketRated(CustomerRating),
}

/// A guest's conversation became an account's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountMove {
    /// The account, which owns it from now on.
    pub by: Customer,
    /// The address that it belonged to.
    pub guest: EmailAddress,
}

/// The circumstances in which a conversation was created.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The app it was opened in.
    pub channel: Channel,
    /// The customer.
    pub customer: Customer,
    /// Device metadata from the client.
    pub device_metadata: Option<DeviceMetadata>,
    /// The client's address, as the server saw it.
    pub ip_address: Option<String>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
}

/// A message, or a note that only agents see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number among the messages that the customer can see: 1, 2, 3 … without a gap. A note has none.
    pub seq: Option<i64>,
    /// The text.
    pub text: MessageText,
    /// The author.
    pub author: Author,
    /// The client's id for this send.
    pub client_message_id: Option<ClientMessageId>,
}

impl Message {
    /// Whether only agents see it.
    #[must_use]
    pub fn is_note(&self) -> bool {
        self.seq.is_none()
    }

    /// The client's id for this send, as `reader` sees it: it is the sender's alone (`additions.md`, 2), and of a guest it
    /// proves who repeats a send.
    #[must_use]
    pub fn client_message_id_for(&self, reader: &Owner) -> Option<&ClientMessageId> {
        let id = self.client_message_id.as_ref()?;
        self.author.is(reader).then_some(id)
    }

    /// Whether it is the first message of its conversation.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        self.seq == Some(1)
    }
}

/// A message with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Unique.
    pub id: EventId,
    /// The conversation it is in.
    pub conversation: ConversationId,
    /// Its position among the conversation's events.
    pub position: i64,
    /// When the server accepted it.
    pub at: Timestamp,
    /// What was written, and by whom.
    pub message: Message,
}

impl Event {
    /// The message, if it is one.
    #[must_use]
    pub fn posted(&self) -> Option<Posted> {
        match &self.change {
            Change::Message(message) => Some(Posted {
                id: self.id,
                conversation: self.conversation,
                position: self.position,
                at: self.at,
                message: message.clone(),
            }),
            _ => None,
        }
    }
}

impl Change {
    /// Its name in the timeline (`support-admin.md`, "timeline"). The ticket kinds extend the list of the contract.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Message(message) if message.is_note() => "note",
            Self::Message(_) => "message",
            Self::Claimed(_) => "claimed",
            Self::Released(_) => "released",
            Self::TakenOver { .. } => "taken_over",
            Self::Assigned { .. } => "assigned",
            Self::Closed { .. } => "closed",
            Self::Reopened(_) | Self::ReopenedByAgent(_) => "reopened",
            Self::MovedToAccount(_) => "moved_to_account",
            Self::Rated(_) => "rated",
            Self::HandoverRequested { .. } => "handover_requested",
            Self::HandoverResolved { resolution, .. } => match resolution {
                Resolution::Accepted => "handover_accepted",
                Resolution::Withdrawn => "handover_withdrawn",
                Resolution::Expired => "handover_expired",
                Resolution::Rejected | Resolution::Closed | Resolution::Superseded => "handover_rejected",
            },
            Self::TicketCreated(_) => "ticket_created",
            Self::TicketStatusChanged(_) => "ticket_status_changed",
            Self::TicketAssigned { .. } => "ticket_assigned",
            Self::TicketPrioritised { .. } => "ticket_priority_changed",
            Self::TicketRated(_) => "ticket_rated",
        }
    }
}
