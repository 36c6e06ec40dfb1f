//! HTTP: listening, connections, timeouts, shutdown.

use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};
use super::threads_or_cores;
use crate::client_ip::Network;

/// HTTP: listening, connections, timeouts, shutdown.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Address to listen on. Allowed: an IP address. Default: `"127.0.0.1"`; production: `"0.0.0.0"`.
    pub host: String,
    /// Whether a development server may listen on other than loopback addresses with the default `auth.jwt_secret`, with
    /// which any client can sign tokens. It logs a warning; production refuses that secret in any case. Allowed: `true`,
    /// `false`. Default: `false`.
    pub allow_development_secret: bool,
    /// Port to listen on; 0 takes a free one. Allowed: 0 to 65535. Default: `1500`.
    pub port: u32,
    /// HTTP worker threads; 0 means one per core. Allowed: 0 to 512. Default: `0`.
    pub workers: usize,
    /// Connections that may wait to be accepted. Allowed: 1 to 65535. Default: `4096`.
    pub backlog: u32,
    /// Open connections per worker. The server lowers this at the start, and logs it, if the system allows too few open
    /// files. On up to 16 further connections requests are answered 503, except those for `/health/`; the rest waits in
    /// `server.backlog`. Allowed: 1 to 1000000. Default: `25000`.
    pub max_connections: usize,
    /// Open connections from one IPv4 address or IPv6 /64 network; further ones are closed at once. Does not apply to
    /// `server.trusted_proxies`. Allowed: 1 to 1000000. Default: `20000`.
    pub max_connections_per_address: usize,
    /// Seconds before a connection is closed on which nothing has been received. Allowed: 1 to 3600. Default: `15`.
    pub unused_connection_seconds: u64,
    /// Milliseconds that a client may take to send the head of a request, from its first byte, before it is answered 408.
    /// Allowed: 100 to 120000. Default: `5000`.
    pub head_timeout_ms: u64,
    /// Seconds before an idle HTTP connection is closed. Allowed: 1 to 3600. Default: `75`.
    pub keep_alive_seconds: u64,
    /// Seconds before a connection is closed whose client reads nothing of what it is sent. Allowed: 1 to 3600.
    /// Default: `60`.
    pub unread_timeout_seconds: u64,
    /// Bytes of a JSON request body. Allowed: 1024 to 16777216. Default: `262144`.
    pub body_limit_bytes: usize,
    /// Milliseconds before a request is answered 503. Allowed: 100 to 120000. Default: `10000`.
    pub request_timeout_ms: u64,
    /// Milliseconds that a client may take to send a request's body before it is answered 408. Allowed: 100 to 120000.
    /// Default: `5000`.
    pub body_timeout_ms: u64,
    /// Milliseconds that a shutdown may take. Allowed: 100 to 300000. Default: `10000`.
    pub drain_timeout_ms: u64,
    /// Proxies whose `X-Forwarded-For` is trusted; from any other address the header is ignored. Allowed: addresses and
    /// networks such as `10.0.0.0/8`. Default: `[]`.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<Network>,
}

impl ServerSettings {
    /// The limit of actix-server.
    const MAX_WORKERS: usize = 512;

    /// The number of workers: [`ServerSettings::workers`], with 0 resolved.
    #[must_use]
    pub fn worker_threads(&self) -> usize {
        threads_or_cores(self.workers).min(Self::MAX_WORKERS)
    }

    /// [`ServerSettings::request_timeout_ms`] as a duration.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// [`ServerSettings::body_timeout_ms`] as a duration.
    #[must_use]
    pub fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    /// [`ServerSettings::unread_timeout_seconds`] as a duration.
    #[must_use]
    pub fn unread_timeout(&self) -> Duration {
        Duration::from_secs(self.unread_timeout_seconds)
    }

    /// [`ServerSettings::drain_timeout_ms`] as a duration.
    #[must_use]
    pub fn drain_timeout(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms)
    }

    pub(super) fn invalid(&self) -> Vec<InvalidSetting> {
        let host = self.host.parse::<IpAddr>().is_err().then(|| InvalidSetting {
            key: "server.host",
            got: format!("{:?}", self.host),
            allowed: "an IP address".to_owned(),
        });
        let ranges = [
            outside("server.port", self.port, 0..=65_535),
            outside("server.workers", self.workers, 0..=Self::MAX_WORKERS),
            outside("server.backlog", self.backlog, 1..=65_535),
            outside("server.max_connections", self.max_connections, 1..=1_000_000),
            outside("server.max_connections_per_address", self.max_connections_per_address, 1..=1_000_000),
            outside("server.unused_connection_seconds", self.unused_connection_seconds, 1..=3600),
            outside("server.head_timeout_ms", self.head_timeout_ms, 100..=120_000),
            outside("server.keep_alive_seconds", self.keep_alive_seconds, 1..=3600),
            outside("server.unread_timeout_seconds", self.unread_timeout_seconds, 1..=3600),
            outside("server.body_limit_bytes", self.body_limit_bytes, 1024..=16_777_216),
            outside("server.request_timeout_ms", self.request_timeout_ms, 100..=120_000),
            outside("server.body_timeout_ms", self.body_timeout_ms, 100..=120_000),
            outside("server.drain_timeout_ms", self.drain_timeout_ms, 100..=300_000),
        ];
        host.into_iter().chain(ranges.into_iter().flatten()).collect()
    }
}
