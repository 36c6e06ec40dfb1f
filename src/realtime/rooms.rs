//! The names of rooms.

use crate::domain::{Author, ConversationId, Posted, TicketId, UserId};

/// All agents.
pub(super) const ADMINS: &str = "admins";

/// All sockets of an account.
pub(super) fn of_user(id: &UserId) -> String {
    format!("user:{id}")
}

/// The sockets of an account that have an agent's rights. No event is sent here.
pub(super) fn of_agent(id: &UserId) -> String {
    format!("agent:{id}")
}

/// All sockets of a conversation's guest.
pub(super) fn of_guest(id: ConversationId) -> String {
    format!("guest:{id}")
}

/// All sockets of a message's author; `None` if no one wrote it.
pub(super) fn of_author(posted: &Posted) -> Option<String> {
    match &posted.message.author {
        Author::Customer(customer) if customer.owner.account().is_none() => Some(of_guest(posted.conversation)),
        author => author.account().map(of_user),
    }
}

/// The sockets that have joined a conversation.
pub(super) fn of_conversation(id: ConversationId) -> String {
    format!("conversation:{id}")
}

/// The agents among them; notes are sent only here.
pub(super) fn of_conversation_agents(id: ConversationId) -> String {
    format!("conversation:{id}:agents")
}

/// The sockets that have joined a ticket.
pub(super) fn of_ticket(id: TicketId) -> String {
    format!("ticket:{id}")
}

/// The agents among them; notes are sent only here.
pub(super) fn of_ticket_agents(id: TicketId) -> String {
    format!("ticket:{id}:agents")
}

/// Marks a socket that is in the conversation's room only because it has joined the conversation's ticket. No event is
/// sent here.
pub(super) fn by_ticket(id: ConversationId) -> String {
    format!("conversation:{id}:by-ticket")
}
