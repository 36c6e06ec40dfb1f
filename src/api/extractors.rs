//! Who calls, as the type of a handler's argument: [`Caller`] is anybody with a good token, [`AgentCaller`] an agent,
//! [`Visitor`] anybody at all.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, USER_AGENT};
use actix_web::{FromRequest, HttpRequest, web};

use super::Api;
use crate::api_error::{ApiError, Code};
use crate::identity::Principal;

/// Anybody with a good token.
pub(super) struct Caller(pub(super) Principal);

/// An agent.
pub(super) struct AgentCaller(pub(super) Principal);

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(principal(request).map(Self))
    }
}

impl FromRequest for AgentCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(principal(request).and_then(|principal| {
            if principal.is_agent {
                Ok(Self(principal))
            } else {
                Err(ApiError::new(Code::Forbidden, "Admin access required"))
            }
        }))
    }
}

/// Anybody: who has a good token, and else somebody without an account, within the limit of such calls by address. A
/// bad token counts as none.
pub(super) struct Visitor(pub(super) Option<Principal>);

impl FromRequest for Visitor {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(visitor(request).map(Self))
    }
}

fn visitor(request: &HttpRequest) -> Result<Option<Principal>, ApiError> {
    if let Ok(principal) = principal(request) {
        return Ok(Some(principal));
    }
    let api = request.app_data::<web::Data<Api>>().ok_or_else(ApiError::internal)?;
    api.limits.guest_call(api.proxies.client_of(request))?;
    Ok(None)
}

fn principal(request: &HttpRequest) -> Result<Principal, ApiError> {
    let api = request.app_data::<web::Data<Api>>().ok_or_else(ApiError::internal)?;
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let principal = api.verifier.verify(token).map_err(|error| {
        tracing::debug!(%error, "a token was refused");
        ApiError::unauthorized()
    })?;
    api.directory.record_seen(&principal, api.clock.now());
    Ok(principal)
}

/// Where a request came from, as the server itself, or a proxy that it trusts, saw it.
pub(super) struct ClientInfo {
    pub(super) ip_address: Option<String>,
    pub(super) user_agent: Option<String>,
}

/// Characters of a `User-Agent` that are kept.
const USER_AGENT_LENGTH: usize = 512;

impl FromRequest for ClientInfo {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let address = request.app_data::<web::Data<Api>>().and_then(|api| api.proxies.client_of(request));
        ready(Ok(Self {
            ip_address: address.as_ref().map(IpAddr::to_string),
            user_agent: request
                .headers()
                .get(USER_AGENT)
                .and_then(|value| value.to_str().ok())
                .map(|value| value.chars().take(USER_AGENT_LENGTH).collect()),
        }))
    }
}
