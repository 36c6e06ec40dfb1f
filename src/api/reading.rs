//! The middleware around every endpoint of the API that bounds what its reads cost: in memory ([`crate::reads`]), and over
//! time for each account ([`crate::limits`]).

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use super::Api;
use super::extractors::Authentication;
use crate::api_error::ApiError;
use crate::identity::Principal;
use crate::reads::{HeldBody, Reader};

/// A shorter answer fits into the buffers of its connection, and is not held.
const HELD_FROM: usize = 16 * 1024;

/// Lets a read wait for its turn, and holds a long answer until its client has taken it.
pub(super) async fn with_read_limits(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<HeldBody, BoxBody>>, Error> {
    let Some(api) = request.app_data::<web::Data<Api>>().cloned() else { return Err(ApiError::internal().into()) };
    // Whatever else is served, health above all, must not wait.
    if !request.path().starts_with("/api/") {
        return Ok(next.call(request).await?.map_body(|_, body| EitherBody::right(BoxBody::new(body))));
    }
    let services = &api.services;
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let authentication = services.identify(token).await.map(|identified| identified.person);
    let authentication = Authentication(authentication);
    // The endpoint answers 401, or reads without an account.
    let principal = authentication.0.as_ref().ok().and_then(|caller| caller.account().cloned());
    request.extensions_mut().insert(authentication);
    let reader = match &principal {
        Some(principal) => Reader::Account(&principal.id),
        None => Reader::Address(services.proxies.client_of(request.request())),
    };
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let turn = if is_read {
        if let Some(principal) = &principal {
            services.limits.read(&principal.id).map_err(ApiError::from)?;
        }
        Some(services.reads.begin(reader).await)
    } else {
        None
    };
    let response = next.call(request).await?;
    drop(turn);
    if let (true, Some(principal)) = (is_read, &principal) {
        charge(&api, principal, response.response().body().size());
    }
    Ok(response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) if bytes.len() >= HELD_FROM => EitherBody::left(services.reads.hold(reader, bytes)),
        Ok(bytes) => EitherBody::right(BoxBody::new(bytes)),
        Err(body) => EitherBody::right(BoxBody::new(body)),
    }))
}

fn charge(api: &Api, principal: &Principal, size: BodySize) {
    let bytes = match size {
        BodySize::Sized(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        BodySize::None | BodySize::Stream => 0,
    };
    api.services.limits.has_read(&principal.id, bytes);
}
