//! `POST …/conversations/:id/read`.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::conversation_id;
use crate::api_error::ApiError;
use crate::domain::{ReadingSide, Refusal};
use crate::dto::{ConversationRead, ReadNumber, Validator};
use crate::use_cases::{self, ReadUpTo};

/// What an agent has read.
#[derive(Debug, Deserialize, JsonSchema)]
struct AgentReadRequest {
    #[schemars(with = "ReadNumber")]
    up_to_position: Option<f64>,
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/unified-admin/support/conversations/{id}/read", read)
        .operation(
            Tag::Agents,
            Access::Agent,
            "markQueuedRead",
            "An agent has read the conversation up to a position, for all agents; what was read before stays read",
        )
        .path_parameter("id", "The conversation's id")
        .body::<AgentReadRequest>(json!({ "up_to_position": 12 }))
        .answers::<ConversationRead>(201, &["Conversation read"])
        .rate_limited()
        .refusals([Refusal::NotFound])
}

async fn read(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    Json(body): Json<AgentReadRequest>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let position = ReadNumber::validate(&mut validator, "up_to_position", body.up_to_position);
    let up_to = ReadUpTo::Position(validator.finish(position)?);
    let id = conversation_id(&id)?;
    let reading = use_cases::mark_read(&api.services, Some(&agent), id, up_to, |_| Ok(())).await?;
    Ok(created("Conversation read", ConversationRead::new(id, &reading, ReadingSide::Agent)))
}
