//! `x-request-id`: the id of a request in the log, so that a customer's report can be found there.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use tracing_actix_web::RequestId;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id that the tracing middleware gave the request.
pub(super) fn request_id(request: &ServiceRequest) -> Option<HeaderValue> {
    let id = request.extensions().get::<RequestId>().map(ToString::to_string)?;
    HeaderValue::from_str(&id).ok()
}

/// Adds the id to an answer.
pub(super) fn insert(headers: &mut HeaderMap, id: Option<HeaderValue>) {
    if let Some(id) = id {
        headers.insert(X_REQUEST_ID, id);
    }
}
