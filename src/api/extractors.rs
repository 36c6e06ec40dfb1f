//! The caller as the type of a handler's argument: [`Caller`] has a token, [`AgentCaller`] has an agent's token,
//! [`OptionalCaller`] may have none.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::Api;
use crate::api_error::{ApiError, Code};
use crate::client_info::ClientInfo;
use crate::identity::{Guest, Person, Principal, TokenError};

/// What the request's token is worth, in its extensions: verified once, so that a refusal is counted once.
pub(super) struct Authentication(pub(super) Result<Person, TokenError>);

/// A caller with a valid token; otherwise 401.
pub(super) struct Caller(pub(super) Principal);

/// A caller with an agent's token; otherwise 401 or 403.
pub(super) struct AgentCaller(pub(super) Principal);

/// A caller with a valid token of an account or of a guest; otherwise 401.
pub(super) struct PersonCaller(pub(super) Person);

/// The guest's token of a caller who has one.
pub(super) struct GuestCaller(pub(super) Option<Guest>);

/// An agent with a role of `auth.supervisor_roles`; otherwise 401 or 403.
pub(super) struct SupervisorCaller(pub(super) Principal);

/// A caller with a valid token, or one without an account, who is rate-limited by address. An invalid token counts as
/// none.
pub(super) struct OptionalCaller(pub(super) Option<Principal>);

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

impl FromRequest for PersonCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticated(request).map(Self))
    }
}

impl FromRequest for GuestCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(authenticated(request).ok().and_then(|caller| caller.guest().cloned()))))
    }
}

impl FromRequest for SupervisorCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let AgentCaller(agent) = match AgentCaller::from_request(request, payload).into_inner() {
            Ok(agent) => agent,
            Err(error) => return ready(Err(error)),
        };
        ready(api(request).and_then(|api| {
            if api.services.is_supervisor(&agent) {
                Ok(Self(agent))
            } else {
                Err(ApiError::new(Code::Forbidden, "Supervisor access required"))
            }
        }))
    }
}

impl FromRequest for OptionalCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(optional_principal(request).map(Self))
    }
}

impl OptionalCaller {
    /// The same, for a handler that has served guests' tokens before.
    pub(super) fn of(request: &HttpRequest) -> Result<Option<Principal>, ApiError> {
        optional_principal(request)
    }
}

fn optional_principal(request: &HttpRequest) -> Result<Option<Principal>, ApiError> {
    if let Ok(principal) = principal(request) {
        return Ok(Some(principal));
    }
    let services = &api(request)?.services;
    services.limits.guest_call(services.proxies.client_of(request))?;
    Ok(None)
}

fn principal(request: &HttpRequest) -> Result<Principal, ApiError> {
    authenticated(request)?.account().cloned().ok_or_else(ApiError::unauthorized)
}

fn authenticated(request: &HttpRequest) -> Result<Person, ApiError> {
    // `reading` has verified the token of every request to the API.
    let extensions = request.extensions();
    let Authentication(outcome) = extensions.get().ok_or_else(ApiError::internal)?;
    outcome.clone().map_err(|_| ApiError::unauthorized())
}

fn api(request: &HttpRequest) -> Result<&Api, ApiError> {
    request.app_data::<web::Data<Api>>().map(|api| api.get_ref()).ok_or_else(ApiError::internal)
}

impl FromRequest for ClientInfo {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let address = api(request).ok().and_then(|api| api.services.proxies.client_of(request));
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        ready(Ok(Self::new(address, user_agent)))
    }
}
