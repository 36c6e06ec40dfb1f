//! The parts of a history: times, keys, and one record for each call, person and conversation.

use std::time::Duration;

/// Nanoseconds since the run began, on the recorder's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Elapsed(pub u64);

impl Elapsed {
    /// The end of a call that has none.
    pub const NEVER: Self = Self(u64::MAX);

    /// This long after the run began.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The time between `earlier` and this; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
    };
}

key! {
    /// The key of a customer or an agent.
    Person
}
key! {
    /// The key of a conversation.
    Conversation
}
key! {
    /// The key of a call. Calls are numbered in the order of invocation, from 0.
    Call
}
key! {
    /// The key of a listener: one client's subscription to one conversation, over all its connections.
    Listener
}

/// Which message it is: by its text, not by the server's id, so that a message that is stored twice under two ids is
/// recognised as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// The message that this call sends: an [`Action::Open`], [`Action::Send`], [`Action::Reply`] or [`Action::Note`].
    Of(Call),
    /// A message that no call of this history sent, by any number that identifies it (a hash of its id, say).
    Foreign(u64),
}

/// What a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The customer opens the conversation with a message.
    Open,
    /// The customer sends a message.
    Send,
    /// An agent sends a message, and claims the conversation if it is unassigned.
    Reply,
    /// An agent writes an internal note.
    Note,
    /// An agent claims the conversation.
    Claim,
    /// An agent closes it.
    Close,
    /// The customer rates it.
    Rate,
    /// The assigned agent asks this agent to take it over.
    Handover(Person),
    /// The agent who was asked answers that request.
    Respond {
        /// The call that asked.
        handover: Call,
        /// Accepts, or rejects.
        accept: bool,
    },
}

impl Action {
    /// Whether it sends a message that the customer may see, which has a `seq`.
    #[must_use]
    pub fn is_visible(self) -> bool {
        matches!(self, Self::Open | Self::Send | Self::Reply)
    }
}

/// Why the server refused a call, as far as the refusal depends on the conversation's state: the checker then requires
/// that it was in that state at some time during the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The conversation is closed.
    Closed,
    /// It is assigned to another agent.
    HeldByAnother,
    /// It is not closed yet.
    NotClosed,
    /// It is rated already.
    AlreadyRated,
    /// A handover is pending.
    HandoverPending,
    /// The handover is resolved already.
    HandoverResolved,
    /// Any refusal that does not depend on the state: a limit, an invalid request, a missing permission.
    Other,
}

impl RefusalKind {
    /// The kind of a refusal by the `code` of the server's error envelope.
    ///
    /// It depends on the action, because `FORBIDDEN` has several reasons: an agent who may not reply, write a note or
    /// hand over is not the one to whom the conversation is assigned.
    #[must_use]
    pub fn from_code(code: &str, action: Action) -> Self {
        match (code, action) {
            ("CONVERSATION_CLOSED", _) => Self::Closed,
            ("ALREADY_ASSIGNED", _) | ("FORBIDDEN", Action::Reply | Action::Note | Action::Handover(_)) => {
                Self::HeldByAnother
            }
            ("CONVERSATION_OPEN", _) => Self::NotClosed,
            ("ALREADY_RATED", _) => Self::AlreadyRated,
            ("HANDOVER_PENDING", _) => Self::HandoverPending,
            ("HANDOVER_RESOLVED", _) => Self::HandoverResolved,
            _ => Self::Other,
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It took effect.
    Ok {
        /// The place of the message in the conversation's order, from 1, if the answer contains it.
        seq: Option<i64>,
    },
    /// It did not take effect and never will.
    Refused(RefusalKind),
    /// The connection broke, the answer was 503, or there was none: it takes effect once or not at all.
    Unknown,
}

/// A call from its invocation to its end.
#[derive(Clone, Copy, Debug)]
pub struct CallRecord {
    /// The conversation that it concerns.
    pub conversation: Conversation,
    /// Who made it.
    pub by: Person,
    /// What it asks for.
    pub action: Action,
    /// When the request left.
    pub invoked: Elapsed,
    /// When the answer arrived; [`Elapsed::NEVER`] if the outcome is unknown.
    pub finished: Elapsed,
    /// How it ended.
    pub outcome: Outcome,
}

impl CallRecord {
    /// Whether it was acknowledged.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self.outcome, Outcome::Ok { .. })
    }

    /// Whether it took effect or may have.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        !matches!(self.outcome, Outcome::Refused(_))
    }
}

/// A customer or an agent.
#[derive(Clone, Debug)]
pub struct PersonRecord {
    /// The account's name.
    pub name: String,
    /// Agents may be shown notes, customers may not.
    pub is_agent: bool,
}

/// What is stored of a conversation at the end of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinalRead {
    /// The customer's view: `seq` and message, in the order in which the server returned them.
    pub visible: Vec<(i64, Message)>,
    /// The agents' view, if it was read: `position`, `seq` (`None` for a note) and message.
    pub agent_view: Option<Vec<(i64, Option<i64>, Message)>>,
    /// The conversation's state, if it was read.
    pub state: Option<FinalState>,
}

/// A conversation's state at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalState {
    /// The assigned agent; `None` if it is unassigned.
    pub owner: Option<Person>,
    /// Whether it is closed.
    pub closed: bool,
    /// Whether it has a rating.
    pub rated: bool,
}

/// A conversation with everything that concerns it.
#[derive(Clone, Debug)]
pub struct ConversationRecord {
    /// Its name in violations.
    pub label: String,
    /// Its customer.
    pub customer: Person,
    /// Its calls, in the order of invocation.
    pub calls: Vec<Call>,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// By `seq - 1`, the message that the first listener who was shown this place was shown there.
    pub ledger: Vec<Option<Message>>,
    /// What is stored of it at the end, if that was read.
    pub final_read: Option<FinalRead>,
}
