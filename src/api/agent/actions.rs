//! `POST …/conversations/:id/claim`, `/reply` and `/close`.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::{client_message_id, conversation_id};
use crate::api_error::ApiError;
use crate::domain::{Claim, Close, ConversationId, Target, UserId};
use crate::wire::Validator;
use crate::wire::reply::{self, ReplyBody, ReplyView};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationClaimed")]
pub(in crate::api) struct Claimed {
    conversation_id: ConversationId,
    assigned_to: UserId,
    assigned_admin_name: String,
}

pub(in crate::api) async fn claim(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = conversation_id(&id)?;
    let assignee = api.registry.execute(id, Claim { by: agent.as_agent() }).await?;
    Ok(created(
        "Conversation claimed",
        Claimed { conversation_id: id, assigned_to: assignee.id, assigned_admin_name: assignee.name },
    ))
}

pub(in crate::api) async fn reply(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    request: HttpRequest,
    Json(body): Json<ReplyBody>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Validator::default();
    let client_message_id = client_message_id(&mut fields, body.client_message_id.as_deref(), request.headers());
    let reply = body.read(&mut fields, Target::Conversation, agent.as_agent(), client_message_id);
    let reply = fields.finish(reply)?;
    let posted = reply::carry_out(&api.registry, &api.limits, &id, reply).await?;
    Ok(created("Reply sent", ReplyView::new(&posted)))
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationClosed")]
pub(in crate::api) struct Closed {
    conversation_id: ConversationId,
}

pub(in crate::api) async fn close(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = conversation_id(&id)?;
    api.registry.execute(id, Close { by: agent.as_agent() }).await?;
    Ok(created("Conversation closed", Closed { conversation_id: id }))
}
