//! `POST …/conversations/:id/release` and `…/reopen` (`additions.md`, 5).

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::claim::ClaimResponse;
use crate::api::Api;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{ConversationId, Refusal, Release, Reopen};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationReleased")]
struct ReleaseResponse {
    conversation_id: ConversationId,
}

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::post("/api/v1/unified-admin/support/conversations/{id}/release", release)
            .operation(Tag::Agents, Access::Agent, "releaseConversation", "Gives a conversation back to the queue")
            .path_parameter("id", "The conversation's id")
            .answers::<ReleaseResponse>(201, &["Conversation released"])
            .refusals([Refusal::NotFound, Refusal::ReleaseNotAssignee, Refusal::ReleaseClosed]),
        Endpoint::post("/api/v1/unified-admin/support/conversations/{id}/reopen", reopen)
            .operation(Tag::Agents, Access::Agent, "reopenConversation", "Reopens a closed conversation and takes it")
            .path_parameter("id", "The conversation's id")
            .answers::<ClaimResponse>(201, &["Conversation reopened"])
            .refusals([Refusal::NotFound, Refusal::NotClosed]),
    ]
}

async fn release(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = conversation_id(&id)?;
    api.services.registry.execute(id, Release { by: agent.as_agent() }).await?;
    Ok(created("Conversation released", ReleaseResponse { conversation_id: id }))
}

async fn reopen(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = conversation_id(&id)?;
    let assignee = api.services.registry.execute(id, Reopen { by: agent.as_agent() }).await?;
    Ok(created("Conversation reopened", ClaimResponse::new(id, assignee)))
}
