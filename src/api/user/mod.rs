//! What customers ask (`support-user.md`).

mod conversations;
mod send;

pub(super) use conversations::{detail, list};
pub(super) use send::{client_message_id, conversation_id, send};
