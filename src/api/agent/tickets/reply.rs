//! `POST …/support/:id/reply`.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::idempotency_key::client_message_id;
use crate::api::ids::ticket_id;
use crate::api_error::ApiError;
use crate::domain::{ClientMessageId, EventId, Refusal, Target};
use crate::dto::{ReplyRequest, Validator};
use crate::store;
use crate::timestamp::IsoTimestamp;
use crate::use_cases;

#[derive(Serialize, JsonSchema)]
struct TicketReplySent<'a> {
    id: EventId,
    message: &'a str,
    is_internal: bool,
    #[schemars(extend("const" = false))]
    is_from_user: bool,
    sender_name: Option<&'a str>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_message_id: Option<&'a ClientMessageId>,
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/unified-admin/support/{id}/reply", reply)
        .operation(
            Tag::AgentTickets,
            Access::Agent,
            "replyToTicket",
            "Replies to the customer, or writes a note that only agents see",
        )
        .path_parameter("id", "The ticket's id")
        .body::<ReplyRequest>(json!({ "message": "It is a known fault: look here", "is_internal": true }))
        .posts_message()
        .answers::<TicketReplySent<'static>>(201, &["Reply sent"])
        .refusals([Refusal::TicketNotFound, Refusal::AssignedToAnother, Refusal::ReplyToClosed])
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
    let reply = body.validate(&mut validator, Target::Ticket, agent.as_agent(), client_message_id);
    let reply = validator.finish(reply)?;
    let services = &api.services;
    services.limits.send(&agent.id)?;
    let key = store::ticket_of_id(&services.database, ticket_id(&id)?).await?.ok_or(Refusal::TicketNotFound)?;
    let posted = use_cases::post_reply(services, key.conversation, reply).await?;
    Ok(created(
        "Reply sent",
        TicketReplySent {
            id: posted.id,
            message: posted.message.text.as_str(),
            is_internal: posted.message.is_note(),
            is_from_user: false,
            sender_name: posted.message.author.name(),
            created_at: IsoTimestamp(posted.at),
            client_message_id: posted.message.client_message_id.as_ref(),
        },
    ))
}
