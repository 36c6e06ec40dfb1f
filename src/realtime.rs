//! Chat on Socket.IO: the namespaces `/support` and `/help-center`, and which room hears what when something has
//! happened.
//!
//! A socket may ask; what happens is decided by the conversation's actor and announced by [`Broadcaster`] when it is
//! stored. Protocol, rooms and slow readers are `socketio`'s business.

mod asyncapi;
mod auth;
mod broadcast;
mod help_center;
mod join;
mod payload;
mod presence;
mod rate_limit;
mod rooms;
mod send_message;
mod support;

use std::sync::Arc;
use std::time::Duration;

use crate::client_ip::TrustedProxies;
use crate::cluster::Presence;
use crate::config::{CorsSettings, RecoverySettings, Settings, SocketSettings};
use crate::conversation::{Clock, Registry};
use crate::database::Database;
use crate::help_center::HelpCenter;
use crate::identity::{Directory, Verifier};
use crate::limits::Limits;
use engineio::{AddressResolver, ClientAddress, CorsConfig, EngineConfig, Origins};
use socketio::{RecoveryConfig, SocketIo, SocketIoConfig};

pub use asyncapi::document as asyncapi_document;
pub use broadcast::Broadcaster;
pub use presence::PresenceBroadcaster;

/// What the namespaces work with.
#[derive(Clone)]
pub struct Realtime {
    /// Where conversations are written and listened to.
    pub registry: Arc<Registry>,
    /// Where conversations are read.
    pub database: Database,
    /// The help center.
    pub help_center: HelpCenter,
    /// Who tells what has happened, and who types.
    pub broadcaster: Arc<Broadcaster>,
    /// Who connects.
    pub verifier: Arc<Verifier>,
    /// Where they are written down.
    pub directory: Directory,
    /// How often they may.
    pub limits: Limits,
    /// Whose word is believed for where they connect from.
    pub proxies: TrustedProxies,
    /// Where agents' sockets are counted.
    pub presence: Presence,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Bytes that a socket is sent at most of what it has missed; it must fit into what may wait for it.
    pub catch_up_bytes: usize,
}

/// The part of what may wait for a client that the messages of its greeting may take. `socketio` holds back a quarter
/// at most until a client is in.
const GREETING_SHARE: usize = 8;

/// Makes the sockets, and has the broadcasters announce on them.
#[must_use]
pub fn start(realtime: Realtime, settings: &Settings, presence: &PresenceBroadcaster) -> SocketIo {
    let realtime = Arc::new(realtime);
    let engine = engine(&settings.socket, &settings.cors, &realtime.proxies);
    let io = SocketIo::builder(engine, socketio(&settings.socket, &settings.recovery))
        .allow_request(rate_limit::handshakes(&realtime))
        .rate_limit(rate_limit::packets(&realtime.limits))
        .namespace(support::namespace(&realtime))
        .namespace(help_center::namespace(&realtime, settings.socket.outgoing_bytes / GREETING_SHARE))
        .build();
    if let (Some(support), Some(help_center)) = (io.namespace(support::NAME), io.namespace(help_center::NAME)) {
        realtime.broadcaster.announce_on(support.clone(), help_center);
        presence.announce_on(support);
    }
    io
}

/// CORS headers are the whole server's; here only a page of another origin is kept from opening a WebSocket.
fn engine(settings: &SocketSettings, cors: &CorsSettings, proxies: &TrustedProxies) -> EngineConfig {
    let proxies = proxies.clone();
    let any = cors.origins.iter().any(|origin| origin == "*");
    let origins = if any { Origins::Unchecked } else { Origins::Only(cors.origins.clone()) };
    EngineConfig {
        ping_interval: Duration::from_millis(settings.ping_interval_ms),
        ping_timeout: Duration::from_millis(settings.ping_timeout_ms),
        upgrade_timeout: Duration::from_millis(settings.upgrade_timeout_ms),
        close_timeout: Duration::from_millis(settings.close_timeout_ms),
        // Each is up to 4 KiB of memory that a stranger can take: only those that somebody reads.
        kept_headers: ["authorization", "user-agent"].map(str::to_owned).into(),
        max_payload: settings.max_payload_bytes,
        max_packets_per_payload: settings.max_packets,
        outgoing_budget: settings.outgoing_bytes,
        client_address: ClientAddress::Resolver(AddressResolver::new(move |request| proxies.client_of(request))),
        compression_threshold: (settings.compression_bytes > 0).then_some(settings.compression_bytes),
        max_sessions: settings.max_sessions,
        max_sessions_per_address: settings.max_sessions_per_address,
        max_handshakes_per_second: settings.max_handshakes_a_second,
        cors: CorsConfig { origins, credentials: cors.credentials },
        ..EngineConfig::default()
    }
}

fn socketio(settings: &SocketSettings, recovery: &RecoverySettings) -> SocketIoConfig {
    SocketIoConfig {
        connect_timeout: Duration::from_millis(settings.connect_timeout_ms),
        authorise_timeout: Duration::from_millis(settings.authorise_timeout_ms),
        max_namespaces: settings.max_namespaces,
        max_rooms: settings.max_rooms,
        max_attachments: settings.max_attachments,
        max_message_bytes: settings.max_message_bytes,
        max_json_depth: settings.max_json_depth,
        max_queued_events: settings.max_queued_events,
        max_queued_bytes: settings.max_queued_bytes,
        max_pending_acks: settings.max_pending_acks,
        recovery: recovery.enabled.then(|| RecoveryConfig {
            max_disconnection: Duration::from_secs(recovery.max_away_seconds),
            max_sockets: recovery.max_sockets,
            max_packets: recovery.max_packets,
            max_bytes: recovery.max_bytes,
            max_total_bytes: recovery.max_total_bytes,
            ..RecoveryConfig::default()
        }),
        ..SocketIoConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn limits(variables: &[(&str, &str)]) -> (EngineConfig, SocketIoConfig) {
        let variables = variables.iter().map(|(name, value)| (format!("SWITCHBOARD__{name}"), (*value).to_owned()));
        let sources = Sources { folder: None, variables: variables.collect() };
        let (_, settings) = Settings::load(&sources).expect("these settings should load");
        (
            engine(&settings.socket, &settings.cors, &TrustedProxies::new(&[])),
            socketio(&settings.socket, &settings.recovery),
        )
    }

    #[test]
    fn the_defaults_are_those_of_the_protocol_layer() {
        let (engine, socketio) = limits(&[]);
        let (kept_headers, client_address) = (engine.kept_headers.clone(), engine.client_address.clone());
        let expected = EngineConfig { kept_headers, client_address, ..EngineConfig::default() };
        assert_eq!(format!("{engine:?}"), format!("{expected:?}"));
        assert_eq!(format!("{socketio:?}"), format!("{:?}", SocketIoConfig::default()));
    }

    #[test]
    fn every_setting_of_the_engine_arrives_there() {
        let (engine, _) = limits(&[
            ("SOCKET__PING_INTERVAL_MS", "1001"),
            ("SOCKET__PING_TIMEOUT_MS", "1002"),
            ("SOCKET__UPGRADE_TIMEOUT_MS", "1003"),
            ("SOCKET__CLOSE_TIMEOUT_MS", "1004"),
            ("SOCKET__MAX_PAYLOAD_BYTES", "1025"),
            ("SOCKET__MAX_PACKETS", "6"),
            ("SOCKET__OUTGOING_BYTES", "65537"),
            ("SOCKET__COMPRESSION_BYTES", "0"),
            ("SOCKET__MAX_SESSIONS", "8"),
            ("SOCKET__MAX_SESSIONS_PER_ADDRESS", "9"),
            ("SOCKET__MAX_HANDSHAKES_A_SECOND", "10"),
        ]);
        let expected = EngineConfig {
            ping_interval: Duration::from_millis(1001),
            ping_timeout: Duration::from_millis(1002),
            upgrade_timeout: Duration::from_millis(1003),
            close_timeout: Duration::from_millis(1004),
            max_payload: 1025,
            max_packets_per_payload: 6,
            outgoing_budget: 65_537,
            compression_threshold: None,
            max_sessions: 8,
            max_sessions_per_address: 9,
            max_handshakes_per_second: 10,
            kept_headers: engine.kept_headers.clone(),
            client_address: engine.client_address.clone(),
            ..EngineConfig::default()
        };
        assert_eq!(format!("{engine:?}"), format!("{expected:?}"));
    }

    #[test]
    fn every_setting_of_the_sockets_arrives_there() {
        let (_, socketio) = limits(&[
            ("SOCKET__CONNECT_TIMEOUT_MS", "1001"),
            ("SOCKET__AUTHORISE_TIMEOUT_MS", "1002"),
            ("SOCKET__MAX_NAMESPACES", "3"),
            ("SOCKET__MAX_ROOMS", "17"),
            ("SOCKET__MAX_ATTACHMENTS", "5"),
            ("SOCKET__MAX_JSON_DEPTH", "6"),
            ("SOCKET__MAX_QUEUED_EVENTS", "7"),
            ("SOCKET__MAX_PENDING_ACKS", "8"),
            ("SOCKET__MAX_MESSAGE_BYTES", "1025"),
            ("SOCKET__MAX_QUEUED_BYTES", "1026"),
            ("RECOVERY__MAX_AWAY_SECONDS", "9"),
            ("RECOVERY__MAX_SOCKETS", "10"),
            ("RECOVERY__MAX_PACKETS", "11"),
            ("RECOVERY__MAX_BYTES", "1024"),
            ("RECOVERY__MAX_TOTAL_BYTES", "65537"),
        ]);
        let recovery = RecoveryConfig {
            max_disconnection: Duration::from_secs(9),
            max_sockets: 10,
            max_packets: 11,
            max_bytes: 1024,
            max_total_bytes: 65_537,
            ..RecoveryConfig::default()
        };
        let expected = SocketIoConfig {
            connect_timeout: Duration::from_millis(1001),
            authorise_timeout: Duration::from_millis(1002),
            max_namespaces: 3,
            max_rooms: 17,
            max_attachments: 5,
            max_json_depth: 6,
            max_queued_events: 7,
            max_pending_acks: 8,
            max_message_bytes: 1025,
            max_queued_bytes: 1026,
            recovery: Some(recovery),
            ..SocketIoConfig::default()
        };
        assert_eq!(format!("{socketio:?}"), format!("{expected:?}"));
        let (_, socketio) = limits(&[("RECOVERY__ENABLED", "false")]);
        assert!(socketio.recovery.is_none());
    }
}
