//! Who holds a conversation, beyond claims and handovers: releasing, taking over from an absent holder, assigning and
//! reopening (`additions.md`, 5).

use super::{Agent, Assignee, Party, Reason, Timestamp, UserId};

/// The assignee gives the conversation back to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The agent.
    pub by: Agent,
}

/// An agent takes the conversation over from an absent assignee. If it has none, this is a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeOver {
    /// The agent.
    pub by: Agent,
    /// The reason.
    pub reason: Option<Reason>,
    /// What was found of the assignee's absence; `None` if they are present.
    pub absence: Option<Absence>,
}

/// A supervisor assigns the conversation. That the agent is a supervisor is checked where the role is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignConversation {
    /// The supervisor.
    pub by: Agent,
    /// The new assignee; `None` if the directory has no such agent.
    pub to: Option<Party>,
}

/// An agent reopens a closed conversation, and becomes its assignee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopen {
    /// The agent.
    pub by: Agent,
}

/// The absence of one agent. Who holds the conversation when it is decided, and since when, is known only then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The agent, who has had no socket since [`Absence::since`] or longer.
    pub agent: UserId,
    /// The time that is `ownership.takeover_after_seconds` ago.
    pub since: Timestamp,
}

impl Absence {
    /// Whether this assignee is the absent agent, and has been the assignee for long enough.
    #[must_use]
    pub fn is_of(&self, assignee: &Assignee) -> bool {
        assignee.id == self.agent && assignee.since <= self.since
    }
}

/// The assignee after a command, and the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// The assignee.
    pub assignee: Assignee,
    /// The agent who lost the conversation by the command; `None` if it was unassigned, or if nothing changed.
    pub previous: Option<UserId>,
}
