//! Tickets: the agents' list with its counts, one ticket by id or number, and a customer's own.
//!
//! A ticket is given as the conversation of its messages, with [`crate::domain::Conversation::ticket`] set.

mod by_customer;
mod counts;
mod filter;
mod list;
mod lookup;
mod users;

pub use by_customer::{CustomerTickets, tickets_of};
pub use counts::{Performance, TicketCounts};
pub use filter::{TicketFilter, TicketOrder, TicketSort};
pub use list::{TicketList, tickets};
pub use lookup::{TicketKey, ticket, ticket_of_id, ticket_of_number};
pub use users::ticket_users;
