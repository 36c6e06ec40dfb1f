//! How far the two sides of a conversation have read it (`additions.md`, 7).
//!
//! A mark is the `seq` of a visible message. What a side has written it has read, but for notes: the customer sees
//! the agents' mark, and must not see that there is a note. Marks only increase.

/// Who reads. All agents together have one mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadingSide {
    /// The conversation's customer.
    Customer,
    /// The agents.
    Agent,
}

impl ReadingSide {
    /// Both sides.
    pub const ALL: [Self; 2] = [Self::Customer, Self::Agent];

    /// As clients read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
        }
    }
}

/// How far a conversation has been read, and what is unread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The `seq` up to which the customer has read; 0 for nothing.
    pub customer: i64,
    /// The `seq` up to which an agent has read; 0 for nothing.
    pub agent: i64,
    /// Messages of support after the customer's mark.
    pub unread_by_customer: i64,
    /// Messages of the customer after the agents' mark.
    pub unread_by_agents: i64,
}

impl Reading {
    /// The mark of a side.
    #[must_use]
    pub fn of(&self, side: ReadingSide) -> i64 {
        match side {
            ReadingSide::Customer => self.customer,
            ReadingSide::Agent => self.agent,
        }
    }

    /// The messages that a side has not read.
    #[must_use]
    pub fn unread(&self, side: ReadingSide) -> i64 {
        match side {
            ReadingSide::Customer => self.unread_by_customer,
            ReadingSide::Agent => self.unread_by_agents,
        }
    }
}
