//! `POST …/conversations/:id/claim`, `/reply` and `/close`.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::api::body::{Fields, Json};
use crate::api::caller::AgentCaller;
use crate::api::envelope::created;
use crate::api::names::{client_message_id, conversation_id};
use crate::conversation::Outcome;
use crate::domain::{ClientMessageId, Command, ConversationId, EventId, MessageText, Post, UserId};
use crate::failure::Failure;
use crate::moment::Iso;

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
) -> Result<HttpResponse, Failure> {
    let id = conversation_id(&id)?;
    match api.registry.execute(id, Command::Claim(agent.as_agent())).await? {
        Outcome::Claimed(assignee) => Ok(created(
            "Conversation claimed",
            Claimed { conversation_id: id, assigned_to: assignee.id, assigned_admin_name: assignee.name },
        )),
        _ => Err(Failure::defect()),
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "ReplyRequest")]
pub(in crate::api) struct ReplyBody {
    #[schemars(with = "MessageText")]
    message: Option<String>,
    is_internal: Option<bool>,
    #[schemars(with = "Option<ClientMessageId>")]
    client_message_id: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReplySent")]
pub(in crate::api) struct Replied<'a> {
    id: EventId,
    position: i64,
    seq: Option<i64>,
    message: &'a str,
    is_internal: bool,
    #[schemars(extend("const" = false))]
    is_from_user: bool,
    sender_name: Option<&'a str>,
    sender_email: Option<&'a str>,
    #[serde(rename = "createdAt")]
    created_at: Iso,
}

pub(in crate::api) async fn reply(
    api: web::Data<Api>,
    AgentCaller(agent): AgentCaller,
    id: web::Path<String>,
    request: HttpRequest,
    Json(body): Json<ReplyBody>,
) -> Result<HttpResponse, Failure> {
    let mut fields = Fields::default();
    let text = fields.required("message", body.message.as_deref(), MessageText::parse);
    let client_message_id = client_message_id(&mut fields, body.client_message_id.as_deref(), request.headers());
    let post = fields.finish(text.map(|text| Post { from: agent.as_agent(), text, client_message_id }))?;
    api.limits.send(&agent.id)?;
    let id = conversation_id(&id)?;
    let command = if body.is_internal.unwrap_or_default() { Command::Note(post) } else { Command::Reply(post) };
    match api.registry.execute(id, command).await? {
        Outcome::Posted(posted) => Ok(created(
            "Reply sent",
            Replied {
                id: posted.id,
                position: posted.position,
                seq: posted.message.seq,
                message: posted.message.text.as_str(),
                is_internal: posted.message.is_note(),
                is_from_user: false,
                sender_name: posted.message.author.name(),
                sender_email: posted.message.author.email(),
                created_at: Iso(posted.at),
            },
        )),
        _ => Err(Failure::defect()),
    }
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
) -> Result<HttpResponse, Failure> {
    let id = conversation_id(&id)?;
    match api.registry.execute(id, Command::Close(agent.as_agent())).await? {
        Outcome::Closed => Ok(created("Conversation closed", Closed { conversation_id: id })),
        _ => Err(Failure::defect()),
    }
}
