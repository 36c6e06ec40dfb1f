//! The names of rooms.

use crate::domain::{ConversationId, TicketId, UserId};

/// Every agent.
pub(super) const ADMINS: &str = "admins";

/// Every socket of one account.
pub(super) fn of_user(id: &UserId) -> String {
    format!("user:{id}")
}

/// Everyone who has opened a conversation.
pub(super) fn of_conversation(id: ConversationId) -> String {
    format!("conversation:{id}")
}

/// The agents among them: notes go here alone.
pub(super) fn of_conversation_agents(id: ConversationId) -> String {
    format!("conversation:{id}:agents")
}

/// Everyone who has opened a ticket.
pub(super) fn of_ticket(id: TicketId) -> String {
    format!("ticket:{id}")
}

/// The agents among them: notes go here alone.
pub(super) fn of_ticket_agents(id: TicketId) -> String {
    format!("ticket:{id}:agents")
}

/// A mark on a socket that it is in the conversation's room only because it has joined the conversation's ticket.
pub(super) fn by_ticket(id: ConversationId) -> String {
    format!("conversation:{id}:by-ticket")
}
