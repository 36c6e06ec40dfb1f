//! A customer or an agent has read a conversation (`additions.md`, 7).

use std::sync::Arc;

use crate::api_error::ApiError;
use crate::domain::{Conversation, ConversationId, Reading, ReadingSide, Refusal};
use crate::identity::Principal;
use crate::services::Services;
use crate::store;

/// What a mark counts for in `limits.read_bytes_per_second`.
const COST_BYTES: usize = 4096;

/// How far the caller has read, as each side counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadUpTo {
    /// A customer, by `seq`.
    Seq(i64),
    /// An agent, by position.
    Position(i64),
}

/// Marks a conversation as read; beyond its end is its end, and what is read already stays read. Returns how far it has
/// been read then. Reading nothing new writes nothing. A guest is no `caller`, and has been limited before.
pub(crate) async fn mark_read(
    services: &Services,
    caller: Option<&Principal>,
    id: ConversationId,
    up_to: ReadUpTo,
    permit: impl FnOnce(&Conversation) -> Result<(), Refusal>,
) -> Result<Reading, ApiError> {
    // A mark costs a few queries, however often it is set.
    if let Some(caller) = caller {
        services.limits.read(&caller.id)?;
        services.limits.has_read(&caller.id, COST_BYTES);
    }
    let database = &services.database;
    let conversation = store::conversation(database, id).await?.ok_or_else(ApiError::conversation_not_found)?;
    permit(&conversation)?;
    let (side, seq) = match up_to {
        ReadUpTo::Seq(seq) => (ReadingSide::Customer, seq),
        ReadUpTo::Position(position) if position >= conversation.version => (ReadingSide::Agent, conversation.last_seq),
        ReadUpTo::Position(position) => (ReadingSide::Agent, store::seq_at(database, id, position).await?),
    };
    let seq = seq.min(conversation.last_seq);
    let reading = store::reading_of(database, &conversation).await?;
    if seq <= reading.of(side) {
        return Ok(reading);
    }
    let conversation = Arc::new(conversation);
    services.read_marks.store(Arc::clone(&conversation), side, seq).await?;
    Ok(store::reading_of(database, &conversation).await?)
}
