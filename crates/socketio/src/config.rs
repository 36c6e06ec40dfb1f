//! What an operator can set for Socket.IO. Every limit of the module stands here.

use std::time::Duration;

/// Limits and times of Socket.IO. The defaults are those of the reference server where it has them.
#[derive(Debug, Clone)]
pub struct SocketIoConfig {
    /// Time that a connection may have no namespace joined, at its beginning or after it left the last. Default 45 s.
    pub connect_timeout: Duration,
    /// Time that a namespace's middleware has to decide. Over it the client is refused. Default 10 s.
    pub authorise_timeout: Duration,
    /// Most binary attachments of a packet. Default 10.
    pub max_attachments: usize,
    /// Most bytes of one packet with its attachments. Default 4 MiB.
    pub max_message_bytes: usize,
    /// Deepest nesting of a packet's JSON. Default 64; more than 127 is refused whatever stands here.
    pub max_json_depth: usize,
    /// Longest name of a namespace, in bytes. Default 256.
    pub max_namespace_length: usize,
    /// Most namespaces that one connection has joined or is joining. Default 16.
    pub max_namespaces: usize,
    /// Most events of one connection that wait for their handlers. While it is reached nothing is read from it. Default
    /// 64.
    pub max_queued_events: usize,
    /// Most bytes of one connection's events that wait for their handlers, as they came in. While it is reached nothing
    /// is read from it. Default 1 MiB.
    pub max_queued_bytes: usize,
    /// Most bytes of events that wait for a socket's CONNECT answer, each packet counted with 64 bytes on top. Over it
    /// the connection is closed. At most a quarter of the engine's outgoing budget, whatever stands here. Default
    /// 256 KiB.
    pub max_held_bytes: usize,
    /// Most rooms that one socket is in; further joins are refused. Default 20 000.
    pub max_rooms: usize,
    /// Most acknowledgements that one socket owes us; further ones fail at once. Default 1024.
    pub max_pending_acks: usize,
    /// Time in which packets for a namespace that the server has just put the client out of are ignored. Default 10 s.
    pub left_grace: Duration,
    /// Connection state recovery; `None`: off. Default on.
    pub recovery: Option<RecoveryConfig>,
}

/// What is kept for a client whose connection broke.
#[derive(Debug, Clone)]
pub struct RecoveryConfig {
    /// How long a client may stay away. Default 120 s.
    pub max_disconnection: Duration,
    /// Most events kept for one socket. What its client confirmed with a pong is not kept. Default 1024.
    pub max_packets: usize,
    /// Most bytes kept for one socket, each packet counted with 64 bytes on top; events of broadcasts count in full for
    /// each, though they are shared. At most half of the engine's outgoing budget, whatever stands here. Default
    /// 512 KiB.
    pub max_bytes: usize,
    /// Most sockets of a namespace that are kept while their clients are away; the longest away goes first. Default
    /// 10 000.
    pub max_sockets: usize,
    /// Most bytes of events that a namespace keeps for all its sockets together, each event counted once. While it is
    /// reached a socket that is sent something keeps nothing, and those longest away go. Default 256 MiB.
    pub max_total_bytes: usize,
    /// Time that a client which comes back waits for its old connection's handlers to end. Default 5 s.
    pub takeover_timeout: Duration,
}

impl Default for SocketIoConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(45),
            authorise_timeout: Duration::from_secs(10),
            max_attachments: 10,
            max_message_bytes: 4 * 1024 * 1024,
            max_json_depth: 64,
            max_namespace_length: 256,
            max_namespaces: 16,
            max_queued_events: 64,
            max_queued_bytes: 1024 * 1024,
            max_held_bytes: 256 * 1024,
            max_rooms: 20_000,
            max_pending_acks: 1024,
            left_grace: Duration::from_secs(10),
            recovery: Some(RecoveryConfig::default()),
        }
    }
}

impl Default for RecoveryConfig {
    fn default() -> Self {
        Self {
            max_disconnection: Duration::from_secs(120),
            max_packets: 1024,
            max_bytes: 512 * 1024,
            max_sockets: 10_000,
            max_total_bytes: 256 * 1024 * 1024,
            takeover_timeout: Duration::from_secs(5),
        }
    }
}
