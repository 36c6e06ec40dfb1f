//! Reads: each query answers one screen, or one question of the conversation actor.
//!
//! Nothing here writes, and nothing here decides who may see what: the edge asks for what its caller may have.

mod actor;
mod conversation;
mod customer;
mod handover;
mod history;
mod queue;
mod stored;
mod tickets;
mod whole;

pub use actor::{FoundSend, Snapshot, find_send, load};
pub use conversation::conversation;
pub use customer::{OwnConversations, conversations_of};
pub use handover::{agent, handed_over};
pub use history::{History, Stretch, all_messages, visible_messages};
pub use queue::{Counts, Page, Queue, people_in, queue};
pub use tickets::{
    Holder, OwnTickets, Performance, TicketCounts, TicketFilter, TicketKey, TicketList, TicketOrder, TicketSort,
    people_in_ticket, ticket, ticket_of_id, ticket_of_number, tickets, tickets_of,
};
