//! What a client says to join a namespace, and how it is refused.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;

use engineio::{Headers, SessionRequest};

/// What a namespace's middleware decides on.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// The namespace that the client wants to join.
    pub namespace: Arc<str>,
    /// What the client says of itself, always an object.
    pub auth: Option<Value>,
    /// The kept headers of the request that opened the session.
    pub headers: Headers,
    /// Its query string, without the `?`.
    pub query: String,
    /// The other end of its connection, a proxy perhaps.
    pub remote_address: Option<SocketAddr>,
    /// The client's address, read where the engine's configuration says.
    pub address: Option<IpAddr>,
}

impl Handshake {
    pub(crate) fn new(namespace: Arc<str>, auth: Option<Value>, request: &SessionRequest) -> Self {
        Self {
            namespace,
            auth,
            headers: request.headers.clone(),
            query: request.query.to_string(),
            remote_address: request.peer_address,
            address: request.client_address,
        }
    }
}

/// Why a client may not join: the content of its `connect_error`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectRefusal {
    /// For people.
    pub message: String,
    /// For programs.
    pub data: Option<Value>,
}

impl ConnectRefusal {
    /// A refusal with a message alone.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), data: None }
    }
}
