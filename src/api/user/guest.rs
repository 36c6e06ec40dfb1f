//! `POST /api/v1/support/chat/send-unauthenticated`, for people without an account (`decisions.md`).
//!
//! A conversation created here belongs to the e-mail address, even if the caller has an account.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Deserialize;

use super::send::{execute, validate};
use crate::api::Api;
use crate::api::body::{self, JsonBytes};
use crate::api::endpoint::{Access, Endpoint, Tag};
use crate::api::examples;
use crate::api::extractors::OptionalCaller;
use crate::api::guard::check_guard;
use crate::api_error::ApiError;
use crate::client_info::ClientInfo;
use crate::domain::{Customer, EmailAddress, PhoneNumber, Refusal};
use crate::dto::{SendRequest, SendResponse, Validator, check_guest_id};
use crate::identity::Principal;
use crate::limits::{GuestCall, GuestSource};

/// The fields in addition to those of a send.
#[derive(Debug, Deserialize, JsonSchema)]
struct Contact {
    #[schemars(with = "EmailAddress")]
    email: Option<String>,
    #[schemars(with = "Option<PhoneNumber>")]
    phone_number: Option<String>,
}

/// A guest's message, with the address that identifies the guest.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema of the body; its two parts are read separately")]
struct GuestSendRequest {
    #[schemars(flatten)]
    contact: Contact,
    #[schemars(flatten)]
    send: SendRequest,
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/v1/support/chat/send-unauthenticated", send_unauthenticated)
        .operation(
            Tag::Guests,
            Access::Guest,
            "sendMessageUnauthenticated",
            "As `sendMessage`, for an e-mail address instead of an account",
        )
        .body::<GuestSendRequest>(examples::guest_send())
        .device_headers()
        .posts_message()
        .answers::<SendResponse<'static>>(201, &["Message sent"])
        .refusals([Refusal::NotFound, Refusal::AccessDenied, Refusal::EmailMismatch, Refusal::SendToClosed])
}

async fn send_unauthenticated(
    api: web::Data<Api>,
    OptionalCaller(caller): OptionalCaller,
    request: HttpRequest,
    client: ClientInfo,
    JsonBytes(bytes): JsonBytes,
) -> Result<HttpResponse, ApiError> {
    check_guard(&api, caller.as_ref(), &request, &bytes).await?;
    // Deserialized twice: `serde(flatten)` would lose the name of a field of the wrong type.
    let contact: Contact = body::parse(&bytes)?;
    let send: SendRequest = body::parse(&bytes)?;
    let mut validator = Validator::default();
    let send = validate(&mut validator, send, request.headers());
    let owner = validator.required("email", contact.email.as_deref(), EmailAddress::parse);
    let phone_number = validator.optional("phone_number", contact.phone_number.as_deref(), PhoneNumber::parse);
    check_guest_id(&mut validator, send.as_ref().and_then(|send| send.client_message_id.as_ref()));
    let (send, owner) = validator.finish(send.zip(owner))?;
    let call = send.conversation.as_deref().map_or(GuestCall::Open, GuestCall::Continue);
    limit(&api, caller.as_ref(), &request, &owner, call)?;
    let customer =
        Customer { phone_number: phone_number.map(|number| number.as_str().to_owned()), ..Customer::guest(owner) };
    execute(&api, customer, send, client, request.headers()).await
}

/// Counts a call in the name of an e-mail address. Without a token its address was counted when the caller was
/// identified; with one, the account and its address are counted here.
fn limit(
    api: &Api,
    caller: Option<&Principal>,
    request: &HttpRequest,
    email: &EmailAddress,
    call: GuestCall<'_>,
) -> Result<(), ApiError> {
    let limits = &api.services.limits;
    let address = api.services.proxies.client_of(request);
    let from = match caller {
        Some(caller) => {
            limits.account_guest_call(&caller.id, address)?;
            GuestSource::Account(&caller.id)
        }
        None => GuestSource::Address(address),
    };
    limits.guest_email(from, email, call).map_err(Into::into)
}
