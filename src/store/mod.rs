//! Reads: each query answers one screen, or one question of the conversation actor.
//!
//! Nothing here writes, and nothing here decides who may see what: the edge asks for what its caller may have.

mod actor;
mod stored;

pub use actor::{FoundSend, Snapshot, find_send, load};
