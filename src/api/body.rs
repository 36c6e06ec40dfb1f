//! The body of a request: JSON, read into a typed shape.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::domain::TextError;
use crate::failure::{Code, Failure, FieldError};

/// A body as a handler wants it.
pub(super) struct Json<Body>(pub(super) Body);

impl<Body: DeserializeOwned + 'static> FromRequest for Json<Body> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = JsonBytes::from_request(request, payload);
        Box::pin(async move { parse(&body.await?.0).map(Self) })
    }
}

/// A body that says it is JSON, as it was sent.
pub(super) struct JsonBytes(pub(super) Bytes);

impl FromRequest for JsonBytes {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        // It was read, and held to its limit, by `exchange`.
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(Failure::new(Code::UnsupportedMediaType, "The request body must be application/json"));
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
pub(crate) fn parse<Body: DeserializeOwned>(body: &[u8]) -> Result<Body, Failure> {
    // A struct can be read from an array too: its fields in order, which nobody means.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(no_object());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        if error.inner().is_data() && field != "." {
            Failure::validation(vec![FieldError {
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

fn no_object() -> Failure {
    Failure::new(Code::ValidationError, "The request body must be a JSON object")
}

fn malformed() -> Failure {
    Failure::new(Code::ValidationError, "The request body is not valid JSON")
}

/// Each of some values, with the word that clients have for it.
pub(crate) fn words<T: Copy>(
    all: &'static [T],
    spelled: impl Fn(T) -> &'static str,
) -> impl Iterator<Item = (&'static str, T)> {
    all.iter().map(move |value| (spelled(*value), *value))
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

    /// A field that takes one of a few words.
    pub(crate) fn one_of<T>(
        &mut self,
        name: &'static str,
        value: Option<&str>,
        words: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Option<T> {
        let value = value?;
        let mut others = Vec::new();
        for (word, meaning) in words {
            if word == value {
                return Some(meaning);
            }
            others.push(word);
        }
        self.fault(name, format!("{name} must be one of {}", others.join(", ")));
        None
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
