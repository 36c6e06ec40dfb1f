//! `POST /api/v1/support/chat/send`.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};

use super::device::device_metadata;
use super::guest_token::serve_guest;
use super::rate::for_caller;
use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::examples;
use crate::api::extractors::PersonCaller;
use crate::api::idempotency_key::client_message_id;
use crate::api_error::ApiError;
use crate::client_info::ClientInfo;
use crate::domain::{Customer, Refusal};
use crate::dto::{SendRequest, SendResponse, ValidatedSend, Validator, check_guest_id};
use crate::identity::Person;
use crate::limits::TokenCall;
use crate::use_cases;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/support/chat/send", send)
        .operation(Tag::Customers, Access::Customer, "sendMessage", "Starts a conversation, or continues one")
        .serves_guests()
        .body::<SendRequest>(examples::send())
        .device_headers()
        .posts_message()
        .answers_with::<SendResponse<'static>>(
            201,
            &["Message sent"],
            vec![("new", examples::opened()), ("existing", examples::sent())],
        )
        .refusals([Refusal::NotFound, Refusal::AccessDenied, Refusal::SendToClosed])
}

async fn send(
    api: web::Data<Api>,
    PersonCaller(caller): PersonCaller,
    request: HttpRequest,
    client: ClientInfo,
    Json(body): Json<SendRequest>,
) -> Result<HttpResponse, ApiError> {
    if let Person::Guest(guest) = &caller {
        // It opens no conversation.
        let id = body.conversation().unwrap_or_default();
        serve_guest(&api, guest, &request, id, TokenCall::Send).await?;
    }
    let mut validator = Validator::default();
    let send = validate(&mut validator, body, request.headers());
    if caller.guest().is_some() {
        check_guest_id(&mut validator, send.as_ref().and_then(|send| send.client_message_id.as_ref()));
    }
    let send = validator.finish(send)?;
    if let Person::Account(principal) = &caller {
        api.services.limits.send(&principal.id)?;
    }
    let sent = execute(&api, caller.as_customer(), send, client, request.headers()).await;
    sent.map_err(|error| for_caller(&caller, error))
}

/// Validates the body, and its idempotency key with the header.
pub(super) fn validate(validator: &mut Validator, body: SendRequest, headers: &HeaderMap) -> Option<ValidatedSend> {
    let client_message_id = client_message_id(validator, body.client_message_id.as_deref(), headers);
    body.validate(validator, client_message_id)
}

/// Sends for a customer with or without an account, after the rate limit was applied.
pub(super) async fn execute(
    api: &Api,
    from: Customer,
    send: ValidatedSend,
    client: ClientInfo,
    headers: &HeaderMap,
) -> Result<HttpResponse, ApiError> {
    let client = || ClientInfo { device_metadata: device_metadata(headers), ..client };
    let sender = from.owner.clone();
    let outcome = use_cases::send(&api.services, from, send, client).await?;
    let guest_token = outcome.guest_token(&api.services, &sender).await?;
    Ok(created("Message sent", outcome.response(guest_token)))
}
