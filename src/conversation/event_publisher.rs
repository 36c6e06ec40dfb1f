//! The port through which events leave a conversation's actor.

use crate::domain::{Conversation, Event};

/// Receives, once and in order, every event of a conversation on this server after it is stored, and every event that
/// other servers have stored since the first subscriber here, as soon as this server finds it, in its place.
pub trait EventPublisher: Send + Sync {
    /// Publishes `events`, in order; `conversation` is the state after them. Events of another server contain only what
    /// the database stores of them.
    ///
    /// Runs on the thread of the conversation's actor: it must not block.
    fn publish(&self, conversation: &Conversation, events: &[Event]);
}
