//! One request, one answer, in time.
//!
//! Around every route of the API: the body is read whole before anything is done, because a connection on which an
//! answer overtakes its request's body cannot be used again; and the answer is there by the deadline, whatever the
//! database does.

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::Api;
use crate::api_error::{ApiError, Code};

/// The middleware.
pub(super) async fn exchange(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(api) = request.app_data::<web::Data<Api>>().cloned() else { return Err(ApiError::internal().into()) };
    let answered = async {
        let payload = request.take_payload();
        let body = whole(payload, announced_length(&request), api.body_limit).await?;
        request.set_payload(Payload::from(body));
        next.call(request).await
    };
    match tokio::time::timeout(api.request_timeout, answered).await {
        Ok(answer) => answer,
        Err(_) => Err(ApiError::unavailable().into()),
    }
}

/// Reads a body that nobody wants, within the same limits, so that its connection can be used again.
pub(super) async fn discard(payload: Payload, api: &Api) {
    // Where it is too large or too slow the connection ends with the answer.
    let _ = tokio::time::timeout(api.request_timeout, whole(payload, None, api.body_limit)).await;
}

fn announced_length(request: &ServiceRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn whole(mut payload: Payload, announced: Option<usize>, limit: usize) -> Result<Bytes, ApiError> {
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(Code::ValidationError, "The request body could not be read"))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(Code::PayloadTooLarge, format!("The request body must be at most {limit} bytes"))
}
