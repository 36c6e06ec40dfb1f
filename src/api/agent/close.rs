//! `POST …/conversations/:id/close`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Api;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{Close, ConversationId, Refusal};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationClosed")]
struct CloseResponse {
    conversation_id: ConversationId,
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/unified-admin/support/conversations/{id}/close", close)
        .operation(Tag::Agents, Access::Agent, "closeConversation", "Closes a conversation")
        .path_parameter("id", "The conversation's id")
        .answers::<CloseResponse>(201, &["Conversation closed"])
        .refusals([Refusal::NotFound, Refusal::AlreadyClosed])
}

async fn close(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = conversation_id(&id)?;
    api.services.registry.execute(id, Close { by: agent.as_agent() }).await?;
    Ok(created("Conversation closed", CloseResponse { conversation_id: id }))
}
