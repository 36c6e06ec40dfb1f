//! What the socket settings do, and that clients which do not read or do not answer lose their connections.

use std::time::Duration;

use reqwest::Method;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{ApiServer, Backend, ScratchDatabase, SupportSession, TestUser};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

#[tokio::test]
async fn a_client_gets_a_recovery_secret_unless_recovery_is_disabled() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    assert!(SupportSession::open(&server).await.connect(&TestUser::customer("john")).await["pid"].is_string());
    drop(server);
    let server = ApiServer::start_with(&database, &[("SWITCHBOARD__RECOVERY__ENABLED", "false")]).await;
    let connected = SupportSession::open(&server).await.connect(&TestUser::customer("john")).await;
    assert_eq!(connected.as_object().unwrap().keys().collect::<Vec<_>>(), ["sid"]);
}

#[tokio::test]
async fn the_open_packet_contains_the_configured_values() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let variables = [
        ("SWITCHBOARD__SOCKET__PING_INTERVAL_MS", "12345"),
        ("SWITCHBOARD__SOCKET__PING_TIMEOUT_MS", "2345"),
        ("SWITCHBOARD__SOCKET__MAX_PAYLOAD_BYTES", "34567"),
    ];
    let server = ApiServer::start_with(&database, &variables).await;
    let session = SupportSession::open(&server).await;
    let handshake = session.handshake();
    assert_eq!(
        (&handshake["pingInterval"], &handshake["pingTimeout"], &handshake["maxPayload"]),
        (&12345.into(), &2345.into(), &34567.into())
    );
}

#[tokio::test]
async fn a_session_beyond_the_limit_is_refused() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    for limit in ["SWITCHBOARD__SOCKET__MAX_SESSIONS", "SWITCHBOARD__SOCKET__MAX_SESSIONS_PER_ADDRESS"] {
        let server = ApiServer::start_with(&database, &[(limit, "2")]).await;
        SupportSession::open(&server).await;
        SupportSession::open(&server).await;
        let refused = server.get(&TestUser::anonymous(), HANDSHAKE).await;
        assert_eq!((refused.status.as_u16(), refused.message()), (403, "Too many sessions"), "{limit}");
    }
}

#[tokio::test]
async fn sessions_are_counted_by_ip_prefix() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let settings =
        [("SWITCHBOARD__SOCKET__MAX_SESSIONS_PER_ADDRESS", "1"), ("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "127.0.0.1")];
    let server = ApiServer::start_with(&database, &settings).await;
    for (address, status) in [
        ("2001:db8:1:2::1", 200),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", 403),
        ("2001:db8:1:3::1", 200),
        ("192.0.2.1", 200),
        ("::ffff:192.0.2.1", 403),
        ("192.0.2.2", 200),
    ] {
        let request = server.request(Method::GET, &TestUser::anonymous(), HANDSHAKE).header("x-forwarded-for", address);
        assert_eq!(request.send(None).await.status, status, "{address}");
    }
}

/// Unread answers fill the kernel's buffers, then the server's. The kernel then ends the connection (TCP_USER_TIMEOUT).
#[tokio::test]
async fn a_client_that_does_not_read_loses_its_connection() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start_with(&database, &[("SWITCHBOARD__SERVER__UNREAD_TIMEOUT_SECONDS", "1")]).await;
    let mut client = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    SockRef::from(&client).set_recv_buffer_size(16 * 1024).unwrap();
    let request = b"GET /socket.io/?EIO=4&transport=none HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    let written = async { while client.write_all(&request).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(60), written)
        .await
        .expect("the connection stays open although the client reads nothing");
}

/// A phone with a suspended app answers no ping, while its system acknowledges what is sent and closes nothing.
#[tokio::test]
async fn a_client_that_answers_no_ping_loses_its_connection() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let soon = [("SWITCHBOARD__SOCKET__PING_INTERVAL_MS", "100"), ("SWITCHBOARD__SOCKET__PING_TIMEOUT_MS", "100")];
    let server = ApiServer::start_with(&database, &soon).await;
    let request = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut suspended = Vec::new();
    // actix-http measures time by a clock of its own that advances twice a second; the connections spread over its period.
    for _ in 0..20 {
        let mut client = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        suspended.push(client);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    for (index, mut client) in suspended.into_iter().enumerate() {
        let ended = tokio::time::timeout(Duration::from_secs(20), client.read_to_end(&mut Vec::new())).await;
        ended.unwrap_or_else(|_| panic!("connection {index} stays open although its session is over")).unwrap();
    }
}
