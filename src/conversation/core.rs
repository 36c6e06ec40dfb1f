//! The conversation machine: a state machine without I/O and without a clock. It imports [`crate::domain`] and nothing
//! else of ours.

mod answer;

pub(in crate::conversation) use answer::{CachedSend, Outcome, Responder};
pub use answer::{CommandError, ConversationCommand, ConversationState, Opened, Sent};
