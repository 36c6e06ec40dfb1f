//! `POST /api/v1/support/chat/send`.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};

use super::device::device_metadata;
use crate::api::Api;
use crate::api::body::Json;
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::envelope::created;
use crate::api::examples;
use crate::api::extractors::Caller;
use crate::api::idempotency_key::client_message_id;
use crate::api_error::ApiError;
use crate::client_info::ClientInfo;
use crate::domain::{Customer, Refusal};
use crate::dto::{SendRequest, SendResponse, ValidatedSend, Validator};
use crate::use_cases;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/support/chat/send", send)
        .operation(Tag::Customers, Access::Customer, "sendMessage", "Starts a conversation, or continues one")
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
    Caller(caller): Caller,
    request: HttpRequest,
    client: ClientInfo,
    Json(body): Json<SendRequest>,
) -> Result<HttpResponse, ApiError> {
    let mut validator = Validator::default();
    let send = validate(&mut validator, body, request.headers());
    let send = validator.finish(send)?;
    api.services.limits.send(&caller.id)?;
    execute(&api, caller.as_customer(), send, client, request.headers()).await
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
    let outcome = use_cases::send(&api.services, from, send, client).await?;
    Ok(created("Message sent", outcome.response()))
}
