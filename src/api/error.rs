//! Error answers, including 404 for an unknown path and 405 (`decisions.md`, "Envelope and errors").

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use schemars::JsonSchema;
use serde::Serialize;

use super::Api;
use super::deadline::discard;
use crate::api_error::{ApiError, Code, FieldError};

/// `Retry-After` where the error names no time. One second suits both causes: a lost database connection is restored at
/// once, and an overload ends when the queue is written.
const RETRY_AFTER_SECONDS: u64 = 1;

/// `X-Content-Type-Options` of every answer: a browser must not guess that a customer's text is a page.
pub(super) const NOSNIFF: &str = "nosniff";

/// `Cache-Control` of every answer that does not set its own: conversations are nothing for a cache to keep.
pub(super) const NO_STORE: &str = "no-store";

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
        response.insert_header((X_CONTENT_TYPE_OPTIONS, NOSNIFF)).insert_header((CACHE_CONTROL, NO_STORE));
        if self.code.is_retryable() {
            response.insert_header((RETRY_AFTER, self.retry_after.unwrap_or(RETRY_AFTER_SECONDS)));
        }
        if self.code == Code::Unauthorized {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if self.code == Code::RequestTimeout {
            // The rest of the body would be read as the next request.
            response.force_close();
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
    discard(payload.into_inner(), request.headers(), &api).await;
    Err(ApiError::new(Code::NotFound, format!("Cannot {} {}", request.method(), request.path())))
}
