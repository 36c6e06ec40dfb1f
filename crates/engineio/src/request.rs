//! What is kept of the request that opened a session.
//!
//! Copies, never slices: a header's value in actix-web shares the connection's read buffer, and keeping one keeps all
//! of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_web::HttpRequest;

use crate::config::{ClientAddress, EngineConfig};

/// What is kept of the request that opened a session.
#[derive(Debug, Clone, Default)]
pub struct SessionRequest {
    /// The query string, without the `?`.
    pub query: Box<str>,
    /// The configured headers that were there.
    pub headers: Headers,
    /// The other end of the connection, a proxy perhaps.
    pub remote_address: Option<SocketAddr>,
    /// The client's address, read where the configuration says.
    pub address: Option<IpAddr>,
}

/// A few headers, in as little room as they take. A clone costs a reference count.
#[derive(Debug, Clone, Default)]
pub struct Headers(Arc<[(Box<str>, Box<str>)]>);

impl Headers {
    /// The value of a header, by its name in lower case. Headers whose values are no text are not kept.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(kept, _)| kept.as_ref() == name).map(|(_, value)| value.as_ref())
    }

    /// Names, in lower case, and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(headers: I) -> Self {
        Self(headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase().into(), value.into())).collect())
    }
}

impl SessionRequest {
    /// Takes from a request what the configuration says.
    pub(crate) fn of(request: &HttpRequest, config: &EngineConfig) -> Self {
        Self {
            query: request.query_string().into(),
            headers: config
                .kept_headers
                .iter()
                .filter_map(|name| {
                    let value = request.headers().get(name.as_str())?.to_str().ok()?;
                    (value.len() <= config.max_header).then_some((name.as_str(), value))
                })
                .collect(),
            remote_address: request.peer_addr(),
            address: client_address(request, &config.client_address),
        }
    }
}

/// The client's address, read where the configuration says.
pub(crate) fn client_address(request: &HttpRequest, source: &ClientAddress) -> Option<IpAddr> {
    match source {
        ClientAddress::Peer => request.peer_addr().map(|address| address.ip()),
        ClientAddress::Asked(application) => application.ask(request),
        ClientAddress::ForwardedFor { skip } => {
            request.headers().get("x-forwarded-for")?.to_str().ok()?.rsplit(',').nth(*skip)?.trim().parse().ok()
        }
    }
}
