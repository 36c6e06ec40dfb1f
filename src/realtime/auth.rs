//! Authentication of a connection: by `auth.token`, or else by the handshake request's `Authorization`.

use actix_web::http::header::AUTHORIZATION;
use serde_json::Value;

use super::Realtime;
use crate::identity::TokenError;
use crate::services::{Authenticated, Identified};
use socketio::Handshake;

/// The account that the token belongs to.
pub(super) async fn authenticate(realtime: &Realtime, handshake: &Handshake) -> Result<Authenticated, TokenError> {
    realtime.services.authenticate(token(handshake)).await
}

/// The account or the guest that the token belongs to.
pub(super) async fn identify(realtime: &Realtime, handshake: &Handshake) -> Result<Identified, TokenError> {
    realtime.services.identify(token(handshake)).await
}

fn token(handshake: &Handshake) -> Option<&str> {
    let auth_token = handshake.auth.as_ref().and_then(|auth| auth.get("token")).and_then(Value::as_str);
    let auth_token = auth_token.filter(|token| !token.trim().is_empty());
    let header_token = || handshake.headers.get(AUTHORIZATION.as_str());
    auth_token.or_else(header_token)
}
