//! Limits and timeouts of the Socket.IO layer. Every limit of the crate is a field here or in
//! [`EngineConfig`](engineio::EngineConfig).

use std::time::Duration;

/// Limits and timeouts of a Socket.IO server. Where the reference server has a setting, the default is the same.
///
/// ```
/// use std::time::Duration;
///
/// use actix_socketio::{RecoveryConfig, SocketIoConfig};
///
/// let config = SocketIoConfig {
///     max_rooms: 100,
///     recovery: Some(RecoveryConfig { max_disconnection: Duration::from_secs(30), ..RecoveryConfig::default() }),
///     ..SocketIoConfig::default()
/// };
/// # assert_eq!(config.max_namespaces, 16);
/// ```
#[derive(Debug, Clone)]
pub struct SocketIoConfig {
    /// How long a connection may be without a joined namespace, after it opens or after it leaves the last one.
    /// Default 45 s.
    pub connect_timeout: Duration,
    /// How long a namespace's middleware may take to decide. After that the client is refused. Default 10 s.
    pub authorise_timeout: Duration,
    /// Maximum number of binary attachments of one packet. Default 10.
    pub max_attachments: usize,
    /// Maximum size of one packet including its attachments, in bytes. Default 4 MiB.
    pub max_message_bytes: usize,
    /// Maximum size of a CONNECT packet's auth payload, in bytes. Default 16 KiB.
    pub max_auth_bytes: usize,
    /// Maximum size of a packet, polling body or WebSocket message while the client has joined no namespace, in bytes.
    /// Default 32 KiB.
    pub max_unjoined_payload: usize,
    /// Maximum memory that the parsed arguments of one packet take, in bytes, estimated from their text; JSON of small
    /// objects takes a hundred times its text. An event that exceeds it, or the depth, runs
    /// [`Namespace::on_refused`](crate::Namespace::on_refused) instead of its handler. Default 4 MiB.
    pub max_parsed_bytes: usize,
    /// How long the attachments of a packet may take to arrive. Default 45 s.
    pub attachment_timeout: Duration,
    /// Maximum nesting depth of a packet's JSON. Default 127; depths above 127 are always refused.
    pub max_json_depth: usize,
    /// Maximum length of a namespace's name, in bytes. Default 256.
    pub max_namespace_length: usize,
    /// Maximum number of namespaces that one connection has joined or is joining. Default 16.
    pub max_namespaces: usize,
    /// Maximum number of events of one connection that wait for their handlers. When it is reached, the server stops
    /// reading from the connection. Default 64.
    pub max_queued_events: usize,
    /// Maximum size of one connection's events that wait for their handlers, in bytes as received. When it is
    /// reached, the server stops reading from the connection. Default 1 MiB.
    pub max_queued_bytes: usize,
    /// Maximum memory that received data of all connections takes, in bytes: packets whose attachments are missing, events
    /// that wait for their handlers, and the estimated arguments of running handlers. While it is exceeded, a connection
    /// that holds more than 64 KiB of it is closed. Default 256 MiB.
    pub max_total_received_bytes: usize,
    /// Maximum size of the events that wait for a socket's CONNECT answer, and of the acknowledgements that wait until a
    /// returning client was sent the events it missed, in bytes plus 64 for each packet. When it is exceeded, the
    /// connection is closed. Capped at a quarter of the engine's outgoing budget. Default 256 KiB.
    pub max_held_bytes: usize,
    /// Maximum number of rooms that one socket is in. Further joins are refused. Default 20 000.
    pub max_rooms: usize,
    /// Maximum number of acknowledgements that are pending for one socket. Further requests fail at once. Default 1024.
    pub max_pending_acks: usize,
    /// How long packets for a namespace are ignored after the server disconnected the client from it. Default 10 s.
    pub disconnect_grace: Duration,
    /// Connection state recovery; `None` turns it off. Default on.
    pub recovery: Option<RecoveryConfig>,
}

/// Limits of connection state recovery: what a namespace keeps for clients whose connection broke.
#[derive(Debug, Clone)]
pub struct RecoveryConfig {
    /// How long a client may be disconnected and still recover. Default 120 s.
    pub max_disconnection: Duration,
    /// Maximum number of events kept for one socket. Events that the client confirmed with a pong are not kept. Default
    /// 1024.
    pub max_packets: usize,
    /// Maximum size of the events kept for one socket, in bytes plus 64 for each packet. A broadcast counts fully for
    /// each of its sockets, although they share its bytes. Capped at half of the engine's outgoing budget. Default
    /// 512 KiB.
    pub max_bytes: usize,
    /// Maximum number of suspended sockets in one namespace. When it is exceeded, the socket suspended for the longest
    /// time is removed. Default 10 000.
    pub max_sockets: usize,
    /// Maximum size of the events that one namespace keeps for all its sockets, in bytes; each event counts once. When
    /// it is exceeded, a socket that is sent an event drops its replay buffer, and the sockets suspended for the
    /// longest time are removed. Default 256 MiB.
    pub max_total_bytes: usize,
    /// How long a returning client waits for the handlers of its old connection to end. Default 5 s.
    pub takeover_timeout: Duration,
}

impl Default for SocketIoConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(45),
            authorise_timeout: Duration::from_secs(10),
            max_attachments: 10,
            max_message_bytes: 4 * 1024 * 1024,
            max_auth_bytes: 16 * 1024,
            max_unjoined_payload: 32 * 1024,
            max_parsed_bytes: 4 * 1024 * 1024,
            attachment_timeout: Duration::from_secs(45),
            max_json_depth: 127,
            max_namespace_length: 256,
            max_namespaces: 16,
            max_queued_events: 64,
            max_queued_bytes: 1024 * 1024,
            max_total_received_bytes: 256 * 1024 * 1024,
            max_held_bytes: 256 * 1024,
            max_rooms: 20_000,
            max_pending_acks: 1024,
            disconnect_grace: Duration::from_secs(10),
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
