//! What a session keeps of the request that opened it.
//!
//! Values are copied: a header value in actix-web is a slice of the connection's read buffer, and keeping one would keep
//! the entire buffer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_web::HttpRequest;

use crate::config::{ClientAddress, EngineConfig};

/// What a session keeps of the request that opened it.
#[derive(Debug, Clone, Default)]
pub struct SessionRequest {
    /// The query string, without the `?`.
    pub query: Box<str>,
    /// The headers named in [`EngineConfig::kept_headers`].
    pub headers: Headers,
    /// Peer address of the connection; a proxy's, if there is one.
    pub peer_address: Option<SocketAddr>,
    /// The client's address, from the source set as [`EngineConfig::client_address`].
    pub client_address: Option<IpAddr>,
}

/// A few headers in a compact form. A clone costs a reference count.
#[derive(Debug, Clone, Default)]
pub struct Headers(Arc<[(Box<str>, Box<str>)]>);

impl Headers {
    /// The value of a header, by its name in lower case. A value that is not visible ASCII is not kept.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(kept, _)| kept.as_ref() == name).map(|(_, value)| value.as_ref())
    }
}

impl SessionRequest {
    /// Copies what the configuration asks for.
    pub(crate) fn copy_from(request: &HttpRequest, config: &EngineConfig) -> Self {
        let kept = |name: &String| {
            let value = request.headers().get(name.as_str())?.to_str().ok()?;
            (value.len() <= config.max_header).then(|| (name.to_ascii_lowercase().into(), value.into()))
        };
        Self {
            query: request.query_string().into(),
            headers: Headers(config.kept_headers.iter().filter_map(kept).collect()),
            peer_address: request.peer_addr(),
            client_address: client_address(request, &config.client_address),
        }
    }
}

/// The client's address, from the configured source.
pub(crate) fn client_address(request: &HttpRequest, source: &ClientAddress) -> Option<IpAddr> {
    match source {
        ClientAddress::Peer => request.peer_addr().map(|address| address.ip()),
        ClientAddress::Resolver(resolver) => resolver.resolve(request),
        ClientAddress::ForwardedFor { skip } => {
            request.headers().get("x-forwarded-for")?.to_str().ok()?.rsplit(',').nth(*skip)?.trim().parse().ok()
        }
    }
}
