//! Tickets: the agents' list and the counts over it, one ticket by its id or its number, and an account's own.
//!
//! A ticket comes as the conversation that its messages are in, with [`crate::domain::Conversation::ticket`] set.

mod by_customer;
mod counts;
mod list;
mod lookup;
mod users;

#[cfg(test)]
mod counts_tests;

pub use by_customer::{OwnTickets, tickets_of};
pub use counts::{Performance, TicketCounts};
pub use list::{TicketFilter, TicketList, TicketOrder, TicketSort, tickets};
pub use lookup::{TicketKey, ticket, ticket_of_id, ticket_of_number};
pub use users::people_in_ticket;
