//! `POST /api/v1/support/ticket/add-message`: a customer writes into a ticket.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{find, not_found, send_name, writer};
use super::read::number;
use crate::api::Api;
use crate::api::body::{self, JsonBytes};
use crate::api::envelope::created;
use crate::api::extractors::Visitor;
use crate::api::guard::pass_guard;
use crate::api_error::ApiError;
use crate::domain::{
    ClientMessageId, ConversationId, Customer, EmailAddress, MessageText, Post, Posted, SendMessage, Target, TicketId,
};
use crate::json_schema::TicketNumber;
use crate::wire::Validator;
use crate::wire::view::UserMessage;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "TicketMessageRequest")]
pub(in crate::api) struct MessageBody {
    #[schemars(with = "TicketNumber")]
    ticket_number: Option<String>,
    #[schemars(with = "MessageText")]
    message: Option<String>,
    #[schemars(with = "Option<EmailAddress>")]
    email: Option<String>,
    #[schemars(with = "Option<ClientMessageId>")]
    client_message_id: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketMessageAdded")]
pub(in crate::api) struct Added<'a> {
    ticket_number: &'a str,
    ticket_id: TicketId,
    message: UserMessage<'a>,
}

pub(in crate::api) async fn add_message(
    api: web::Data<Api>,
    Visitor(caller): Visitor,
    request: HttpRequest,
    JsonBytes(bytes): JsonBytes,
) -> Result<HttpResponse, ApiError> {
    pass_guard(&api, caller.as_ref(), &request, &bytes).await?;
    let body: MessageBody = body::parse(&bytes)?;
    let mut fields = Validator::default();
    let number = fields.required("ticket_number", body.ticket_number.as_deref(), number);
    let text = fields.required("message", body.message.as_deref(), MessageText::parse);
    let from = writer(&mut fields, caller.as_ref(), body.email.as_deref());
    let client_message_id =
        send_name(&mut fields, caller.as_ref(), body.client_message_id.as_deref(), request.headers());
    let post = text.zip(from).map(|(text, from)| Post { target: Target::Ticket, from, text, client_message_id });
    let (number, post) = fields.finish(number.zip(post))?;
    api.limits.send(&post.from.owner)?;
    let key = find(&api, &number).await?.ok_or_else(|| not_found(&number))?;
    let posted = post_into(&api, key.conversation, post).await?;
    let message = UserMessage::in_history(&posted);
    Ok(created("Message sent", Added { ticket_number: &number, ticket_id: key.id, message }))
}

/// Writes into a ticket, if it is the writer's and still open.
pub(super) async fn post_into(
    api: &Api,
    conversation: ConversationId,
    post: Post<Customer>,
) -> Result<Arc<Posted>, ApiError> {
    Ok(api.registry.execute(conversation, SendMessage(post)).await?.message)
}
