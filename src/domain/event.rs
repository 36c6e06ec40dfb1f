//! What happened to a conversation. An event is a fact: it is never changed, and replayed in order of position from
//! nothing, the events of a conversation give its state.

use super::{
    Agent, Author, Channel, ClientMessageId, Conversation, ConversationId, Customer, DeviceMetadata, EventId, Handover,
    MessageText, Party, Rate, Resolution, StatusChange, TicketCreation, TicketPriority, Timestamp,
};

/// A [`Change`] with its place in the conversation's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Unlike all others; a message's id.
    pub id: EventId,
    /// The conversation it happened to.
    pub conversation: ConversationId,
    /// 1, 2, 3 … without a gap; what happens first is 1.
    pub position: i64,
    /// When. Never before the event in front of it.
    pub at: Timestamp,
    /// What.
    pub change: Change,
}

impl Event {
    /// Gives each change its place behind the last event of `state`, and a moment not before that one's: a clock that
    /// was set back, or another server's that is behind, does not turn history around.
    pub fn in_sequence(
        conversation: ConversationId,
        state: Option<&Conversation>,
        now: Timestamp,
        changes: Vec<Change>,
        mut new_id: impl FnMut() -> EventId,
    ) -> Vec<Self> {
        let version = state.map_or(0, |state| state.version);
        let at = state.map_or(now, |state| state.last_event_at.max(now));
        (version + 1..)
            .zip(changes)
            .map(|(position, change)| Self { id: new_id(), conversation, position, at, change })
            .collect()
    }
}

/// What an event changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The conversation began. Always at position 1, and with a message in what happened with it; only in the help
    /// center the first message may come later.
    Created(Box<Origin>),
    /// Somebody wrote.
    Message(Message),
    /// An agent took it.
    Claimed(Agent),
    /// An agent closed it.
    Closed(Agent),
    /// The customer wrote into a closed one, in the help center: it is open again, and nobody's.
    Reopened(Customer),
    /// The customer rated it.
    Rated(Rate),
    /// The agent who holds it asked another to take it over.
    HandoverRequested(Box<Handover>),
    /// A handover ended; where it was accepted the conversation is the target's from here on.
    HandoverResolved {
        /// The handover as it was asked for.
        handover: Box<Handover>,
        /// Who ended it: the target, or whoever closed the conversation.
        by: Agent,
        /// How.
        resolution: Resolution,
    },
    /// A ticket was made of it.
    TicketCreated(Box<TicketCreation>),
    /// An agent changed the ticket's status.
    TicketStatusChanged(Box<StatusChange>),
    /// An agent gave the ticket to an agent.
    TicketAssigned {
        /// Who gave it.
        by: Agent,
        /// Who has it.
        to: Party,
    },
    /// An agent changed the ticket's priority.
    TicketPrioritised {
        /// Who changed it.
        by: Agent,
        /// What it is.
        priority: TicketPriority,
    },
    /// The customer rated the ticket.
    TicketRated(Rate),
}

/// How a conversation began.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The app it came by.
    pub channel: Channel,
    /// Who began it.
    pub customer: Customer,
    /// What their client told of the device.
    pub device_metadata: Option<DeviceMetadata>,
    /// Where they came from, as the server saw it.
    pub ip_address: Option<String>,
    /// What they came with, as the server saw it.
    pub user_agent: Option<String>,
}

/// A message, or a note that only agents see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its place among what the customer can see: 1, 2, 3 … without a gap. A note has none.
    pub seq: Option<i64>,
    /// What was written.
    pub text: MessageText,
    /// Who wrote it.
    pub author: Author,
    /// The client's name for this send.
    pub client_message_id: Option<ClientMessageId>,
}

impl Message {
    /// Whether only agents see it.
    #[must_use]
    pub fn is_note(&self) -> bool {
        self.seq.is_none()
    }

    /// Whether it is the one that began its conversation.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        self.seq == Some(1)
    }
}

/// A message that has its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Unlike all others.
    pub id: EventId,
    /// The conversation it is in.
    pub conversation: ConversationId,
    /// Its place among all that happened.
    pub position: i64,
    /// When the server took it.
    pub at: Timestamp,
    /// What was written, and by whom.
    pub message: Message,
}

impl Event {
    /// The message, where it is one.
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
    /// What it is called in the timeline (`support-admin.md`, "timeline"); the ticket's own come on top of that list.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Message(message) if message.is_note() => "note",
            Self::Message(_) => "message",
            Self::Claimed(_) => "claimed",
            Self::Closed(_) => "closed",
            Self::Reopened(_) => "reopened",
            Self::Rated(_) => "rated",
            Self::HandoverRequested(_) => "handover_requested",
            Self::HandoverResolved { resolution: Resolution::Accepted, .. } => "handover_accepted",
            Self::HandoverResolved { .. } => "handover_rejected",
            Self::TicketCreated(_) => "ticket_created",
            Self::TicketStatusChanged(_) => "ticket_status_changed",
            Self::TicketAssigned { .. } => "ticket_assigned",
            Self::TicketPrioritised { .. } => "ticket_priority_changed",
            Self::TicketRated(_) => "ticket_rated",
        }
    }
}
