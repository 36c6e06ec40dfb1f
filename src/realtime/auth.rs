//! Authentication of a connection: by `auth.token`, or else by the handshake request's `Authorization`.

use actix_web::http::header::AUTHORIZATION;
use serde_json::Value;

use super::Realtime;
use crate::identity::{Principal, TokenError};
use socketio::Handshake;

/// The account that the token belongs to.
pub(super) fn principal(realtime: &Realtime, handshake: &Handshake) -> Result<Principal, TokenError> {
    let in_auth = handshake.auth.as_ref().and_then(|auth| auth.get("token")).and_then(Value::as_str);
    let in_auth = in_auth.filter(|token| !token.trim().is_empty());
    let in_header = || handshake.headers.get(AUTHORIZATION.as_str());
    realtime.services.authenticate(in_auth.or_else(in_header))
}
