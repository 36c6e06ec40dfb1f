//! Which origins may connect, and what browsers are told about it.
//!
//! A browser asks before it polls another origin and obeys the answer; for a WebSocket it only says its `Origin`. So an
//! origin that is not allowed is refused at the handshake of either transport, and the CORS headers stand on every
//! answer, errors too.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct CorsConfig {
    /// Which origins may connect. Default: all, and no CORS header is sent.
    pub origins: Origins,
    /// Whether browsers may send cookies and `Authorization` to another origin. Default no.
    pub credentials: bool,
}

/// A set of origins, as in `https://example.org`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// All may connect. No header is sent, so that browsers poll their own origin only; for a server whose proxy sees
    /// to CORS.
    #[default]
    Unchecked,
    /// All may connect, and browsers are told so.
    Any,
    /// These, and clients that send no origin.
    Only(Vec<String>),
}

impl CorsConfig {
    /// Whether a request may open a session.
    pub(crate) fn allows(&self, request: &HttpRequest) -> bool {
        match (&self.origins, request.headers().get(header::ORIGIN)) {
            (Origins::Only(origins), Some(origin)) => is_listed(origins, origin),
            _ => true,
        }
    }

    /// The answer to a browser that asks before it sends; `None` for any other request.
    pub(crate) fn preflight(&self, request: &HttpRequest) -> Option<HttpResponse> {
        if request.method() != Method::OPTIONS || self.origins == Origins::Unchecked {
            return None;
        }
        let mut response = HttpResponseBuilder::new(StatusCode::NO_CONTENT);
        response.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET,POST"));
        if let Some(asked) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone()));
        }
        Some(response.finish())
    }

    /// Puts the CORS headers on an answer.
    pub(crate) fn mark(&self, request: &HttpRequest, headers: &mut HeaderMap) {
        let origin = request.headers().get(header::ORIGIN);
        let allowed = match &self.origins {
            Origins::Unchecked => return,
            // With credentials browsers do not accept the star.
            Origins::Any if self.credentials => origin.cloned(),
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::Only(origins) => origin.filter(|origin| is_listed(origins, origin)).cloned(),
        };
        if self.origins != Origins::Any || self.credentials {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        let Some(allowed) = allowed else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if self.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

fn is_listed(origins: &[String], origin: &HeaderValue) -> bool {
    origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
}
