//! What taking a conversation over needs to know of its holder.

use crate::api_error::ApiError;
use crate::domain::{Absence, ConversationId};
use crate::services::Services;
use crate::store;

/// The absence of the agent who holds the conversation now; `None` if they are present, or if none holds it. Who holds
/// it when the command is decided is decided there.
pub(crate) async fn holders_absence(services: &Services, id: ConversationId) -> Result<Option<Absence>, ApiError> {
    let conversation = store::conversation(&services.database, id).await?;
    let Some(holder) = conversation.and_then(|conversation| conversation.assignee) else { return Ok(None) };
    let since = services.clock.now() - services.takeover_after;
    let last_socket = services.agent_sockets.last_socket(&holder.id).await?;
    Ok(last_socket.is_absent_since(since).then_some(Absence { agent: holder.id, since }))
}
