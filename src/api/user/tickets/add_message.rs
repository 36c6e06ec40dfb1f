//! `POST /api/v1/support/ticket/add-message`.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{author, find, find_for_guest, limit_author, message_id, names_another, not_found, number};
use crate::api::Api;
use crate::api::body::{self, JsonBytes};
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::examples;
use crate::api::extractors::{GuestCaller, OptionalCaller};
use crate::api::guard::check_guard;
use crate::api::user::guest_token::limit;
use crate::api_error::ApiError;
use crate::domain::{
    ClientMessageId, ConversationId, Customer, EmailAddress, MessageText, Post, Posted, Refusal, SendMessage, Target,
    TicketId,
};
use crate::dto::{UserMessage, Validator};
use crate::identity::Guest;
use crate::json_schema::AnyTicketNumber;
use crate::limits::TokenCall;
use crate::store::TicketKey;
use crate::use_cases::{issue_guest_token, void_as_unauthorized};

#[derive(Debug, Deserialize, JsonSchema)]
struct TicketMessageRequest {
    #[schemars(with = "AnyTicketNumber")]
    ticket_number: Option<String>,
    #[schemars(with = "MessageText")]
    message: Option<String>,
    #[schemars(with = "Option<EmailAddress>")]
    email: Option<String>,
    #[schemars(with = "Option<ClientMessageId>")]
    client_message_id: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct TicketMessageAdded<'a> {
    ticket_number: &'a str,
    ticket_id: TicketId,
    message: UserMessage<'a>,
    /// For a guest who has sent this with a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_token: Option<String>,
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/support/ticket/add-message", add_message)
        .operation(
            Tag::CustomerTickets,
            Access::Guest,
            "addMessageToTicket",
            "Posts a message to a ticket; without a token, `email` must match the ticket's",
        )
        .deprecated()
        .serves_guests()
        .body::<TicketMessageRequest>(examples::ticket_message())
        .posts_message()
        .answers::<TicketMessageAdded<'static>>(201, &["Message sent"])
        .error(not_found("SMI-2026-001234"))
        .refusals([Refusal::TicketEmailMismatch, Refusal::AccessDenied, Refusal::TicketDone, Refusal::SendToClosed])
}

async fn add_message(
    api: web::Data<Api>,
    GuestCaller(guest): GuestCaller,
    request: HttpRequest,
    JsonBytes(bytes): JsonBytes,
) -> Result<HttpResponse, ApiError> {
    if let Some(guest) = &guest {
        limit(&api, guest, &request, TokenCall::Send)?;
        let body: TicketMessageRequest = body::parse(&bytes)?;
        if let Some(key) = find_for_guest(&api, body.ticket_number.as_deref().unwrap_or_default(), guest).await? {
            return add_as_guest(&api, &key, &body, guest, &request).await;
        }
    }
    // A token for anything else counts as none.
    let caller = OptionalCaller::of(&request)?;
    check_guard(&api, caller.as_ref(), &request, &bytes).await?;
    let body: TicketMessageRequest = body::parse(&bytes)?;
    let mut validator = Validator::default();
    let number = validator.required("ticket_number", body.ticket_number.as_deref(), number);
    let text = validator.required("message", body.message.as_deref(), MessageText::parse);
    let from = author(&mut validator, caller.as_ref(), body.email.as_deref());
    let client_message_id =
        message_id(&mut validator, caller.as_ref(), body.client_message_id.as_deref(), request.headers());
    let post = text.zip(from).map(|(text, from)| Post { target: Target::Ticket, from, text, client_message_id });
    let (number, post) = validator.finish(number.zip(post))?;
    limit_author(&api, &post.from.owner, &request)?;
    let key = find(&api, &number, caller.as_ref()).await?.ok_or_else(|| not_found(&number))?;
    if caller.as_ref().is_some_and(|caller| names_another(&key, caller, body.email.as_deref())) {
        return Err(Refusal::TicketEmailMismatch.into());
    }
    let posted = post_into(&api, key.conversation, post).await?;
    let message = UserMessage::of_sender(&posted);
    let answer = TicketMessageAdded { ticket_number: &key.number, ticket_id: key.id, message, guest_token: None };
    Ok(created("Message sent", answer))
}

/// Posts with a guest's token, which is answered with a fresh one.
async fn add_as_guest(
    api: &Api,
    key: &TicketKey,
    body: &TicketMessageRequest,
    guest: &Guest,
    request: &HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let text = validator.required("message", body.message.as_deref(), MessageText::parse);
    let client_message_id = message_id(&mut validator, None, body.client_message_id.as_deref(), request.headers());
    let text = validator.finish(text)?;
    let post = Post { target: Target::Ticket, from: guest.as_customer(), text, client_message_id };
    let posted = post_into(api, key.conversation, post).await.map_err(void_as_unauthorized)?;
    let guest_token = Some(issue_guest_token(&api.services, guest)?);
    let message = UserMessage::of_sender(&posted);
    let answer = TicketMessageAdded { ticket_number: &key.number, ticket_id: key.id, message, guest_token };
    Ok(created("Message sent", answer))
}

/// Posts a message to a ticket that is open and belongs to its author.
pub(super) async fn post_into(
    api: &Api,
    conversation: ConversationId,
    post: Post<Customer>,
) -> Result<Arc<Posted>, ApiError> {
    Ok(api.services.registry.execute(conversation, SendMessage(post)).await?.message)
}
