//! PostgreSQL's table of what never changes of a conversation: time of creation and contact data (migration 000005).
//!
//! It is no entity: only the lists and the search read it, and only a trigger writes it.

/// The table.
pub(super) const ORIGINS: &str = "conversation_origins";

/// Its column with the conversation's id.
pub(super) const ORIGIN_ID: &str = "conversation_id";
