//! How often somebody may.

use serde::Deserialize;

/// How often somebody may. Each server counts for itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Whether any of these counts. Default false, in production true.
    pub enabled: bool,
    /// Messages that one person may send a second in the long run, over REST and sockets together. Default 5.
    pub sends_per_second: u32,
    /// Messages that one person may send at once. Default 20.
    pub sends_burst: u32,
    /// Calls without an account that one address may make a minute, and at once. Default 10.
    pub guest_calls_per_minute: u32,
    /// Events that one socket may send a second, and at once; leaving its namespace and joining it again on the same
    /// connection makes it no other. Beyond, they are refused; where more than ten times as many are, it is put out and
    /// its connection closed. Default 50.
    pub socket_events_per_second: u32,
    /// CONNECT packets that one connection may send a second, and at once, whatever namespace they name and whatever
    /// becomes of them. Beyond, they are refused; where more than ten times as many are, it is closed. Default 20.
    pub socket_connects_per_second: u32,
    /// Engine.IO sessions that one address may open a second, and at once. Default 20.
    pub handshakes_per_second: u32,
    /// People and addresses whose last use is remembered, of each kind; beyond, that one is forgotten which was
    /// not seen for longest. Default 100 000.
    pub limiter_cache_size: u64,
}
