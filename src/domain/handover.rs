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

/// How a handover ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The target took the conversation over.
    Accepted,
    /// The target rejected it.
    Rejected,
    /// The conversation was closed, which rejects it.
    Closed,
}

impl Resolution {
    /// As storage and the wire spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected | Self::Closed => "rejected",
        }
    }
}
