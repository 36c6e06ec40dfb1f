//! The read model: each function answers one screen, or one read of a conversation's actor, from the tables that the
//! journal writes.
//!
//! Nothing here writes, and nothing here authorises: the API checks what its caller may see before it reads.

mod agents;
mod aggregate;
mod conversation;
mod customer_conversations;
mod events;
mod handovers;
mod help_center;
mod history;
mod queue;
mod reading;
mod related;
mod search;
mod snapshot;
mod tickets;
mod timeline;
mod users;

pub use agents::{Agents, agents};
pub use conversation::{conversation, is_of_guest, status, status_of_ticket};
pub use customer_conversations::{CustomerConversations, conversations_of};
pub use events::EventRange;
pub use handovers::{
    DueHandover, due_handovers, find_agent, handover_conversation, handovers_of, unannounced_handovers,
};
pub use help_center::{help_center_of, seq_of};
pub use history::{History, MessageRange, all_messages, json_bytes, visible_messages};
pub use queue::{AssignedTo, Counts, Filter, HandoverFilter, Page, Queue, Sort, SortBy, queue};
pub use reading::{MAX_UNREAD, reading_of, seq_at};
pub use related::{Related, related_to};
pub use search::SearchRefusal;
pub use snapshot::{FoundSend, Snapshot, find_send, load, version};
pub use tickets::{
    CustomerTickets, Performance, TicketCounts, TicketFilter, TicketKey, TicketList, TicketOrder, TicketSort, ticket,
    ticket_of_id, ticket_of_number, ticket_users, tickets, tickets_of,
};
pub use timeline::{Timeline, TimelineEntry, timeline};
pub use users::Users;
