//! `POST …/conversations/:id/reply`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::idempotency_key::client_message_id;
use crate::api_error::ApiError;
use crate::domain::{Refusal, Target};
use crate::dto::{ReplyRequest, ReplySent, Validator};
use crate::use_cases;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/unified-admin/support/conversations/{id}/reply", reply)
        .operation(
            Tag::Agents,
            Access::Agent,
            "replyToConversation",
            "Replies to the customer, or writes a note that only agents see",
        )
        .path_parameter("id", "The conversation's id")
        .body::<ReplyRequest>(json!({ "message": "Hi John! I'm Sarah and I'll be helping you today." }))
        .posts_message()
        .answers::<ReplySent<'static>>(201, &["Reply sent"])
        .refusals([Refusal::NotFound, Refusal::AssignedToAnother, Refusal::ReplyToClosed])
}

async fn reply(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    request: HttpRequest,
    Json(body): Json<ReplyRequest>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let client_message_id = client_message_id(&mut validator, body.client_message_id.as_deref(), request.headers());
    let reply = body.validate(&mut validator, Target::Conversation, agent.as_agent(), client_message_id);
    let reply = validator.finish(reply)?;
    let posted = use_cases::reply(&api.services, &id, reply).await?;
    Ok(created("Reply sent", ReplySent::new(&posted)))
}
