//! Engine.IO and Socket.IO: timeouts, and limits per packet, per connection, per address and for the server.
//!
//! Each is a field of [`EngineConfig`](engineio::EngineConfig) or [`SocketIoConfig`](socketio::SocketIoConfig), whose
//! documentation goes into more detail.

use schemars::JsonSchema;
use serde::Deserialize;

use super::invalid::{InvalidSetting, outside};

/// Engine.IO and Socket.IO.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SocketSettings {
    /// Milliseconds between two pings. Allowed: 100 to 300000. Default: `25000`.
    pub ping_interval_ms: u64,
    /// Milliseconds before a connection that does not answer a ping is closed. Allowed: 100 to 300000. Default:
    /// `20000`.
    pub ping_timeout_ms: u64,
    /// Milliseconds that an upgrade from polling to WebSocket may take. Allowed: 100 to 300000. Default: `10000`.
    pub upgrade_timeout_ms: u64,
    /// Milliseconds before a connection that has joined no namespace is closed. Allowed: 100 to 300000. Default:
    /// `45000`.
    pub connect_timeout_ms: u64,
    /// Milliseconds that a namespace may take to accept or refuse a client. Allowed: 100 to 300000. Default: `10000`.
    pub authorise_timeout_ms: u64,
    /// Milliseconds that a closing WebSocket has to read what is queued for it; during a shutdown at most half of
    /// `server.drain_timeout_ms`. Allowed: 100 to 300000. Default: `10000`.
    pub close_timeout_ms: u64,
    /// Bytes of one incoming packet or polling body. Allowed: 1024 to 16777216. Default: `1000000`.
    pub max_payload_bytes: usize,
    /// Packets in one polling body. Allowed: 1 to 1000000. Default: `10000`.
    pub max_packets: usize,
    /// Bytes queued for one client; a client too slow for that is disconnected. Allowed: 65536 to 268435456. Default:
    /// `1048576`.
    pub outgoing_bytes: usize,
    /// Size in bytes above which polling bodies are compressed; 0 means never. Allowed: 0 to 16777216. Default: `1024`.
    pub compression_bytes: usize,
    /// Open sessions; when reached, handshakes are refused. Allowed: 1 to 10000000. Default: `200000`.
    pub max_sessions: usize,
    /// Open sessions from one IPv4 address or IPv6 /64 network; when reached, handshakes are refused. Allowed: 1 to
    /// 10000000. Default: `200000`.
    pub max_sessions_per_address: usize,
    /// Handshakes per second from all addresses together; excess ones are refused. Allowed: 1 to 1000000. Default:
    /// `20000`.
    pub max_handshakes_a_second: u32,
    /// Whether clients may join the namespace `/`, in which nothing happens; some client libraries require it. Allowed:
    /// `true`, `false`. Default: `true`.
    pub main_namespace: bool,
    /// Namespaces that one connection may join. Allowed: 1 to 1024. Default: `16`.
    pub max_namespaces: usize,
    /// Rooms that one socket may join. Allowed: 16 to 1000000. Default: `20000`.
    pub max_rooms: usize,
    /// Binary attachments of one packet. Allowed: 0 to 1000. Default: `10`.
    pub max_attachments: usize,
    /// Bytes of one packet with its attachments. Allowed: 1024 to 268435456. Default: `4194304`.
    pub max_message_bytes: usize,
    /// Bytes of the token and other data with which a client joins a namespace. Allowed: 1024 to 1048576. Default:
    /// `16384`.
    pub max_auth_bytes: usize,
    /// Bytes of one incoming packet or polling body while the client has joined no namespace. Allowed: 1024 to
    /// 16777216. Default: `32768`.
    pub max_unjoined_payload_bytes: usize,
    /// Bytes of memory that the JSON of one packet may take when it is parsed, estimated from its text. Allowed: 65536
    /// to 268435456. Default: `4194304`.
    pub max_parsed_bytes: usize,
    /// Milliseconds that the binary attachments of a packet may take to arrive. Allowed: 100 to 300000. Default:
    /// `45000`.
    pub attachment_timeout_ms: u64,
    /// Nesting depth of the JSON in a packet. Allowed: 2 to 127. Default: `127`.
    pub max_json_depth: usize,
    /// Events of one connection that wait for their handlers; when reached, the server stops reading from it. Allowed: 1
    /// to 65536. Default: `64`.
    pub max_queued_events: usize,
    /// Bytes of one connection's events that wait for their handlers; when reached, the server stops reading from it.
    /// Allowed: 1024 to 268435456. Default: `1048576`.
    pub max_queued_bytes: usize,
    /// Bytes of memory that received data of all clients may take: incomplete packets, waiting events and their arguments.
    /// Above it, clients that hold more than 64 KiB are disconnected. Allowed: 1048576 to 1099511627776. Default:
    /// `268435456`.
    pub max_total_received_bytes: usize,
    /// Acknowledgements that one socket may owe. Allowed: 1 to 1000000. Default: `1024`.
    pub max_pending_acks: usize,
}

impl SocketSettings {
    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidSetting> + use<> {
        let ranges = [
            outside("socket.ping_interval_ms", self.ping_interval_ms, 100..=300_000),
            outside("socket.ping_timeout_ms", self.ping_timeout_ms, 100..=300_000),
            outside("socket.upgrade_timeout_ms", self.upgrade_timeout_ms, 100..=300_000),
            outside("socket.connect_timeout_ms", self.connect_timeout_ms, 100..=300_000),
            outside("socket.authorise_timeout_ms", self.authorise_timeout_ms, 100..=300_000),
            outside("socket.close_timeout_ms", self.close_timeout_ms, 100..=300_000),
            outside("socket.max_payload_bytes", self.max_payload_bytes, 1024..=16_777_216),
            outside("socket.max_packets", self.max_packets, 1..=1_000_000),
            outside("socket.outgoing_bytes", self.outgoing_bytes, 65_536..=268_435_456),
            outside("socket.compression_bytes", self.compression_bytes, 0..=16_777_216),
            outside("socket.max_sessions", self.max_sessions, 1..=10_000_000),
            outside("socket.max_sessions_per_address", self.max_sessions_per_address, 1..=10_000_000),
            outside("socket.max_handshakes_a_second", self.max_handshakes_a_second, 1..=1_000_000),
            outside("socket.max_namespaces", self.max_namespaces, 1..=1024),
            outside("socket.max_rooms", self.max_rooms, 16..=1_000_000),
            outside("socket.max_attachments", self.max_attachments, 0..=1000),
            outside("socket.max_message_bytes", self.max_message_bytes, 1024..=268_435_456),
            outside("socket.max_auth_bytes", self.max_auth_bytes, 1024..=1_048_576),
            outside("socket.max_unjoined_payload_bytes", self.max_unjoined_payload_bytes, 1024..=16_777_216),
            outside("socket.max_parsed_bytes", self.max_parsed_bytes, 65_536..=268_435_456),
            outside("socket.attachment_timeout_ms", self.attachment_timeout_ms, 100..=300_000),
            outside("socket.max_json_depth", self.max_json_depth, 2..=127),
            outside("socket.max_queued_events", self.max_queued_events, 1..=65_536),
            outside("socket.max_queued_bytes", self.max_queued_bytes, 1024..=268_435_456),
            outside("socket.max_total_received_bytes", self.max_total_received_bytes, 1_048_576..=1_099_511_627_776),
            outside("socket.max_pending_acks", self.max_pending_acks, 1..=1_000_000),
        ];
        ranges.into_iter().flatten()
    }
}
