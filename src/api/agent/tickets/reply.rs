//! `POST …/support/:id/reply`: an agent answers in a ticket, or writes a note.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::api::body::{Fields, Json};
use crate::api::caller::AgentCaller;
use crate::api::envelope::created;
use crate::api::names::{client_message_id, ticket_id};
use crate::conversation::Outcome;
use crate::domain::{ClientMessageId, Command, EventId, MessageText, Post, Refusal};
use crate::failure::Failure;
use crate::moment::Iso;
use crate::store;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "TicketReplyRequest")]
pub(in crate::api) struct ReplyBody {
    #[schemars(with = "MessageText")]
    message: Option<String>,
    is_internal: Option<bool>,
    #[schemars(with = "Option<ClientMessageId>")]
    client_message_id: Option<String>,
}

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
    let key = store::ticket_of_id(&api.database, ticket_id(&id)?).await?.ok_or(Refusal::TicketNotFound)?;
    let is_internal = body.is_internal.unwrap_or_default();
    let command = if is_internal { Command::NoteOnTicket(post) } else { Command::ReplyToTicket(post) };
    match api.registry.execute(key.conversation, command).await? {
        Outcome::Posted(posted) => Ok(created(
            "Reply sent",
            Replied {
                id: posted.id,
                message: posted.message.text.as_str(),
                is_internal: posted.message.is_note(),
                is_from_user: false,
                sender_name: posted.message.author.name(),
                created_at: Iso(posted.at),
            },
        )),
        _ => Err(Failure::defect()),
    }
}
