//! The configuration of the protocol crates, from the settings.

use std::time::Duration;

use crate::client_ip::TrustedProxies;
use crate::config::{CorsSettings, RecoverySettings, SocketSettings};
use crate::own_origin::is_own_origin;
use engineio::{AddressResolver, ClientAddress, CorsConfig, EngineConfig, OriginCheck, Origins};
use socketio::{RecoveryConfig, SocketIoConfig};

/// The Engine.IO configuration. CORS headers are added by the server's middleware; `origins` keeps pages of other
/// origins from opening a WebSocket, to which CORS does not apply.
pub(super) fn engine(settings: &SocketSettings, cors: &CorsSettings, proxies: &TrustedProxies) -> EngineConfig {
    let (proxies, own_proxies) = (proxies.clone(), proxies.clone());
    let any = cors.origins.iter().any(|origin| origin == "*");
    let origins = if any { Origins::Unchecked } else { Origins::Only(cors.origins.clone()) };
    EngineConfig {
        ping_interval: Duration::from_millis(settings.ping_interval_ms),
        ping_timeout: Duration::from_millis(settings.ping_timeout_ms),
        upgrade_timeout: Duration::from_millis(settings.upgrade_timeout_ms),
        close_timeout: Duration::from_millis(settings.close_timeout_ms),
        // Each header takes up to 4 KiB per connection, so only those that are read.
        kept_headers: ["authorization", "user-agent"].map(str::to_owned).into(),
        // A token is as long as it may be in the CONNECT packet.
        max_header: settings.max_auth_bytes,
        max_payload: settings.max_payload_bytes,
        initial_max_payload: settings.max_unjoined_payload_bytes,
        max_packets_per_payload: settings.max_packets,
        outgoing_budget: settings.outgoing_bytes,
        client_address: ClientAddress::Resolver(AddressResolver::new(move |request| proxies.client_of(request))),
        compression_threshold: (settings.compression_bytes > 0).then_some(settings.compression_bytes),
        max_sessions: settings.max_sessions,
        max_sessions_per_address: settings.max_sessions_per_address,
        max_handshakes_per_second: settings.max_handshakes_a_second,
        cors: CorsConfig {
            origins,
            credentials: cors.credentials,
            also_allowed: Some(OriginCheck::new(move |request| is_own_origin(request, &own_proxies))),
        },
        ..EngineConfig::default()
    }
}

/// The Socket.IO configuration.
pub(super) fn socketio(settings: &SocketSettings, recovery: &RecoverySettings) -> SocketIoConfig {
    SocketIoConfig {
        connect_timeout: Duration::from_millis(settings.connect_timeout_ms),
        authorise_timeout: Duration::from_millis(settings.authorise_timeout_ms),
        max_namespaces: settings.max_namespaces,
        max_rooms: settings.max_rooms,
        max_attachments: settings.max_attachments,
        max_message_bytes: settings.max_message_bytes,
        max_auth_bytes: settings.max_auth_bytes,
        max_unjoined_payload: settings.max_unjoined_payload_bytes,
        max_parsed_bytes: settings.max_parsed_bytes,
        attachment_timeout: Duration::from_millis(settings.attachment_timeout_ms),
        max_json_depth: settings.max_json_depth,
        max_queued_events: settings.max_queued_events,
        max_queued_bytes: settings.max_queued_bytes,
        max_total_received_bytes: settings.max_total_received_bytes,
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
    use crate::config::{Settings, Sources};

    fn configs(variables: &[(&str, &str)]) -> (EngineConfig, SocketIoConfig) {
        let variables = variables.iter().map(|(name, value)| (format!("SWITCHBOARD__{name}"), (*value).to_owned()));
        let sources = Sources { folder: None, variables: variables.collect() };
        let (_, settings) = Settings::load(&sources).expect("these settings should load");
        (
            engine(&settings.socket, &settings.cors, &TrustedProxies::new(&[])),
            socketio(&settings.socket, &settings.recovery),
        )
    }

    #[test]
    fn the_default_settings_are_the_defaults_of_the_protocol_crates() {
        let (engine, socketio) = configs(&[]);
        let (kept_headers, client_address) = (engine.kept_headers.clone(), engine.client_address.clone());
        // The engine alone does not know when a client is known.
        let initial_max_payload = SocketIoConfig::default().max_unjoined_payload;
        let (max_header, cors) = (SocketIoConfig::default().max_auth_bytes, engine.cors.clone());
        let expected = EngineConfig {
            kept_headers,
            client_address,
            initial_max_payload,
            max_header,
            cors,
            ..EngineConfig::default()
        };
        assert_eq!(format!("{engine:?}"), format!("{expected:?}"));
        assert_eq!(format!("{socketio:?}"), format!("{:?}", SocketIoConfig::default()));
    }

    #[test]
    fn every_engine_setting_is_passed_on() {
        let (engine, _) = configs(&[
            ("SOCKET__PING_INTERVAL_MS", "1001"),
            ("SOCKET__PING_TIMEOUT_MS", "1002"),
            ("SOCKET__UPGRADE_TIMEOUT_MS", "1003"),
            ("SOCKET__CLOSE_TIMEOUT_MS", "1004"),
            ("SOCKET__MAX_PAYLOAD_BYTES", "1025"),
            ("SOCKET__MAX_PACKETS", "6"),
            ("SOCKET__MAX_UNJOINED_PAYLOAD_BYTES", "1026"),
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
            initial_max_payload: 1026,
            outgoing_budget: 65_537,
            compression_threshold: None,
            max_sessions: 8,
            max_sessions_per_address: 9,
            max_handshakes_per_second: 10,
            kept_headers: engine.kept_headers.clone(),
            client_address: engine.client_address.clone(),
            max_header: SocketIoConfig::default().max_auth_bytes,
            cors: engine.cors.clone(),
            ..EngineConfig::default()
        };
        assert_eq!(format!("{engine:?}"), format!("{expected:?}"));
    }

    #[test]
    fn every_socket_setting_is_passed_on() {
        let (_, socketio) = configs(&[
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
            ("SOCKET__MAX_TOTAL_RECEIVED_BYTES", "1048577"),
            ("SOCKET__MAX_AUTH_BYTES", "1027"),
            ("SOCKET__MAX_UNJOINED_PAYLOAD_BYTES", "1028"),
            ("SOCKET__MAX_PARSED_BYTES", "65538"),
            ("SOCKET__ATTACHMENT_TIMEOUT_MS", "1004"),
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
            max_total_received_bytes: 1_048_577,
            max_auth_bytes: 1027,
            max_unjoined_payload: 1028,
            max_parsed_bytes: 65_538,
            attachment_timeout: Duration::from_millis(1004),
            recovery: Some(recovery),
            ..SocketIoConfig::default()
        };
        assert_eq!(format!("{socketio:?}"), format!("{expected:?}"));
        let (_, socketio) = configs(&[("RECOVERY__ENABLED", "false")]);
        assert!(socketio.recovery.is_none());
    }
}
