//! Switchboard's tables as SeaORM entities: a module a table, named as the table is.
//!
//! These are the rows as they lie in the database. What they mean is `switchboard::domain`'s business.
//! `switchboard::journal` and `switchboard::identity` alone write them; triggers keep the tallies of what they wrote.

pub mod conversation_events;
pub mod conversations;
pub mod handovers;
pub mod messages;
pub mod nonces;
pub mod tallies;
pub mod ticket_counters;
pub mod ticket_days;
pub mod ticket_tallies;
pub mod tickets;
pub mod users;
