//! Who hears of what has become durable.

use crate::domain::{Conversation, Event};

/// Told, once and in order, of everything that happens to a conversation on this server, after it is stored; and of
/// what other servers have stored since somebody here began to listen, as soon as this one finds it, in its place.
///
/// Called on the thread of the conversation's actor: must not block.
pub trait EventPublisher: Send + Sync {
    /// `events` happened, in this order, and have led to `conversation`. What another server stored holds what rows
    /// keep of it: see `store::EventRange`.
    fn announce(&self, conversation: &Conversation, events: &[Event]);
}
