//! An agent replies to the customer, or writes a note.

use std::sync::Arc;

use super::conversation_id;
use crate::api_error::ApiError;
use crate::conversation::Outcome;
use crate::domain::{Command, Posted};
use crate::dto::ValidatedReply;
use crate::services::Services;

/// Posts a reply or note to the conversation with this id, in the client's spelling.
pub(crate) async fn reply(services: &Services, id: &str, reply: ValidatedReply) -> Result<Arc<Posted>, ApiError> {
    services.limits.send(&reply.post.from.id)?;
    let command = if reply.is_note { Command::Note(reply.post) } else { Command::Reply(reply.post) };
    match services.registry.execute(conversation_id(id)?, command).await? {
        Outcome::Posted(posted) => Ok(posted),
        _ => Err(ApiError::internal()),
    }
}
