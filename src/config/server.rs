//! How the server listens and answers.

use std::time::Duration;

use serde::Deserialize;

use crate::client_ip::Network;

/// Listening and answering.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Address to listen on. Default `127.0.0.1`, in production `0.0.0.0`.
    pub host: String,
    /// Port to listen on; 0 takes a free one. Default 1500.
    pub port: u32,
    /// HTTP worker threads; 0 means one a core. Default 0.
    pub workers: usize,
    /// Connections that may wait to be accepted. Default 4096.
    pub backlog: u32,
    /// Connections that a worker holds at once; fewer where the system allows too few open files. Default 25 000.
    pub max_connections: usize,
    /// Seconds for which an idle HTTP connection is kept. Default 75.
    pub keep_alive_seconds: u64,
    /// Seconds after which a connection is cut whose client takes nothing of what it is sent. Default 60.
    pub unread_timeout_seconds: u64,
    /// Bytes of JSON that a request may bring. Default 262 144.
    pub body_limit_bytes: usize,
    /// Milliseconds after which a request is answered 503 at the latest. Default 10 000.
    pub request_timeout_ms: u64,
    /// Milliseconds that stopping may take. Default 10 000.
    pub drain_timeout_ms: u64,
    /// Networks of the proxies whose `X-Forwarded-For` is believed. Default none.
    pub trusted_proxies: Vec<Network>,
}

impl ServerSettings {
    /// The most workers that there can be: actix-server takes no more.
    pub(super) const MOST_WORKERS: usize = 512;

    /// How many workers there are: [`ServerSettings::workers`], with 0 resolved.
    #[must_use]
    pub fn worker_threads(&self) -> usize {
        super::or_one_a_core(self.workers).min(Self::MOST_WORKERS)
    }

    /// [`ServerSettings::request_timeout_ms`] as a duration.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
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
}
