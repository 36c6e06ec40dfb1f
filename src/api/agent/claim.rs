//! `POST …/conversations/:id/claim`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Api;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{Assignee, Claim, ConversationId, Refusal, UserId};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationClaimed")]
pub(super) struct ClaimResponse {
    conversation_id: ConversationId,
    assigned_to: UserId,
    assigned_admin_name: String,
}

impl ClaimResponse {
    pub(super) fn new(conversation_id: ConversationId, assignee: Assignee) -> Self {
        Self { conversation_id, assigned_to: assignee.id, assigned_admin_name: assignee.name }
    }
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/unified-admin/support/conversations/{id}/claim", claim)
        .operation(Tag::Agents, Access::Agent, "claimConversation", "Takes an unassigned conversation")
        .path_parameter("id", "The conversation's id")
        .answers::<ClaimResponse>(201, &["Conversation claimed"])
        .refusals([Refusal::NotFound, Refusal::ClaimedByAnother, Refusal::ClaimClosed])
}

async fn claim(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = conversation_id(&id)?;
    let assignee = api.services.registry.execute(id, Claim { by: agent.as_agent() }).await?;
    Ok(created("Conversation claimed", ClaimResponse::new(id, assignee)))
}
