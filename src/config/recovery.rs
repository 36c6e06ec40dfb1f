//! Connection state recovery: what the server keeps for clients that lost their connection.
//!
//! Each is a field of [`RecoveryConfig`](socketio::RecoveryConfig).

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// Connection state recovery.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverySettings {
    /// Whether a client that reconnects gets its rooms and the events it missed. Allowed: `true`, `false`. Default:
    /// `true`.
    pub enabled: bool,
    /// Seconds that a client may be disconnected. Allowed: 1 to 86400. Default: `120`.
    pub max_away_seconds: u64,
    /// Disconnected sockets kept per namespace; the one disconnected longest is evicted. Allowed: 1 to 10000000.
    /// Default: `10000`.
    pub max_sockets: usize,
    /// Events kept per socket. Allowed: 1 to 1000000. Default: `1024`.
    pub max_packets: usize,
    /// Bytes of events kept per socket, effectively at most half of `socket.outgoing_bytes`. Allowed: 1024 to
    /// 268435456. Default: `524288`.
    pub max_bytes: usize,
    /// Bytes of events kept for all sockets of a namespace together. Allowed: 65536 to 1099511627776. Default:
    /// `268435456`.
    pub max_total_bytes: usize,
}

impl RecoverySettings {
    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidSetting> + use<> {
        let ranges = [
            outside("recovery.max_away_seconds", self.max_away_seconds, 1..=86_400),
            outside("recovery.max_sockets", self.max_sockets, 1..=10_000_000),
            outside("recovery.max_packets", self.max_packets, 1..=1_000_000),
            outside("recovery.max_bytes", self.max_bytes, 1024..=268_435_456),
            outside("recovery.max_total_bytes", self.max_total_bytes, 65_536..=1_099_511_627_776),
        ];
        ranges.into_iter().flatten()
    }
}
