//! `POST …/conversations/:id/handover` and `POST …/handovers/:id/respond`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{known_agent, named_agent};
use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{
    AnswerHandover, ConversationId, HandoverId, Reason, Refusal, RequestHandover, Resolution, UserId, WithdrawHandover,
};
use crate::dto::Validator;
use crate::store;

#[derive(Debug, Deserialize, JsonSchema)]
struct HandoverRequest {
    #[schemars(with = "UserId")]
    to_admin_id: Option<String>,
    #[schemars(with = "Option<Reason>")]
    reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HandoverRequested")]
struct HandoverResponse<'a> {
    handover_id: HandoverId,
    conversation_id: ConversationId,
    to_admin_id: &'a UserId,
    to_admin_name: &'a str,
    #[schemars(extend("const" = "pending"))]
    status: &'static str,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct HandoverAnswer {
    #[schemars(with = "Resolution")]
    status: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct HandoverAnswered {
    handover_id: HandoverId,
    conversation_id: ConversationId,
    #[schemars(with = "Resolution")]
    status: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct HandoverWithdrawn {
    handover_id: HandoverId,
    conversation_id: ConversationId,
    #[schemars(extend("const" = "rejected"))]
    status: &'static str,
    #[schemars(extend("const" = "withdrawn"))]
    resolution: Option<&'static str>,
}

pub(super) fn endpoints() -> [Endpoint; 3] {
    [
        Endpoint::post("/api/v1/unified-admin/support/conversations/{id}/handover", request)
            .operation(Tag::Agents, Access::Agent, "requestHandover", "Asks another agent to take a conversation over")
            .path_parameter("id", "The conversation's id")
            .body::<HandoverRequest>(json!({ "to_admin_id": "mike", "reason": "He knows transfers" }))
            .answers::<HandoverResponse<'static>>(201, &["Handover requested"])
            .refusals([
                Refusal::NotFound,
                Refusal::TransferClosed,
                Refusal::TransferNotAssignee,
                Refusal::TransferToSelf,
                Refusal::TransferTargetUnknown,
                Refusal::TransferPending,
            ]),
        Endpoint::post("/api/v1/unified-admin/support/handovers/{id}/respond", respond)
            .operation(Tag::Agents, Access::Agent, "respondToHandover", "Accepts or rejects a handover")
            .path_parameter("id", "The handover's id")
            .body::<HandoverAnswer>(json!({ "status": "accepted" }))
            .answers::<HandoverAnswered>(201, &["Handover accepted", "Handover rejected"])
            .refusals([Refusal::HandoverNotFound, Refusal::HandoverResolved, Refusal::HandoverNotTarget]),
        Endpoint::post("/api/v1/unified-admin/support/handovers/{id}/withdraw", withdraw)
            .operation(Tag::Agents, Access::Agent, "withdrawHandover", "Takes the request of a handover back")
            .path_parameter("id", "The handover's id")
            .answers::<HandoverWithdrawn>(201, &["Handover withdrawn"])
            .refusals([Refusal::HandoverNotFound, Refusal::HandoverResolved, Refusal::HandoverNotRequester]),
    ]
}

async fn request(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<HandoverRequest>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let to = named_agent(&mut validator, "to_admin_id", body.to_admin_id.as_deref());
    let reason = validator.optional("reason", body.reason.as_deref(), Reason::parse_optional).flatten();
    let to = validator.finish(to)?;
    let id = conversation_id(&id)?;
    let target = known_agent(&api, to.clone()).await?;
    let is_target_online = to.as_ref().is_some_and(|to| api.services.agent_sockets.is_connected_here(to));
    let request = RequestHandover {
        id: HandoverId(Uuid::now_v7()),
        from: agent.as_agent(),
        to,
        to_name: target.map(|target| target.name),
        reason,
        is_target_online,
    };
    let handover = api.services.registry.execute(id, request).await?;
    Ok(created(
        "Handover requested",
        HandoverResponse {
            handover_id: handover.id,
            conversation_id: id,
            to_admin_id: &handover.to.id,
            to_admin_name: &handover.to.name,
            status: "pending",
        },
    ))
}

async fn respond(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<HandoverAnswer>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let resolution = match body.status.as_deref() {
        Some("accepted") => Some(Resolution::Accepted),
        Some("rejected") => Some(Resolution::Rejected),
        _ => {
            validator.fail("status", "status must be accepted or rejected".to_owned());
            None
        }
    };
    let resolution = validator.finish(resolution)?;
    let (handover, conversation_id) = find(&api, &id).await?;
    let accept = resolution == Resolution::Accepted;
    let answer = AnswerHandover { by: agent.as_agent(), handover, accept };
    api.services.registry.execute(conversation_id, answer).await?;
    let message = if accept { "Handover accepted" } else { "Handover rejected" };
    Ok(created(message, HandoverAnswered { handover_id: handover, conversation_id, status: resolution.as_str() }))
}

async fn withdraw(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (handover, conversation_id) = find(&api, &id).await?;
    api.services.registry.execute(conversation_id, WithdrawHandover { by: agent.as_agent(), handover }).await?;
    let (status, resolution) = (Resolution::Withdrawn.as_str(), Resolution::Withdrawn.rejection());
    Ok(created("Handover withdrawn", HandoverWithdrawn { handover_id: handover, conversation_id, status, resolution }))
}

/// The handover of this id, and its conversation.
async fn find(api: &Api, id: &str) -> Result<(HandoverId, ConversationId), ApiError> {
    let handover = HandoverId::parse(id).ok_or(Refusal::HandoverNotFound)?;
    let conversation = store::handover_conversation(&api.services.database, handover).await?;
    Ok((handover, conversation.ok_or(Refusal::HandoverNotFound)?))
}
