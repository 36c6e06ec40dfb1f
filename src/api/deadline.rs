//! The middleware around every endpoint: it buffers the request body, and limits the time until the answer.
//!
//! The body is read completely before the handler runs, because HTTP/1.1 cannot reuse a connection whose answer was
//! sent before the request's body was read.

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::Api;
use crate::api_error::{ApiError, Code};

/// Answers 413 if the body is too long, 408 if it arrives too slowly, and 503 if the time for all of it has run out.
pub(super) async fn with_deadline(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(api) = request.app_data::<web::Data<Api>>().cloned() else { return Err(ApiError::internal().into()) };
    let http_request = request.request().clone();
    let answer = async {
        let payload = request.take_payload();
        let reading = read_body(payload, request.headers(), api.body_limit);
        let body = tokio::time::timeout(api.body_timeout, reading).await.unwrap_or_else(|_| Err(too_slow()))?;
        request.set_payload(Payload::from(body));
        next.call(request).await
    };
    let answer = tokio::time::timeout(api.request_timeout, answer).await;
    // An error is answered here: the middlewares around this one add headers to answers only.
    Ok(match answer.unwrap_or_else(|_| Err(ApiError::unavailable().into())) {
        Ok(answer) => answer.map_into_left_body(),
        Err(error) => ServiceResponse::from_err(error, http_request).map_into_right_body(),
    })
}

/// Reads and drops a body within the same limits, so that its connection can be reused.
pub(super) async fn discard(payload: Payload, headers: &HeaderMap, api: &Api) {
    // A body that is too long or too slow closes the connection after the answer.
    let _ = tokio::time::timeout(api.body_timeout, read_body(payload, headers, api.body_limit)).await;
}

async fn read_body(mut payload: Payload, headers: &HeaderMap, limit: usize) -> Result<Bytes, ApiError> {
    let content_length = headers.get(CONTENT_LENGTH);
    // Without either there is no body (RFC 9112, section 6.3), and otherwise none after its announced length. actix-http
    // takes all that follows a request to upgrade for its body, which does not end; such a request is answered as if it
    // did not ask for that (RFC 9110, section 7.8).
    let announced = match content_length {
        None if headers.contains_key(TRANSFER_ENCODING) => None,
        None => Some(0),
        Some(length) => length.to_str().ok().and_then(|length| length.trim().parse::<usize>().ok()),
    };
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut body = BytesMut::new();
    while announced.is_none_or(|length| body.len() < length)
        && let Some(chunk) = payload.next().await
    {
        let chunk = chunk.map_err(|_| ApiError::new(Code::ValidationError, "The request body could not be read"))?;
        let rest = announced.map_or(usize::MAX, |length| length - body.len());
        let chunk = chunk.get(..rest).unwrap_or(&chunk);
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(chunk);
    }
    Ok(body.freeze())
}

fn too_slow() -> ApiError {
    ApiError::new(Code::RequestTimeout, "The request's body did not arrive in time")
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(Code::PayloadTooLarge, format!("The request body must be at most {limit} bytes"))
}
