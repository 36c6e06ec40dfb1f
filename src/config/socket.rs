//! Settings of Engine.IO and Socket.IO: times, and what one client, one address and all of them together may take.
//!
//! Each is a field of [`EngineConfig`](engineio::EngineConfig),
//! [`SocketIoConfig`](socketio::SocketIoConfig) or [`RecoveryConfig`](socketio::RecoveryConfig), which
//! say more.

use serde::Deserialize;

use super::check::{InvalidSetting, within};

/// Engine.IO and Socket.IO.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocketSettings {
    /// Milliseconds between two pings. Default 25 000.
    pub ping_interval_ms: u64,
    /// Milliseconds within which a ping must be answered. Default 20 000.
    pub ping_timeout_ms: u64,
    /// Milliseconds within which a WebSocket must have taken a polling session over. Default 10 000.
    pub upgrade_timeout_ms: u64,
    /// Milliseconds within which a connection must join a namespace. Default 45 000.
    pub connect_timeout_ms: u64,
    /// Milliseconds within which a namespace must have decided on a client. Default 10 000.
    pub authorise_timeout_ms: u64,
    /// Milliseconds that a closing WebSocket has to take what waits for it; where the server stops, half of
    /// `server.drain_timeout_ms` at the longest. Default 10 000.
    pub close_timeout_ms: u64,
    /// Bytes that one incoming packet or polling body may have. Default 1 000 000.
    pub max_payload_bytes: usize,
    /// Packets that one polling body may have. Default 10 000.
    pub max_packets: usize,
    /// Bytes that may wait for one slow client before it is cut. Default 1 048 576.
    pub outgoing_bytes: usize,
    /// Bytes from which polling bodies are compressed; 0 means never. Default 1024.
    pub compression_bytes: usize,
    /// Sessions open at once; beyond, a handshake is refused. Default 200 000.
    pub max_sessions: usize,
    /// Sessions open at once from one address, of IPv6 from one network of 64 bits; beyond, a handshake is refused.
    /// Default 200 000.
    pub max_sessions_per_address: usize,
    /// Handshakes a second, all addresses together; beyond, they are refused. Default 20 000.
    pub max_handshakes_a_second: u32,
    /// Namespaces that one connection may have joined. Default 16.
    pub max_namespaces: usize,
    /// Rooms that one socket may be in. Default 20 000.
    pub max_rooms: usize,
    /// Binary attachments that one packet may have. Default 10.
    pub max_attachments: usize,
    /// Bytes that one packet with its attachments may have. Default 4 194 304.
    pub max_message_bytes: usize,
    /// How deep the JSON of a packet may be nested. Default 64.
    pub max_json_depth: usize,
    /// Events of one connection that may wait for their handlers; beyond, nothing is read from it. Default 64.
    pub max_queued_events: usize,
    /// Bytes of one connection's events that may wait for their handlers; beyond, nothing is read from it. Default
    /// 1 048 576.
    pub max_queued_bytes: usize,
    /// Acknowledgements that one socket may owe. Default 1024.
    pub max_pending_acks: usize,
}

/// What is kept for clients whose connections broke.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoverySettings {
    /// Whether a client that comes back gets its rooms and what it missed. Default true.
    pub enabled: bool,
    /// Seconds for which a client may be away. Default 120.
    pub max_away_seconds: u64,
    /// Sockets of a namespace that are kept while their clients are away; the longest away goes first. Default 10 000.
    pub max_sockets: usize,
    /// Events kept for one socket. Default 1024.
    pub max_packets: usize,
    /// Bytes of events kept for one socket; at most half of [`SocketSettings::outgoing_bytes`] counts. Default 524 288.
    pub max_bytes: usize,
    /// Bytes of events kept for all sockets of a namespace together. Default 268 435 456.
    pub max_total_bytes: usize,
}

impl SocketSettings {
    /// Every rule that these settings break.
    pub(super) fn problems(&self) -> impl Iterator<Item = InvalidSetting> {
        [
            within("socket.ping_interval_ms", self.ping_interval_ms, 100..=300_000),
            within("socket.ping_timeout_ms", self.ping_timeout_ms, 100..=300_000),
            within("socket.upgrade_timeout_ms", self.upgrade_timeout_ms, 100..=300_000),
            within("socket.connect_timeout_ms", self.connect_timeout_ms, 100..=300_000),
            within("socket.authorise_timeout_ms", self.authorise_timeout_ms, 100..=300_000),
            within("socket.close_timeout_ms", self.close_timeout_ms, 100..=300_000),
            within("socket.max_payload_bytes", self.max_payload_bytes, 1024..=16_777_216),
            within("socket.max_packets", self.max_packets, 1..=1_000_000),
            within("socket.outgoing_bytes", self.outgoing_bytes, 65_536..=268_435_456),
            within("socket.compression_bytes", self.compression_bytes, 0..=16_777_216),
            within("socket.max_sessions", self.max_sessions, 1..=10_000_000),
            within("socket.max_sessions_per_address", self.max_sessions_per_address, 1..=10_000_000),
            within("socket.max_handshakes_a_second", self.max_handshakes_a_second, 1..=1_000_000),
            within("socket.max_namespaces", self.max_namespaces, 1..=1024),
            within("socket.max_rooms", self.max_rooms, 16..=1_000_000),
            within("socket.max_attachments", self.max_attachments, 0..=1000),
            within("socket.max_message_bytes", self.max_message_bytes, 1024..=268_435_456),
            within("socket.max_json_depth", self.max_json_depth, 2..=127),
            within("socket.max_queued_events", self.max_queued_events, 1..=65_536),
            within("socket.max_queued_bytes", self.max_queued_bytes, 1024..=268_435_456),
            within("socket.max_pending_acks", self.max_pending_acks, 1..=1_000_000),
        ]
        .into_iter()
        .flatten()
    }
}

impl RecoverySettings {
    /// Every rule that these settings break.
    pub(super) fn problems(&self) -> impl Iterator<Item = InvalidSetting> {
        [
            within("recovery.max_away_seconds", self.max_away_seconds, 1..=86_400),
            within("recovery.max_sockets", self.max_sockets, 1..=10_000_000),
            within("recovery.max_packets", self.max_packets, 1..=1_000_000),
            within("recovery.max_bytes", self.max_bytes, 1024..=268_435_456),
            within("recovery.max_total_bytes", self.max_total_bytes, 65_536..=1_099_511_627_776),
        ]
        .into_iter()
        .flatten()
    }
}
