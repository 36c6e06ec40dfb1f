//! Who calls, as the type of a handler's argument: [`Caller`] is anybody with a good token, [`AgentCaller`] an agent.

use std::future::{Ready, ready};
use std::net::SocketAddr;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, USER_AGENT};
use actix_web::{FromRequest, HttpRequest, web};

use super::Api;
use crate::failure::{Code, Failure};
use crate::identity::Principal;

/// Anybody with a good token.
pub(super) struct Caller(pub(super) Principal);

/// An agent.
pub(super) struct AgentCaller(pub(super) Principal);

impl FromRequest for Caller {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(principal(request).map(Self))
    }
}

impl FromRequest for AgentCaller {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(principal(request).and_then(|principal| {
            if principal.is_agent {
                Ok(Self(principal))
            } else {
                Err(Failure::new(Code::Forbidden, "Admin access required"))
            }
        }))
    }
}

fn principal(request: &HttpRequest) -> Result<Principal, Failure> {
    let api = request.app_data::<web::Data<Api>>().ok_or_else(Failure::defect)?;
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let principal = api.verifier.verify(token).map_err(|error| {
        tracing::debug!(%error, "a token was refused");
        Failure::unauthorized()
    })?;
    api.directory.saw(&principal, api.clock.now());
    Ok(principal)
}

/// Where a request came from, as the server itself saw it.
pub(super) struct Observed {
    pub(super) ip_address: Option<String>,
    pub(super) user_agent: Option<String>,
}

/// Characters of a `User-Agent` that are kept.
const USER_AGENT_LENGTH: usize = 512;

impl FromRequest for Observed {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self {
            ip_address: request.peer_addr().as_ref().map(SocketAddr::ip).map(|address| address.to_string()),
            user_agent: request
                .headers()
                .get(USER_AGENT)
                .and_then(|value| value.to_str().ok())
                .map(|value| value.chars().take(USER_AGENT_LENGTH).collect()),
        }))
    }
}
