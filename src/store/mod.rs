//! Reads: each query answers one screen, or one question of the conversation actor.
//!
//! Nothing here writes, and nothing here decides who may see what: the edge asks for what its caller may have.

mod actor;
mod agents;
mod beside;
mod conversation;
mod customer;
mod handover;
mod handovers;
mod happened;
mod help_center;
mod history;
mod people;
mod queue;
mod stored;
mod tickets;
mod timeline;
mod whole;

pub use actor::{FoundSend, Snapshot, find_send, load, version};
pub use agents::{Agents, agents};
pub use beside::{Beside, beside_one};
pub use conversation::conversation;
pub use customer::{OwnConversations, conversations_of};
pub use handover::{agent, handed_over};
pub use handovers::handovers_of;
pub use happened::Behind;
pub use help_center::{help_center_of, seq_of};
pub use history::{History, Stretch, all_messages, visible_messages};
pub use people::People;
pub use queue::{AssignedTo, Counts, Filter, Page, Queue, RECENT, SearchTerm, Sort, SortBy, queue};
pub use tickets::{
    OwnTickets, Performance, TicketCounts, TicketFilter, TicketKey, TicketList, TicketOrder, TicketSort,
    people_in_ticket, ticket, ticket_of_id, ticket_of_number, tickets, tickets_of,
};
pub use timeline::{Happening, Timeline, timeline};
