//! What is said alike on REST and on sockets: how a send is read, carried out and answered, and the shapes that both
//! show. The edges — [`crate::api`], [`crate::realtime`] — bring who says it and wrap the answer in their own way, so
//! that the rules of the two cannot differ.

mod fields;
pub(crate) mod reply;
pub(crate) mod send;
pub(crate) mod view;

pub use fields::{Validator, words};

use crate::api_error::ApiError;
use crate::domain::ConversationId;

/// An id that is no UUID is as unknown as one that names nothing (`decisions.md`).
pub(crate) fn conversation_id(id: &str) -> Result<ConversationId, ApiError> {
    ConversationId::parse(id).ok_or_else(ApiError::conversation_not_found)
}
