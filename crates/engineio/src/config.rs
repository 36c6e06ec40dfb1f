//! What an operator can set. Every limit of the engine stands here; nothing in it is unbounded.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;

use crate::cors::CorsConfig;

/// Limits and times of the engine. The defaults are those of the reference server where it has them.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Path that the routes are mounted on, without the trailing slash. Default `/socket.io`.
    pub path: String,
    /// Time between a client's pong (or the opening) and the next ping. Default 25 s.
    pub ping_interval: Duration,
    /// Time a client has to answer a ping. Default 20 s.
    pub ping_timeout: Duration,
    /// Time from the WebSocket's handshake to the `5` that completes an upgrade. Default 10 s.
    pub upgrade_timeout: Duration,
    /// Longest packet, frame, message and polling body, in bytes, both ways. Default 1 000 000.
    pub max_payload: usize,
    /// Most packets in one polling body from a client. Default 10 000.
    pub max_packets_per_payload: usize,
    /// Most bytes that wait for one session's client, each packet counted with 64 bytes on top. Over it volatile
    /// packets are dropped, then the session is closed. Default 1 MiB.
    pub outgoing_budget: usize,
    /// Most bytes copied into one write on a WebSocket. Default 64 KiB.
    pub write_chunk: usize,
    /// Time that a closing WebSocket has to take what is queued. Default 10 s.
    pub close_timeout: Duration,
    /// Time that a closed polling session with no request waiting is kept, so that the next one learns of it. Default
    /// 30 s.
    pub polling_close_timeout: Duration,
    /// Time that the application has to finish with a session that is gone, before what it runs is dropped. Default
    /// 30 s.
    pub finish_timeout: Duration,
    /// Polling bodies from this many bytes are compressed where the client accepts gzip; `None`: never. Default 1024.
    pub compression_threshold: Option<usize>,
    /// Whether polling sessions may upgrade to a WebSocket. Default yes.
    pub allow_upgrades: bool,
    /// Longest query string of a request, in bytes. Default 4096.
    pub max_query: usize,
    /// Request headers that are kept with a session for the application, none that is longer than `max_header`.
    /// Default: `authorization`, `cookie`, `origin`, `user-agent`, `x-forwarded-for`.
    pub kept_headers: Vec<String>,
    /// Longest kept header, in bytes; longer ones are left out. Default 4096.
    pub max_header: usize,
    /// Most sessions at a time. Default 200 000.
    pub max_sessions: usize,
    /// Most sessions at a time from one address, of IPv6 from one network of 64 bits. Behind a proxy set
    /// [`EngineConfig::client_address`] too. Default 200 000.
    pub max_sessions_per_address: usize,
    /// Most handshakes a second, all addresses together, with a burst of as many. Default 20 000.
    pub max_handshakes_per_second: u32,
    /// Where a client's address is read. Default: the connection's.
    pub client_address: ClientAddress,
    /// Which origins may connect, and what browsers are told. Default: every origin may, and no CORS header is sent.
    pub cors: CorsConfig,
}

/// Where a client's address is read.
#[derive(Debug, Clone)]
pub enum ClientAddress {
    /// The other end of the connection.
    Peer,
    /// `X-Forwarded-For`, skipping from the right as many entries as there are trusted proxies besides the nearest.
    ForwardedFor {
        /// Trusted proxies between the nearest one and the client.
        skip: usize,
    },
    /// Where the application says, asked with the whole request.
    Asked(AskAddress),
}

/// The application's say on a client's address.
#[derive(Clone)]
pub struct AskAddress(Arc<Ask>);

type Ask = dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync;

impl AskAddress {
    /// Asks this.
    pub fn new(ask: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    pub(crate) fn ask(&self, request: &HttpRequest) -> Option<IpAddr> {
        (self.0)(request)
    }
}

impl fmt::Debug for AskAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AskAddress")
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
