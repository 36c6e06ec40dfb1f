//! What settings do to sockets, and that a client which does not read loses its connection too.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Backend, Person, TestDatabase, TestServer};

const OPEN: &str = "/socket.io/?EIO=4&transport=polling";

/// A polling session: its opening packet.
async fn open(server: &TestServer) -> Value {
    let answer = server.get(&Person::nobody(), OPEN).await;
    let body = answer.body.as_str().unwrap().to_owned();
    serde_json::from_str(body.strip_prefix('0').unwrap()).unwrap()
}

/// Joins `/support` on a session; the answer to its CONNECT.
async fn join(server: &TestServer, open: &Value) -> Value {
    let path = format!("{OPEN}&sid={}", open["sid"].as_str().unwrap());
    let token = Person::customer("john").token;
    let connect = format!(r#"40/support,{{"token":"{token}"}}"#);
    let request = server.http.post(format!("{}{path}", server.url)).body(connect).send().await.unwrap();
    assert_eq!(request.text().await.unwrap(), "ok");
    let answer = server.get(&Person::nobody(), &path).await;
    let body = answer.body.as_str().unwrap().to_owned();
    serde_json::from_str(body.strip_prefix("40/support,").unwrap()).unwrap()
}

#[tokio::test]
async fn a_client_gets_a_secret_to_come_back_with_unless_recovery_is_off() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    assert!(join(&server, &open(&server).await).await["pid"].is_string());
    drop(server);
    let server = TestServer::start_with(&database, &[("SWITCHBOARD__RECOVERY__ENABLED", "false")]).await;
    let connected = join(&server, &open(&server).await).await;
    assert_eq!(connected.as_object().unwrap().keys().collect::<Vec<_>>(), ["sid"]);
}

#[tokio::test]
async fn what_is_configured_stands_in_the_opening_packet() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let variables = [
        ("SWITCHBOARD__SOCKET__PING_INTERVAL_MS", "12345"),
        ("SWITCHBOARD__SOCKET__PING_TIMEOUT_MS", "2345"),
        ("SWITCHBOARD__SOCKET__MAX_PAYLOAD_BYTES", "34567"),
    ];
    let server = TestServer::start_with(&database, &variables).await;
    let open = open(&server).await;
    assert_eq!(
        (&open["pingInterval"], &open["pingTimeout"], &open["maxPayload"]),
        (&12345.into(), &2345.into(), &34567.into())
    );
}

#[tokio::test]
async fn the_session_over_the_limit_is_refused() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    for limit in ["SWITCHBOARD__SOCKET__MAX_SESSIONS", "SWITCHBOARD__SOCKET__MAX_SESSIONS_PER_ADDRESS"] {
        let server = TestServer::start_with(&database, &[(limit, "2")]).await;
        open(&server).await;
        open(&server).await;
        let refused = server.get(&Person::nobody(), OPEN).await;
        assert_eq!((refused.status.as_u16(), refused.message()), (403, "Too many sessions"), "{limit}");
    }
}

#[tokio::test]
async fn sessions_are_counted_by_the_network_of_an_address_as_everything_else_is() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let settings =
        [("SWITCHBOARD__SOCKET__MAX_SESSIONS_PER_ADDRESS", "1"), ("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "127.0.0.1")];
    let server = TestServer::start_with(&database, &settings).await;
    for (address, status) in [
        ("2001:db8:1:2::1", 200),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", 403),
        ("2001:db8:1:3::1", 200),
        ("192.0.2.1", 200),
        ("::ffff:192.0.2.1", 403),
        ("192.0.2.2", 200),
    ] {
        let knock = server.request(Method::GET, &Person::nobody(), OPEN).header("x-forwarded-for", address);
        assert_eq!(knock.send(None).await.status, status, "{address}");
    }
}

/// Answers that nobody reads pile up: first in the kernel, then here. The kernel ends the connection.
#[tokio::test]
async fn the_connection_of_a_client_that_does_not_read_is_ended() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start_with(&database, &[("SWITCHBOARD__SERVER__UNREAD_TIMEOUT_SECONDS", "1")]).await;
    let mut client = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    SockRef::from(&client).set_recv_buffer_size(16 * 1024).unwrap();
    let request = b"GET /socket.io/?EIO=4&transport=none HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    let written = async { while client.write_all(&request).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(60), written).await.expect("the connection stays, though nobody reads");
}

/// A phone that put the app to sleep answers no ping, and its system still takes what we send and hangs up nothing.
#[tokio::test]
async fn the_connection_of_a_client_that_answers_no_ping_and_does_not_hang_up_is_ended() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let soon = [("SWITCHBOARD__SOCKET__PING_INTERVAL_MS", "100"), ("SWITCHBOARD__SOCKET__PING_TIMEOUT_MS", "100")];
    let server = TestServer::start_with(&database, &soon).await;
    let request = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut asleep = Vec::new();
    // actix-http reckons by a clock of its own that moves twice a second: they end at all its moments.
    for _ in 0..20 {
        let mut client = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        asleep.push(client);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    for (index, mut client) in asleep.into_iter().enumerate() {
        let ended = tokio::time::timeout(Duration::from_secs(20), client.read_to_end(&mut Vec::new())).await;
        ended.unwrap_or_else(|_| panic!("connection {index} stays, though its session is over")).unwrap();
    }
}
