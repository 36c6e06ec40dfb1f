//! The input and the negative outcome of a namespace's middleware.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use engineio::{Headers, SessionRequest};
use serde_json::Value;

/// What a namespace's middleware decides on: the CONNECT packet and the HTTP request of its session.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// The namespace that the client connects to.
    pub namespace: Arc<str>,
    /// The auth payload of the CONNECT packet, always an object.
    pub auth: Option<Value>,
    /// The headers of the HTTP request that opened the session, as far as the engine keeps them
    /// ([`EngineConfig::kept_headers`](engineio::EngineConfig::kept_headers)).
    pub headers: Headers,
    /// The query string of that request, without the `?`.
    pub query: String,
    /// The peer address of the TCP connection, possibly a proxy.
    pub peer_address: Option<SocketAddr>,
    /// The client's address, determined by
    /// [`EngineConfig::client_address`](engineio::EngineConfig::client_address).
    pub client_address: Option<IpAddr>,
}

impl Handshake {
    pub(crate) fn new(namespace: Arc<str>, auth: Option<Value>, request: &SessionRequest) -> Self {
        Self {
            namespace,
            auth,
            headers: request.headers.clone(),
            query: request.query.to_string(),
            peer_address: request.peer_address,
            client_address: request.client_address,
        }
    }
}

/// Why a client may not join a namespace: the content of its `connect_error`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectRefusal {
    /// Text for people.
    pub message: String,
    /// Data for programs.
    pub data: Option<Value>,
}

impl ConnectRefusal {
    /// A refusal without data.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), data: None }
    }
}
