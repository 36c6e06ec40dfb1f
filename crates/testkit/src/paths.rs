//! Paths of the REST API that several suites call.

/// A customer opens a conversation, or continues one.
pub const SEND: &str = "/api/v1/support/chat/send";
/// A customer's conversations.
pub const MY_CONVERSATIONS: &str = "/api/v1/support/conversations";
/// The agents' list of conversations.
pub const QUEUE: &str = "/api/v1/unified-admin/support/conversations";
/// The agents' list of tickets.
pub const TICKETS: &str = "/api/v1/unified-admin/support";
/// Handovers between agents.
pub const HANDOVERS: &str = "/api/v1/unified-admin/support/handovers";
/// A ticket of a customer or of a guest.
pub const REQUEST_SUPPORT: &str = "/api/v1/support/request-support";
/// A ticket of a customer.
pub const CREATE_TICKET: &str = "/api/v1/support/create-ticket";
/// A customer's tickets.
pub const MY_TICKETS: &str = "/api/v1/support/my-tickets";
/// One ticket, by its number.
pub const TICKET: &str = "/api/v1/support/ticket";
/// A message to a ticket.
pub const ADD_MESSAGE: &str = "/api/v1/support/ticket/add-message";
