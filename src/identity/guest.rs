//! A person without an account, as their token describes them.

use serde::{Deserialize, Serialize};

use crate::domain::{ConversationId, Customer, EmailAddress, Owner, TicketId};

/// What a token serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestPlace {
    /// A conversation.
    Conversation(uuid::Uuid),
    /// A ticket without a conversation.
    Ticket(uuid::Uuid),
}

impl GuestPlace {
    /// The id of the conversation or ticket.
    #[must_use]
    pub fn id(self) -> uuid::Uuid {
        match self {
            Self::Conversation(id) | Self::Ticket(id) => id,
        }
    }
}

/// What a valid token states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// What it serves.
    pub place: GuestPlace,
    /// Whose it was when the token was issued.
    pub email: EmailAddress,
}

impl Guest {
    /// The owner of what the token serves.
    #[must_use]
    pub fn as_owner(&self) -> Owner {
        Owner::Guest(self.email.clone())
    }

    /// The author of what is written with the token.
    #[must_use]
    pub fn as_customer(&self) -> Customer {
        Customer::guest(self.email.clone())
    }

    /// The conversation that it serves; `None` if it serves a ticket.
    #[must_use]
    pub fn conversation(&self) -> Option<ConversationId> {
        match self.place {
            GuestPlace::Conversation(id) => Some(ConversationId(id)),
            GuestPlace::Ticket(_) => None,
        }
    }

    /// The ticket that it serves; `None` if it serves a conversation.
    #[must_use]
    pub fn ticket(&self) -> Option<TicketId> {
        match self.place {
            GuestPlace::Conversation(_) => None,
            GuestPlace::Ticket(id) => Some(TicketId(id)),
        }
    }
}
