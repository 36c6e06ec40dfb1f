//! The body of a request: JSON, read into a typed shape.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::api_error::{ApiError, Code, FieldError};

/// A body as a handler wants it.
pub(super) struct Json<Body>(pub(super) Body);

impl<Body: DeserializeOwned + 'static> FromRequest for Json<Body> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = JsonBytes::from_request(request, payload);
        Box::pin(async move { parse(&body.await?.0).map(Self) })
    }
}

/// A body that says it is JSON, as it was sent.
pub(super) struct JsonBytes(pub(super) Bytes);

impl FromRequest for JsonBytes {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        // It was read, and held to its limit, by `exchange`.
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(ApiError::new(Code::UnsupportedMediaType, "The request body must be application/json"));
            }
            body.await.map(Self).map_err(|_| malformed())
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Reads JSON; a field of the wrong type is named.
pub(crate) fn parse<Body: DeserializeOwned>(body: &[u8]) -> Result<Body, ApiError> {
    // A struct can be read from an array too: its fields in order, which nobody means.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(no_object());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        if error.inner().is_data() && field != "." {
            ApiError::validation(vec![FieldError {
                message: format!("{field} has the wrong type"),
                field: field.into(),
            }])
        } else if error.inner().is_data() {
            no_object()
        } else {
            malformed()
        }
    })?;
    deserializer.end().map_err(|_| malformed())?;
    Ok(parsed)
}

fn no_object() -> ApiError {
    ApiError::new(Code::ValidationError, "The request body must be a JSON object")
}

fn malformed() -> ApiError {
    ApiError::new(Code::ValidationError, "The request body is not valid JSON")
}
