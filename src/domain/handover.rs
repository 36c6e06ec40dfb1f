//! Handovers of a conversation from one agent to another (`support-admin.md`, "handover").

use super::{Agent, HandoverId, Reason, UserId};

/// An agent as one side of a handover or as assignee of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Their account.
    pub id: UserId,
    /// Display name at that time.
    pub name: String,
}

impl From<&Agent> for Party {
    fn from(agent: &Agent) -> Self {
        Self { id: agent.id.clone(), name: agent.name.clone() }
    }
}

/// A request to take a conversation over. Until it is answered nothing else changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Its id.
    pub id: HandoverId,
    /// The assignee who requested it.
    pub from: Party,
    /// The target.
    pub to: Party,
    /// The reason.
    pub reason: Option<Reason>,
}

/// An agent requests a handover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHandover {
    /// The id of the new handover.
    pub id: HandoverId,
    /// The agent.
    pub from: Agent,
    /// The target; `None` for an id that no account can have.
    pub to: Option<UserId>,
    /// The display name that the directory has for the target; `None` if it has no such agent.
    pub to_name: Option<String>,
    /// The reason.
    pub reason: Option<Reason>,
    /// Whether the target has a socket that hears of it now.
    pub is_target_online: bool,
}

/// The target accepts or rejects a handover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerHandover {
    /// The agent who answers.
    pub by: Agent,
    /// The handover.
    pub handover: HandoverId,
    /// Whether they accept.
    pub accept: bool,
}

/// The agent who requested a handover takes the request back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawHandover {
    /// The agent.
    pub by: Agent,
    /// The handover.
    pub handover: HandoverId,
}

/// A handover that was not answered in time ends. Changes nothing if it has ended before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpireHandover {
    /// The handover.
    pub handover: HandoverId,
}

/// How a handover ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The target took the conversation over.
    Accepted,
    /// The target rejected it.
    Rejected,
    /// The agent who requested it took it back.
    Withdrawn,
    /// It was not answered in time.
    Expired,
    /// The conversation was closed, which rejects it.
    Closed,
    /// The conversation was released, taken over or assigned, which rejects it.
    Superseded,
}

impl Resolution {
    /// The status: `accepted` or `rejected`, as storage and the wire spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected | Self::Withdrawn | Self::Expired | Self::Closed | Self::Superseded => "rejected",
        }
    }

    /// Why it was not accepted, as storage and the wire spell it.
    #[must_use]
    pub fn rejection(self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Rejected => Some("declined"),
            Self::Withdrawn => Some("withdrawn"),
            Self::Expired => Some("expired"),
            Self::Closed => Some("closed"),
            Self::Superseded => Some("superseded"),
        }
    }

    /// Whether the target answered, which they know.
    #[must_use]
    pub fn is_answer(self) -> bool {
        matches!(self, Self::Accepted | Self::Rejected)
    }
}
