//! The actions that REST and sockets share. Each applies the rate limit, sends one command to the conversation's actor
//! and returns a typed answer, so that the two protocols cannot differ in their rules.

mod guest;
mod ownership;
mod read;
mod reply;
mod send;

pub(crate) use guest::{admit_guest, limit_guest_token, void_as_unauthorized};
pub(crate) use ownership::holders_absence;
pub(crate) use read::{ReadUpTo, mark_read};
pub(crate) use reply::{post_reply, reply};
pub(crate) use send::{issue_guest_token, send};

use crate::api_error::ApiError;
use crate::domain::ConversationId;

/// Parses a conversation's id. One that is no UUID is as unknown as one that names nothing (`decisions.md`).
pub(crate) fn conversation_id(id: &str) -> Result<ConversationId, ApiError> {
    ConversationId::parse(id).ok_or_else(ApiError::conversation_not_found)
}
