//! Authentication of a connection: by `auth.token`, or else by the handshake request's `Authorization`.

use actix_web::http::header::AUTHORIZATION;
use serde_json::Value;

use super::Realtime;
use crate::identity::TokenError;
use crate::services::Authenticated;
use socketio::Handshake;

/// The account that the token belongs to.
pub(super) async fn authenticate(realtime: &Realtime, handshake: &Handshake) -> Result<Authenticated, TokenError> {
    let auth_token = handshake.auth.as_ref().and_then(|auth| auth.get("token")).and_then(Value::as_str);
    let auth_token = auth_token.filter(|token| !token.trim().is_empty());
    let header_token = || handshake.headers.get(AUTHORIZATION.as_str());
    realtime.services.authenticate(auth_token.or_else(header_token)).await
}
