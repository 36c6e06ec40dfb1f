//! The state of a conversation: the fold of its events ([`Conversation::apply`]).

mod access;

use super::{
    Agent, Author, Change, Channel, ConversationId, DeviceMetadata, EmailAddress, Event, EventId, Feedback, Handover,
    Message, Origin, Owner, Party, Rating, Resolution, Ticket, Timestamp, UserId,
};

/// Whose turn it is to write (`decisions.md`, "Status of a conversation").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Opened, or claimed.
    Active,
    /// The customer wrote.
    WaitingSupport,
    /// An agent answered.
    WaitingUser,
    /// Closed.
    Closed,
}

impl Status {
    /// Every status, in the order in which the contract lists them.
    pub const ALL: [Self; 4] = [Self::Active, Self::WaitingSupport, Self::WaitingUser, Self::Closed];
    /// Those of a conversation that is not closed.
    pub const OPEN: [Self; 3] = [Self::Active, Self::WaitingSupport, Self::WaitingUser];

    /// As storage and the wire spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::WaitingSupport => "waiting_support",
            Self::WaitingUser => "waiting_user",
            Self::Closed => "closed",
        }
    }

    /// Reads [`Status::as_str`] back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// The agent who is responsible for a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignee {
    /// Their account.
    pub id: UserId,
    /// Display name at that time.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
}

impl From<&Assignee> for Party {
    fn from(assignee: &Assignee) -> Self {
        Self { id: assignee.id.clone(), name: assignee.name.clone() }
    }
}

/// What lists show of the last message that the customer can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisibleMessage {
    /// The first 100 scalar values.
    pub preview: String,
    /// Whether the customer wrote it.
    pub is_from_user: bool,
    /// Who wrote it.
    pub sender_name: Option<String>,
}

/// A conversation as of its last event.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// The app it was opened in.
    pub channel: Channel,
    /// The owner.
    pub owner: Owner,
    /// The address that it belonged to before its guest moved it to an account.
    pub guest_email: Option<EmailAddress>,
    /// Contact address.
    pub email: Option<String>,
    /// Contact number.
    pub phone_number: Option<String>,
    /// The status.
    pub status: Status,
    /// The assignee.
    pub assignee: Option<Assignee>,
    /// Position of the last event.
    pub version: i64,
    /// `seq` of the last visible message, which is also how many there are.
    pub last_seq: i64,
    /// All messages, notes included.
    pub message_count: i64,
    /// The last message that the customer can see.
    pub last_message: Option<VisibleMessage>,
    /// When the last of those was written.
    pub last_message_at: Timestamp,
    /// The customer's rating.
    pub rating: Option<Rating>,
    /// The customer's feedback.
    pub feedback: Option<Feedback>,
    /// Whether an agent has reopened it since it was rated: the customer may then rate it again.
    pub is_rating_replaceable: bool,
    /// The device, as the first message reported it.
    pub device_metadata: Option<DeviceMetadata>,
    /// The client's address at the first message.
    pub ip_address: Option<String>,
    /// The client's `User-Agent` at the first message.
    pub user_agent: Option<String>,
    /// The pending handover.
    pub pending_handover: Option<Box<Handover>>,
    /// When that was requested.
    pub pending_since: Option<Timestamp>,
    /// Its ticket.
    pub ticket: Option<Box<Ticket>>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Time of the last change that the customer can see.
    pub updated_at: Timestamp,
    /// Time of the last event, notes included. Not shown to the customer.
    pub last_event_at: Timestamp,
}

impl Conversation {
    /// The state after an event. `None` before the first; any event but [`Change::Created`] leaves it `None`, which does
    /// not occur in a history that [`super::decide`] makes.
    #[must_use]
    pub fn apply(state: Option<Self>, event: &Event) -> Option<Self> {
        match (&event.change, state) {
            (Change::Created(origin), _) => Some(Self::created(origin, event)),
            (_, None) => None,
            (change, Some(mut conversation)) => {
                conversation.version = event.position;
                conversation.last_event_at = event.at;
                conversation.change(change, event.at);
                Some(conversation)
            }
        }
    }

    fn created(origin: &Origin, event: &Event) -> Self {
        Self {
            id: event.conversation,
            channel: origin.channel,
            owner: origin.customer.owner.clone(),
            guest_email: None,
            email: origin.customer.email.clone(),
            phone_number: origin.customer.phone_number.clone(),
            status: Status::Active,
            assignee: None,
            version: event.position,
            last_seq: 0,
            message_count: 0,
            last_message: None,
            last_message_at: event.at,
            rating: None,
            feedback: None,
            is_rating_replaceable: false,
            device_metadata: origin.device_metadata.clone(),
            ip_address: origin.ip_address.clone(),
            user_agent: origin.user_agent.clone(),
            pending_handover: None,
            pending_since: None,
            ticket: None,
            created_at: event.at,
            updated_at: event.at,
            last_event_at: event.at,
        }
    }

    fn change(&mut self, change: &Change, at: Timestamp) {
        match change {
            Change::Created(_) => {}
            Change::Message(message) => self.message(message, at),
            Change::Claimed(agent) | Change::TakenOver { by: agent, .. } => self.assign(Party::from(agent), at),
            Change::Assigned { to, .. } => self.assign(to.clone(), at),
            Change::Released(_) => self.unassign(Status::WaitingSupport, at),
            Change::Closed { by, open_ticket } => self.close(by, open_ticket.is_some(), at),
            Change::Reopened(_) => self.unassign(Status::Active, at),
            Change::ReopenedByAgent(agent) => {
                self.is_rating_replaceable = self.rating.is_some();
                self.status = Status::Active;
                self.assign(Party::from(agent), at);
            }
            Change::MovedToAccount(moved) => {
                self.owner = moved.by.owner.clone();
                self.guest_email = Some(moved.guest.clone());
                self.updated_at = at;
            }
            Change::Rated(rate) => {
                self.rating = Some(rate.rating);
                self.feedback.clone_from(&rate.feedback);
                self.is_rating_replaceable = false;
                self.updated_at = at;
            }
            // Invisible to the customer until it is accepted, so `updated_at` stays.
            Change::HandoverRequested { handover, .. } => {
                self.pending_handover = Some(handover.clone());
                self.pending_since = Some(at);
            }
            Change::HandoverResolved { by, resolution, .. } => {
                self.pending_handover = None;
                self.pending_since = None;
                if let (Resolution::Accepted, Some(by)) = (resolution, by) {
                    self.assign(Party::from(by), at);
                }
            }
            Change::TicketCreated(_)
            | Change::TicketStatusChanged(_)
            | Change::TicketAssigned { .. }
            | Change::TicketPrioritised { .. }
            | Change::TicketRated(_) => self.ticket(change, at),
        }
    }

    /// A closed conversation stays closed.
    fn assign(&mut self, to: Party, at: Timestamp) {
        self.assignee = Some(Assignee { id: to.id, name: to.name, since: at });
        if self.status != Status::Closed {
            self.status = Status::Active;
        }
        self.updated_at = at;
        self.assign_ticket(at);
    }

    fn unassign(&mut self, status: Status, at: Timestamp) {
        self.assignee = None;
        self.status = status;
        self.updated_at = at;
        self.assign_ticket(at);
    }

    /// The ticket of a conversation has its assignee, always.
    fn assign_ticket(&mut self, at: Timestamp) {
        let assignee = self.assignee.as_ref().map(Party::from);
        if let Some(ticket) = self.ticket.as_mut().filter(|_| self.channel != Channel::Ticket) {
            ticket.assignee = assignee;
            ticket.updated_at = at;
        }
    }

    fn close(&mut self, by: &Agent, has_open_ticket: bool, at: Timestamp) {
        self.status = Status::Closed;
        self.updated_at = at;
        if let Some(ticket) = self.ticket.as_mut().filter(|_| has_open_ticket) {
            ticket.resolve(by, at);
        }
    }

    fn ticket(&mut self, change: &Change, at: Timestamp) {
        self.updated_at = at;
        if let Change::TicketCreated(creation) = change {
            let assignee = self.assignee.as_ref().map(Party::from);
            self.ticket = Some(Box::new(Ticket::created(creation, assignee, at)));
        }
        if let Change::TicketAssigned { to, .. } = change
            && self.channel != Channel::Ticket
        {
            self.assign(to.clone(), at);
        }
        let Some(ticket) = &mut self.ticket else { return };
        ticket.updated_at = at;
        match change {
            Change::TicketStatusChanged(change) => ticket.set_status(change, at),
            Change::TicketAssigned { to, .. } => ticket.assignee = Some(to.clone()),
            Change::TicketPrioritised { priority, .. } => ticket.draft.priority = *priority,
            Change::TicketRated(rate) => {
                ticket.rating = Some(rate.rating);
                ticket.feedback.clone_from(&rate.feedback);
            }
            _ => {}
        }
    }

    /// A note changes nothing that the customer can see, not even a timestamp. An auto-reply is visible and counted, but
    /// lists still show the customer's message, as unread, because support has not answered.
    fn message(&mut self, message: &Message, at: Timestamp) {
        self.message_count += 1;
        let Some(seq) = message.seq else { return };
        self.last_seq = seq;
        self.updated_at = at;
        if let Some(ticket) = &mut self.ticket {
            ticket.message(message.author.is_agent(), at);
        }
        if matches!(message.author, Author::AutoReply { .. }) {
            return;
        }
        self.last_message = Some(VisibleMessage {
            preview: message.text.preview().to_owned(),
            is_from_user: message.author.is_customer(),
            sender_name: message.author.name().map(ToOwned::to_owned),
        });
        self.last_message_at = at;
        if !message.author.is_customer() {
            self.status = Status::WaitingUser;
        } else if !message.is_opening() {
            self.status = Status::WaitingSupport;
        }
    }

    /// The state after its first message: the answer to a repeat of the send that opened it.
    #[must_use]
    pub fn as_opened(&self, opening: &Message) -> Self {
        Self {
            status: Status::Active,
            assignee: None,
            // The events that created the conversation and the ticket precede the message.
            version: if self.channel == Channel::Ticket { 3 } else { 2 },
            last_seq: 1,
            message_count: 1,
            last_message: Some(VisibleMessage {
                preview: opening.text.preview().to_owned(),
                is_from_user: true,
                sender_name: opening.author.name().map(ToOwned::to_owned),
            }),
            last_message_at: self.created_at,
            rating: None,
            feedback: None,
            is_rating_replaceable: false,
            pending_handover: None,
            pending_since: None,
            ticket: match (self.channel, &self.ticket) {
                (Channel::Ticket, Some(ticket)) => Some(Box::new(ticket.as_created())),
                _ => None,
            },
            updated_at: self.created_at,
            last_event_at: self.created_at,
            ..self.clone()
        }
    }

    /// Whether it is shown as a conversation: the thread of a ticket is not, nor one without a message.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.channel != Channel::Ticket && self.message_count > 0
    }

    /// A customer's message reopens a resolved ticket.
    #[must_use]
    pub(super) fn ticket_reopening(&self) -> Option<Change> {
        self.ticket.as_ref()?.reopening().map(|change| Change::TicketStatusChanged(Box::new(change)))
    }

    /// Whether this agent is the assignee.
    #[must_use]
    pub fn is_assigned_to(&self, agent: &UserId) -> bool {
        self.assignee.as_ref().is_some_and(|assignee| assignee.id == *agent)
    }

    /// Whether another agent is the assignee.
    #[must_use]
    pub fn is_assigned_to_another(&self, agent: &UserId) -> bool {
        self.assignee.as_ref().is_some_and(|assignee| assignee.id != *agent)
    }
}

impl Event {
    /// Makes events of changes: positions follow the last event of `state`, and no time is earlier than that one's, so a
    /// clock that was set back, or another server's slow clock, does not reorder history.
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
