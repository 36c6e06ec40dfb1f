//! `POST …/support/:id/reply`: an agent answers in a ticket, or writes a note.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Api;
use crate::api::body::Json;
use crate::api::envelope::created;
use crate::api::extractors::AgentCaller;
use crate::api::ids::{client_message_id, ticket_id};
use crate::api_error::ApiError;
use crate::domain::{EventId, Refusal, Target};
use crate::store;
use crate::timestamp::IsoTimestamp;
use crate::wire::Validator;
use crate::wire::reply::ReplyBody;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketReplySent")]
pub(in crate::api) struct Replied<'a> {
    id: EventId,
    message: &'a str,
    is_internal: bool,
    #[schemars(extend("const" = false))]
    is_from_user: bool,
    sender_name: Option<&'a str>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
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
    let reply = body.read(&mut fields, Target::Ticket, agent.as_agent(), client_message_id);
    let reply = fields.finish(reply)?;
    api.limits.send(&agent.id)?;
    let key = store::ticket_of_id(&api.database, ticket_id(&id)?).await?.ok_or(Refusal::TicketNotFound)?;
    let posted = reply.execute(&api.registry, key.conversation).await?;
    Ok(created(
        "Reply sent",
        Replied {
            id: posted.id,
            message: posted.message.text.as_str(),
            is_internal: posted.message.is_note(),
            is_from_user: false,
            sender_name: posted.message.author.name(),
            created_at: IsoTimestamp(posted.at),
        },
    ))
}
