//! Reads: each query answers one screen, or one question of the conversation actor.
//!
//! Nothing here writes, and nothing here decides who may see what: the edge asks for what its caller may have.

mod agents;
mod aggregate;
mod conversation;
mod customer_conversations;
mod events;
mod handover;
mod handovers;
mod help_center;
mod history;
mod queue;
mod related;
mod snapshot;
mod tickets;
mod timeline;
mod users;

pub use agents::{Agents, agents};
pub use conversation::conversation;
pub use customer_conversations::{OwnConversations, conversations_of};
pub use events::EventRange;
pub use handover::{agent, handed_over};
pub use handovers::handovers_of;
pub use help_center::{help_center_of, seq_of};
pub use history::{History, MessageRange, all_messages, visible_messages};
pub use queue::{AssignedTo, Counts, Filter, Page, Queue, RECENT, SearchTerm, Sort, SortBy, queue};
pub use related::{Beside, beside_one};
pub use snapshot::{FoundSend, Snapshot, find_send, load, version};
pub use tickets::{
    OwnTickets, Performance, TicketCounts, TicketFilter, TicketKey, TicketList, TicketOrder, TicketSort,
    people_in_ticket, ticket, ticket_of_id, ticket_of_number, tickets, tickets_of,
};
pub use timeline::{Timeline, TimelineEntry, timeline};
pub use users::People;
