//! The guard for requests of people without an account (`decisions.md`, "People without an account").

use actix_web::HttpRequest;

use super::Api;
use crate::api_error::{ApiError, Code};
use crate::identity::{Principal, RequestRefusal, SignedRequest};
use crate::telemetry::Refused;

/// Checks the headers that `guard.mode` requires. A caller with a token needs none.
///
/// # Errors
/// 400 naming the header; 503 if the nonce cannot be stored.
pub(super) async fn check_guard(
    api: &Api,
    caller: Option<&Principal>,
    request: &HttpRequest,
    body: &[u8],
) -> Result<(), ApiError> {
    if caller.is_some() {
        return Ok(());
    }
    let now = api.services.clock.now();
    let signed =
        SignedRequest { method: request.method().as_str(), path: request.path(), headers: request.headers(), body };
    let refuse = |refusal: RequestRefusal| {
        Refused::Guard.record(&refusal);
        ApiError::from(refusal)
    };
    let nonce = api.guard.verify(&signed, now).map_err(refuse)?;
    if let Some(nonce) = nonce
        && !api.nonces.consume(nonce, now).await?
    {
        return Err(refuse(RequestRefusal::NonceUsed));
    }
    Ok(())
}

impl From<RequestRefusal> for ApiError {
    fn from(refusal: RequestRefusal) -> Self {
        Self::new(Code::ValidationError, refusal.to_string())
    }
}
