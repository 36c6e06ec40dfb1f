//! The body of a request: JSON of at most `server.body_limit_bytes`, read into a typed shape.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web};
use bytes::BytesMut;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::Api;
use crate::domain::TextError;
use crate::failure::{Code, Failure, FieldError};

/// A body as a handler wants it.
pub(super) struct Json<Body>(pub(super) Body);

impl<Body: DeserializeOwned + 'static> FromRequest for Json<Body> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<web::Data<Api>>().map_or(0, |api| api.body_limit);
        let form = check_headers(request, limit);
        let payload = payload.take();
        Box::pin(async move {
            form?;
            parse(&read(payload, limit).await?).map(Self)
        })
    }
}

/// Reads a body's bytes, for what must see them as they were sent.
pub(super) async fn bytes(request: &HttpRequest, payload: Payload, limit: usize) -> Result<BytesMut, Failure> {
    check_headers(request, limit)?;
    read(payload, limit).await
}

fn check_headers(request: &HttpRequest, limit: usize) -> Result<(), Failure> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = header(CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !content_type.eq_ignore_ascii_case("application/json") {
        return Err(Failure::new(Code::UnsupportedMediaType, "The request body must be application/json"));
    }
    let length = header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
    if length > limit { Err(too_large(limit)) } else { Ok(()) }
}

fn too_large(limit: usize) -> Failure {
    Failure::new(Code::PayloadTooLarge, format!("The request body must be at most {limit} bytes"))
}

async fn read(mut payload: Payload, limit: usize) -> Result<BytesMut, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Failure::new(Code::ValidationError, "The request body could not be read"))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads JSON; a field of the wrong type is named.
pub(crate) fn parse<Body: DeserializeOwned>(body: &[u8]) -> Result<Body, Failure> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        if error.inner().is_data() && field != "." {
            Failure::validation(vec![FieldError {
                message: format!("{field} has the wrong type"),
                field: field.into(),
            }])
        } else if error.inner().is_data() {
            Failure::new(Code::ValidationError, "The request body must be a JSON object")
        } else {
            malformed()
        }
    })?;
    deserializer.end().map_err(|_| malformed())?;
    Ok(parsed)
}

fn malformed() -> Failure {
    Failure::new(Code::ValidationError, "The request body is not valid JSON")
}

/// Collects what is wrong with the fields of a body, so that a client learns of all of it at once.
#[derive(Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        value: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        let parsed = value.ok_or(TextError::Empty).and_then(parse);
        self.keep(name, parsed)
    }

    /// A field that may be left out, or be null.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        value: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        value.and_then(|value| self.keep(name, parse(value)))
    }

    /// The outcome of a field's own rule.
    pub(crate) fn keep<T>(&mut self, name: &'static str, parsed: Result<T, TextError>) -> Option<T> {
        parsed.map_err(|error| self.fault(name, format!("{name} {error}"))).ok()
    }

    /// A field that breaks its rule.
    pub(crate) fn fault(&mut self, name: &'static str, message: String) {
        self.errors.push(FieldError { field: name.into(), message });
    }

    /// The body, if everything was right.
    pub(crate) fn finish<T>(self, body: Option<T>) -> Result<T, Failure> {
        match body {
            Some(body) if self.errors.is_empty() => Ok(body),
            _ => Err(Failure::validation(self.errors)),
        }
    }
}
