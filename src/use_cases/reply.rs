//! An agent replies to the customer, or writes a note.

use std::sync::Arc;

use super::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{AddNote, ConversationId, Posted, SendReply};
use crate::dto::ValidatedReply;
use crate::services::Services;

/// Posts a reply or note to the conversation with this id, in the client's spelling.
pub(crate) async fn reply(services: &Services, id: &str, reply: ValidatedReply) -> Result<Arc<Posted>, ApiError> {
    services.limits.send(&reply.post.from.id)?;
    post_reply(services, conversation_id(id)?, reply).await
}

/// As [`reply`], after the rate limit was applied.
pub(crate) async fn post_reply(
    services: &Services,
    id: ConversationId,
    reply: ValidatedReply,
) -> Result<Arc<Posted>, ApiError> {
    let posted = if reply.is_note {
        services.registry.execute(id, AddNote(reply.post)).await?
    } else {
        services.registry.execute(id, SendReply(reply.post)).await?
    };
    Ok(posted)
}
