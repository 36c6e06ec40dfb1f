//! Limits, time limits and policies of an engine. Every queue, buffer and wait has its bound here.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;

use crate::cors::CorsConfig;

/// Limits, time limits and policies of an engine. The defaults are those of the reference server where it has them.
///
/// ```
/// use std::time::Duration;
///
/// use actix_engineio::EngineConfig;
///
/// let config = EngineConfig {
///     path: "/engine.io".to_owned(),
///     ping_interval: Duration::from_secs(10),
///     max_payload: 64 * 1024,
///     ..EngineConfig::default()
/// };
/// assert_eq!(config.ping_timeout, Duration::from_secs(20));
/// ```
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Path of the routes, without the trailing slash. Default `/socket.io`.
    pub path: String,
    /// Time between the opening of a session, or the client's last pong, and the next ping. Default 25 s.
    pub ping_interval: Duration,
    /// Time a client has to answer a ping. Default 20 s.
    pub ping_timeout: Duration,
    /// Time from the WebSocket handshake to the `5` packet that completes an upgrade. Default 10 s.
    pub upgrade_timeout: Duration,
    /// Maximum size of a packet, frame, message and polling body, in bytes, in both directions. Default 1 000 000.
    pub max_payload: usize,
    /// Maximum size of an incoming packet, frame, message and polling body of a session whose application has not set
    /// another with [`SessionHandle::set_max_payload`](crate::SessionHandle::set_max_payload), in bytes: what a client
    /// can make the server keep before the application knows who it is. Default 1 000 000.
    pub initial_max_payload: usize,
    /// Maximum number of packets in one polling body from a client. Default 10 000.
    pub max_packets_per_payload: usize,
    /// Maximum bytes queued for one session's client; each packet counts 64 bytes more than its length. When it is
    /// exceeded, volatile packets are dropped, and if that is not enough the session is closed. Default 1 MiB.
    pub outgoing_budget: usize,
    /// Maximum bytes copied into one write on a WebSocket. Default 64 KiB.
    pub write_chunk: usize,
    /// Time a closing WebSocket has to send what is queued. Default 10 s.
    pub close_timeout: Duration,
    /// How long a polling session closed by the server is kept while no request waits, so that the next request learns
    /// of the close. Default 30 s.
    pub polling_close_timeout: Duration,
    /// Time a [`Connection`](crate::Connection) has to finish after its session is gone, before it is dropped. Default
    /// 30 s.
    pub finish_timeout: Duration,
    /// Polling bodies of at least this many bytes are compressed if the client accepts gzip; `None` disables
    /// compression. Default 1024.
    pub compression_threshold: Option<usize>,
    /// Whether polling sessions may upgrade to a WebSocket. Default `true`.
    pub allow_upgrades: bool,
    /// Maximum length of a request's query string, in bytes. Default 4096.
    pub max_query: usize,
    /// Names of the request headers that are kept with a session for the application, in lower case. Default:
    /// `authorization`, `cookie`, `origin`, `user-agent`, `x-forwarded-for`.
    pub kept_headers: Vec<String>,
    /// Maximum length of a kept header's value, in bytes; a longer one is not kept. Default 4096.
    pub max_header: usize,
    /// Maximum number of concurrent sessions. Default 200 000.
    pub max_sessions: usize,
    /// Maximum number of concurrent sessions from one [`ip_prefix`](crate::ip_prefix). Behind a proxy, set
    /// [`EngineConfig::client_address`] too. Default 200 000.
    pub max_sessions_per_address: usize,
    /// Maximum number of handshakes a second from all addresses, with a burst of the same size. Default 20 000.
    pub max_handshakes_per_second: u32,
    /// Source of a client's address. Default: the connection's peer address.
    pub client_address: ClientAddress,
    /// Which origins may connect, and which CORS headers responses carry. Default: every origin, and none.
    pub cors: CorsConfig,
}

/// Source of a client's address.
#[derive(Debug, Clone)]
pub enum ClientAddress {
    /// The peer address of the connection.
    Peer,
    /// An entry of `X-Forwarded-For`, counted from the right.
    ForwardedFor {
        /// Number of entries to skip: the trusted proxies between the nearest one and the client.
        skip: usize,
    },
    /// The application's own function.
    Resolver(AddressResolver),
}

/// A function that finds a client's address in a request.
///
/// ```
/// use actix_engineio::{AddressResolver, ClientAddress, EngineConfig};
///
/// let resolver = AddressResolver::new(|request| request.headers().get("x-real-ip")?.to_str().ok()?.parse().ok());
/// let config = EngineConfig { client_address: ClientAddress::Resolver(resolver), ..EngineConfig::default() };
/// ```
#[derive(Clone)]
pub struct AddressResolver(Arc<Resolve>);

type Resolve = dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync;

impl AddressResolver {
    /// A resolver that calls `resolve` once for each handshake. `None` exempts the client from limits per address.
    pub fn new(resolve: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Arc::new(resolve))
    }

    pub(crate) fn resolve(&self, request: &HttpRequest) -> Option<IpAddr> {
        (self.0)(request)
    }
}

impl fmt::Debug for AddressResolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AddressResolver")
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            path: "/socket.io".to_owned(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            max_payload: 1_000_000,
            initial_max_payload: 1_000_000,
            max_packets_per_payload: 10_000,
            outgoing_budget: 1024 * 1024,
            write_chunk: 64 * 1024,
            close_timeout: Duration::from_secs(10),
            polling_close_timeout: Duration::from_secs(30),
            finish_timeout: Duration::from_secs(30),
            compression_threshold: Some(1024),
            allow_upgrades: true,
            max_query: 4096,
            kept_headers: ["authorization", "cookie", "origin", "user-agent", "x-forwarded-for"]
                .map(str::to_owned)
                .into(),
            max_header: 4096,
            max_sessions: 200_000,
            max_sessions_per_address: 200_000,
            max_handshakes_per_second: 20_000,
            client_address: ClientAddress::Peer,
            cors: CorsConfig::default(),
        }
    }
}
