//! `POST /api/v1/support/chat/send-unauthenticated`: for people without an account (`decisions.md`).
//!
//! What is made here belongs to the e-mail address and to no account, whoever sends it.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::Deserialize;

use super::send::{carry_out, form};
use crate::api::Api;
use crate::api::body::{self, JsonBytes};
use crate::api::extractors::{ClientInfo, Visitor};
use crate::api::guard::{long_enough, pass_guard};
use crate::api_error::ApiError;
use crate::domain::{Customer, EmailAddress, PhoneNumber};
use crate::wire::Validator;
use crate::wire::send::SendBody;

/// What the body has beside the send.
#[derive(Debug, Deserialize, JsonSchema)]
struct Contact {
    #[schemars(with = "EmailAddress")]
    email: Option<String>,
    #[schemars(with = "Option<PhoneNumber>")]
    phone_number: Option<String>,
}

/// The body as a whole, as the documents show it.
#[derive(JsonSchema)]
#[schemars(rename = "GuestSendRequest")]
#[expect(dead_code, reason = "a shape alone, never made")]
pub(in crate::api) struct GuestBody {
    #[schemars(flatten)]
    contact: Contact,
    #[schemars(flatten)]
    send: SendBody,
}

pub(in crate::api) async fn send_unauthenticated(
    api: web::Data<Api>,
    Visitor(visitor): Visitor,
    request: HttpRequest,
    observed: ClientInfo,
    JsonBytes(bytes): JsonBytes,
) -> Result<HttpResponse, ApiError> {
    pass_guard(&api, visitor.as_ref(), &request, &bytes).await?;
    // Read twice: flattened into one shape, a field of the wrong type could not be named.
    let contact: Contact = body::parse(&bytes)?;
    let send: SendBody = body::parse(&bytes)?;
    let mut fields = Validator::default();
    let send = form(&mut fields, send, request.headers());
    let owner = fields.required("email", contact.email.as_deref(), EmailAddress::parse);
    let phone_number = fields.optional("phone_number", contact.phone_number.as_deref(), PhoneNumber::parse);
    long_enough(&mut fields, send.as_ref().and_then(|send| send.client_message_id.as_ref()));
    let (send, owner) = fields.finish(send.zip(owner))?;
    let customer =
        Customer { phone_number: phone_number.map(|number| number.as_str().to_owned()), ..Customer::guest(owner) };
    carry_out(&api, customer, send, observed, request.headers()).await
}
