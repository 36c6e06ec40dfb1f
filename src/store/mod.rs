//! Reads: each query answers one screen, or one question of the conversation actor.
//!
//! Nothing here writes, and nothing here decides who may see what: the edge asks for what its caller may have.

mod actor;
mod conversation;
mod customer;
mod handover;
mod help_center;
mod history;
mod queue;
mod stored;
mod whole;

pub use actor::{FoundSend, Snapshot, find_send, load};
pub use conversation::conversation;
pub use customer::{OwnConversations, conversations_of};
pub use handover::{agent, handed_over};
pub use help_center::{help_center_of, seq_of};
pub use history::{History, Stretch, all_messages, visible_messages};
pub use queue::{Counts, Page, Queue, people_in, queue};
