//! The actor around the domain: whatever happens to a conversation happens in one place, one thing after another.
//!
//! [`Registry`] finds the actor of a conversation, starts it when it is needed and lets it go when it is not. The actor
//! decides without waiting for the disk, and answers and announces only what is durable. What is decided is `domain`'s
//! business, how it is stored `journal`'s, who hears of it [`EventPublisher`]'s: `realtime` implements that.

mod actor;
mod announce;
mod clock;
mod command;
mod core;
mod identity;
mod in_flight;
mod known;
mod listening;
mod overtaken;
mod reading;
mod recovery;
mod registry;
mod remembered;
mod retiring;
mod told;

#[cfg(test)]
mod actor_tests;

pub use announce::EventPublisher;
pub use clock::{Clock, SystemClock};
pub use core::{CommandError, ConversationCommand, ConversationState, Opened, Sent};
pub use identity::ConversationIds;
pub use listening::Backlog;
pub use registry::{Registry, RegistryParts};
