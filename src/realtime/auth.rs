//! Who connects: a token in `auth.token`, or else in the handshake request's `Authorization`.

use actix_web::http::header::AUTHORIZATION;
use serde_json::Value;

use super::Realtime;
use crate::identity::{Principal, TokenError};
use socketio::Handshake;

/// The person whose token it is; they are written down in the directory.
pub(super) fn principal(realtime: &Realtime, handshake: &Handshake) -> Result<Principal, TokenError> {
    let in_auth = handshake.auth.as_ref().and_then(|auth| auth.get("token")).and_then(Value::as_str);
    let in_auth = in_auth.filter(|token| !token.trim().is_empty());
    let in_header = || handshake.headers.get(AUTHORIZATION.as_str());
    let principal = realtime.verifier.verify(in_auth.or_else(in_header)).inspect_err(|error| {
        tracing::debug!(%error, "a socket's token was refused");
    })?;
    realtime.directory.record_seen(&principal, realtime.clock.now());
    Ok(principal)
}
