//! Conversations that are live on this server: one actor each, which processes commands sequentially.
//!
//! [`Registry`] finds the actor of a conversation, starts it when it is needed and forgets it when it stops. The actor
//! drives the conversation machine ([`core`]), which decides without waiting for the disk, and answers and publishes
//! only what is stored. The rules are those of [`crate::domain`], storing is the `journal`'s part, and what is
//! published goes to the [`EventPublisher`] that `realtime` implements.

mod actor;
mod actor_slots;
mod catch_panic;
mod clock;
pub mod core;
mod errors;
mod event_publisher;
mod id_derivation;
mod registry;
mod services;
#[cfg(test)]
mod simulation;
mod snapshot;
mod watermarks;

pub use clock::{Clock, SystemClock};
pub use core::{Backlog, CommandError, ConversationCommand, ConversationState, Opened, Sent};
pub use event_publisher::EventPublisher;
pub use id_derivation::ConversationIds;
pub use registry::Registry;
pub use services::RegistryParts;
