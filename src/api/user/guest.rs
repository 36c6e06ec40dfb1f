//! `POST /api/v1/support/chat/send-unauthenticated`: for people without an account (`decisions.md`).
//!
//! What is made here belongs to the e-mail address and to no account, whoever sends it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::send::{SendBody, carry_out, form};
use crate::api::Api;
use crate::api::body::{self, Fields, JsonBytes};
use crate::api::caller::{Observed, Visitor};
use crate::domain::{Customer, EmailAddress, Owner, PhoneNumber};
use crate::failure::{Code, Failure};
use crate::identity::{GuardRefusal, GuardedRequest};

/// Characters that a guest's `client_message_id` has at least: it is what shows that a repeat is theirs.
const CLIENT_MESSAGE_ID_LENGTH: usize = 16;

#[derive(Debug, Deserialize)]
struct GuestBody {
    email: Option<String>,
    phone_number: Option<String>,
    #[serde(flatten)]
    send: SendBody,
}

pub(in crate::api) async fn send_unauthenticated(
    api: web::Data<Api>,
    Visitor(visitor): Visitor,
    request: HttpRequest,
    observed: Observed,
    JsonBytes(bytes): JsonBytes,
) -> Result<HttpResponse, Failure> {
    // Whoever has a good token needs no guard headers.
    if visitor.is_none() {
        pass_guard(&api, &request, &bytes).await?;
    }
    let body: GuestBody = body::parse(&bytes)?;
    let mut fields = Fields::default();
    let send = form(&mut fields, body.send, request.headers());
    let owner = fields.required("email", body.email.as_deref(), EmailAddress::parse);
    let phone_number = fields.optional("phone_number", body.phone_number.as_deref(), PhoneNumber::parse);
    if let Some(id) = send.as_ref().and_then(|send| send.client_message_id.as_ref())
        && id.as_str().chars().count() < CLIENT_MESSAGE_ID_LENGTH
    {
        let message = format!("client_message_id must be at least {CLIENT_MESSAGE_ID_LENGTH} characters");
        fields.fault("client_message_id", message);
    }
    let (send, owner) = fields.finish(send.zip(owner))?;
    let customer = Customer {
        email: Some(owner.as_str().to_owned()),
        owner: Owner::Guest(owner),
        name: None,
        phone_number: phone_number.map(|number| number.as_str().to_owned()),
    };
    carry_out(&api, customer, send, observed, request.headers()).await
}

/// Somebody without an account shows what `guard.mode` asks for.
async fn pass_guard(api: &Api, request: &HttpRequest, body: &[u8]) -> Result<(), Failure> {
    let now = api.clock.now();
    let guarded =
        GuardedRequest { method: request.method().as_str(), path: request.path(), headers: request.headers(), body };
    if let Some(nonce) = api.guard.check(&guarded, now)?
        && !api.nonces.take(nonce, now).await?
    {
        return Err(GuardRefusal::NonceUsed.into());
    }
    Ok(())
}

impl From<GuardRefusal> for Failure {
    fn from(refusal: GuardRefusal) -> Self {
        Self::new(Code::ValidationError, refusal.to_string())
    }
}
