//! Tickets as customers ask for them: the endpoints of the apps that came before conversations (`support-user.md`,
//! "Legacy Ticket Endpoints"; `decisions.md`, "Tickets without an agent").

pub(in crate::api) mod access;
pub(in crate::api) mod add_message;
pub(in crate::api) mod create;
pub(in crate::api) mod rate;
pub(in crate::api) mod read;
pub(in crate::api) mod view;

pub(in crate::api) use add_message::add_message;
pub(in crate::api) use create::{create_ticket, request_support};
pub(in crate::api) use rate::rate;
pub(in crate::api) use read::{my_tickets, ticket};
