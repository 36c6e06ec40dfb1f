//! What stands in front of what people without an account may do (`decisions.md`, "People without an account").

use actix_web::HttpRequest;

use super::Api;
use crate::api_error::{ApiError, Code};
use crate::domain::ClientMessageId;
use crate::identity::{Principal, RequestRefusal, SignedRequest};
use crate::wire::Validator;

/// Characters that a guest's `client_message_id` has at least: it is what shows that a repeat is theirs.
const GUEST_ID_LENGTH: usize = 16;

/// Whoever has a good token needs no guard headers; somebody without an account shows what `guard.mode` asks for.
///
/// # Errors
/// 400 that names the header; 503 when the nonce cannot be kept.
pub(super) async fn pass_guard(
    api: &Api,
    visitor: Option<&Principal>,
    request: &HttpRequest,
    body: &[u8],
) -> Result<(), ApiError> {
    if visitor.is_some() {
        return Ok(());
    }
    let now = api.clock.now();
    let signed =
        SignedRequest { method: request.method().as_str(), path: request.path(), headers: request.headers(), body };
    if let Some(nonce) = api.guard.verify(&signed, now)?
        && !api.nonces.consume(nonce, now).await?
    {
        return Err(RequestRefusal::NonceUsed.into());
    }
    Ok(())
}

/// Holds the name that a guest gave a send to its rule.
pub(super) fn long_enough(fields: &mut Validator, id: Option<&ClientMessageId>) {
    if id.is_some_and(|id| id.as_str().chars().count() < GUEST_ID_LENGTH) {
        let message = format!("client_message_id must be at least {GUEST_ID_LENGTH} characters");
        fields.fault("client_message_id", message);
    }
}

impl From<RequestRefusal> for ApiError {
    fn from(refusal: RequestRefusal) -> Self {
        Self::new(Code::ValidationError, refusal.to_string())
    }
}
