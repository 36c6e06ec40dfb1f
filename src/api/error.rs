//! Error answers, including 404 for an unknown path and 405 (`decisions.md`, "Envelope and errors").

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::Api;
use super::deadline::discard;
use crate::api_error::{ApiError, Code, FieldError};

/// `Retry-After` where the error names no time. One second suits both causes: a lost database connection is restored at
/// once, and an overload ends when the queue is written.
const RETRY_AFTER_SECONDS: u64 = 1;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Error")]
pub(super) struct ErrorBody<'a> {
    #[schemars(extend("const" = false))]
    success: bool,
    status_code: u16,
    #[schemars(with = "String")]
    error: &'static str,
    message: &'a str,
    code: Code,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    details: &'a [FieldError],
}

impl<'a> ErrorBody<'a> {
    pub(super) fn new(error: &'a ApiError) -> Self {
        let status = error.status_code();
        Self {
            success: false,
            status_code: status.as_u16(),
            error: status.canonical_reason().unwrap_or("Error"),
            message: &error.message,
            code: error.code,
            details: &error.details,
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        if self.code.is_retryable() {
            response.insert_header((RETRY_AFTER, self.retry_after.unwrap_or(RETRY_AFTER_SECONDS)));
        }
        if self.code == Code::Unauthorized {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(ErrorBody::new(self))
    }
}

/// Answers a path that has no endpoint.
pub(super) async fn unknown_path(
    api: web::Data<Api>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    discard(payload.into_inner(), &api).await;
    Err(ApiError::new(Code::NotFound, format!("Cannot {} {}", request.method(), request.path())))
}
