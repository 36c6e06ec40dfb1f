//! Switchboard's tables as SeaORM entities, a module per table.
//!
//! A module has its table's name, except for the sharded counters, which are named by what they count.
//!
//! The entities are rows as the database stores them; `switchboard::event_codec` and `switchboard::store` give them their
//! meaning. Only `switchboard::journal` and `switchboard::identity` write them; triggers keep the counters of tickets.

pub mod agent_roles;
pub mod agent_sockets;
pub mod closed_counters;
pub mod conversation_events;
pub mod conversations;
pub mod handovers;
pub mod messages;
pub mod nonces;
pub mod read_marks;
pub mod ticket_day_counters;
pub mod ticket_kind_counters;
pub mod ticket_numbers;
pub mod tickets;
pub mod users;
