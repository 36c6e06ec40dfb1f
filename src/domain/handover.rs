//! A conversation on its way from one agent to another (`support-admin.md`, "handover").

use super::{Agent, HandoverId, Reason, UserId};

/// An agent as one side of something: who, and under which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Their account.
    pub id: UserId,
    /// Display name then.
    pub name: String,
}

impl From<&Agent> for Party {
    fn from(agent: &Agent) -> Self {
        Self { id: agent.id.clone(), name: agent.name.clone() }
    }
}

/// An agent has asked another to take the conversation over. Until that one answers nothing else changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Which one.
    pub id: HandoverId,
    /// Who holds the conversation and asked.
    pub from: Party,
    /// Who was asked.
    pub to: Party,
    /// Why.
    pub reason: Option<Reason>,
}

/// What an agent asks when they want to hand over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHandover {
    /// The name of it, should it come about.
    pub id: HandoverId,
    /// Who asks.
    pub from: Agent,
    /// Who is to take over; `None` for an id that no account can have.
    pub to: Option<UserId>,
    /// The name that the directory has for them; `None` where it has no agent of this id.
    pub to_name: Option<String>,
    /// Why.
    pub reason: Option<Reason>,
}

/// The target's word on a handover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerHandover {
    /// Who answers.
    pub by: Agent,
    /// Which one.
    pub handover: HandoverId,
    /// Whether they take it.
    pub accept: bool,
}

/// How a handover ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The target took the conversation over.
    Accepted,
    /// The target would not.
    Rejected,
    /// The conversation was closed over it, which rejects it.
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
