//! Cross-origin access: which origins may open a session, and the CORS headers of responses.
//!
//! Browsers enforce CORS for polling but not for WebSockets, for which they only send `Origin`. So the handshake of
//! either transport refuses an origin that is not allowed. Error responses carry the CORS headers too, or browsers would
//! hide the error from the page.

use std::fmt;
use std::sync::Arc;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

/// Cross-origin access.
///
/// ```
/// use actix_engineio::{CorsConfig, EngineConfig, Origins};
///
/// let origins = Origins::Only(vec!["https://example.org".to_owned()]);
/// let cors = CorsConfig { origins, credentials: true, ..CorsConfig::default() };
/// let config = EngineConfig { cors, ..EngineConfig::default() };
/// ```
#[derive(Debug, Clone, Default)]
pub struct CorsConfig {
    /// Which origins may connect. Default [`Origins::Unchecked`].
    pub origins: Origins,
    /// Whether pages of other origins may send cookies and `Authorization`. Default `false`.
    pub credentials: bool,
    /// Allows requests whose origin is not among [`Origins::Only`], such as those of the server's own pages. They need no
    /// CORS headers and get none. Default: none.
    pub also_allowed: Option<OriginCheck>,
}

/// A function that decides whether a request's origin may open a session.
#[derive(Clone)]
pub struct OriginCheck(Arc<CheckOrigin>);

type CheckOrigin = dyn Fn(&HttpRequest) -> bool + Send + Sync;

impl OriginCheck {
    /// A check that calls `allows` for each handshake with an `Origin` that is not listed.
    pub fn new(allows: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(allows))
    }
}

impl fmt::Debug for OriginCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OriginCheck")
    }
}

/// A set of origins. An origin has the form `https://example.org`, with the port unless it is the default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// Every origin may connect, and no CORS header is sent: browsers then poll from the server's own origin only. For
    /// servers whose proxy or middleware handles CORS.
    #[default]
    Unchecked,
    /// Every origin may connect, and CORS headers allow it.
    Any,
    /// These origins may connect, and clients that send no `Origin`.
    Only(Vec<String>),
}

impl CorsConfig {
    /// Whether the request's origin may open a session.
    pub(crate) fn allows(&self, request: &HttpRequest) -> bool {
        match (&self.origins, request.headers().get(header::ORIGIN)) {
            (Origins::Only(origins), Some(origin)) => {
                is_listed(origins, origin) || self.also_allowed.as_ref().is_some_and(|check| (check.0)(request))
            }
            _ => true,
        }
    }

    /// The response to a preflight request; `None` for any other request.
    pub(crate) fn preflight(&self, request: &HttpRequest) -> Option<HttpResponse> {
        if request.method() != Method::OPTIONS || self.origins == Origins::Unchecked {
            return None;
        }
        let mut response = HttpResponseBuilder::new(StatusCode::NO_CONTENT);
        response.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET,POST"));
        if let Some(requested) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, requested.clone()));
        }
        Some(response.finish())
    }

    /// Adds the CORS headers to a response.
    pub(crate) fn add_headers(&self, request: &HttpRequest, headers: &mut HeaderMap) {
        let origin = request.headers().get(header::ORIGIN);
        let allowed = match &self.origins {
            Origins::Unchecked => return,
            // Browsers refuse the wildcard for requests with credentials.
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
