//! Extractors for JSON bodies.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::api_error::{ApiError, Code, FieldError};
use socketio::lenient_json;

/// A deserialized body.
pub(super) struct Json<Body>(pub(super) Body);

impl<Body: DeserializeOwned + 'static> FromRequest for Json<Body> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = JsonBytes::from_request(request, payload);
        Box::pin(async move { parse(&body.await?.0).map(Self) })
    }
}

/// A deserialized body, or the default of an empty one, which needs no content type.
pub(super) struct OptionalJson<Body>(pub(super) Body);

impl<Body: DeserializeOwned + Default + 'static> FromRequest for OptionalJson<Body> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            let body = body.await.map_err(|_| malformed())?;
            match (body.trim_ascii().is_empty(), is_json) {
                (true, _) => Ok(Self(Body::default())),
                (false, true) => parse(&body).map(Self),
                (false, false) => Err(not_json()),
            }
        })
    }
}

fn not_json() -> ApiError {
    ApiError::new(Code::UnsupportedMediaType, "The request body must be application/json")
}

/// The bytes of a body with the content type `application/json`.
pub(super) struct JsonBytes(pub(super) Bytes);

impl FromRequest for JsonBytes {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        // The deadline middleware has buffered the body and enforced its limit.
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(not_json());
            }
            body.await.map(Self).map_err(|_| malformed())
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Deserializes a JSON object; the error names a field of the wrong type.
pub(super) fn parse<Body: DeserializeOwned>(body: &[u8]) -> Result<Body, ApiError> {
    // serde also reads a struct from an array of its fields, which no client means.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(not_an_object());
    }
    // Clients in JavaScript send half an emoji where they cut a text (`additions.md`, 1).
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let text = lenient_json(text);
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        if error.inner().is_data() && field != "." {
            ApiError::validation(vec![FieldError {
                message: format!("{field} has the wrong type"),
                field: field.into(),
            }])
        } else if error.inner().is_data() {
            not_an_object()
        } else {
            malformed()
        }
    })?;
    deserializer.end().map_err(|_| malformed())?;
    Ok(parsed)
}

fn not_an_object() -> ApiError {
    ApiError::new(Code::ValidationError, "The request body must be a JSON object")
}

fn malformed() -> ApiError {
    ApiError::new(Code::ValidationError, "The request body is not valid JSON")
}
