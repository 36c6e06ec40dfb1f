//! Many requests on one connection, as phones and proxies send them.

use std::time::Duration;

use switchboard_testkit::PollingSession;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, TestUser, exchange};

async fn connect(server: &ApiServer) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()
}

#[tokio::test]
async fn an_unread_body_does_not_end_the_connection() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let id = server.open_conversation(&TestUser::customer("john")).await;
    let mut connection = connect(&server).await;
    let large = "x".repeat(200_000);
    for round in 0..50 {
        for (token, path, body, status) in [
            (&TestUser::agent("sarah").token, format!("{QUEUE}/{id}/claim"), "{}", "201"),
            (&TestUser::agent("mike").token, format!("{QUEUE}/{id}/claim"), "{}", "400"),
            (&"bad".to_owned(), format!("{QUEUE}/{id}/claim"), large.as_str(), "401"),
            (&"bad".to_owned(), "/nonsense".to_owned(), "{}", "404"),
        ] {
            let head = format!("POST {path} HTTP/1.1\r\nAuthorization: Bearer {token}");
            let status_line = exchange(&mut connection, &head, body).await;
            assert!(status_line.contains(status), "round {round}: {status_line}");
        }
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_answered_in_time() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start_with(&database, &[("SWITCHBOARD__SERVER__REQUEST_TIMEOUT_MS", "200")]).await;
    let mut connection = connect(&server).await;
    let token = TestUser::agent("sarah").token;
    let request = format!(
        "POST {QUEUE}/x/reply HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(30), connection.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
}

#[tokio::test]
async fn a_body_that_arrives_too_slowly_is_answered_408_and_ends_its_connection() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start_with(&database, &[("SWITCHBOARD__SERVER__BODY_TIMEOUT_MS", "100")]).await;
    let token = TestUser::agent("sarah").token;
    for (path, length, sent) in [
        ("reply", "Content-Length: 100", "{"),
        ("claim", "Content-Length: 2", ""),
        ("reply", "Transfer-Encoding: chunked", "1\r\n{\r\n"),
    ] {
        let mut connection = connect(&server).await;
        let request = format!(
            "POST {QUEUE}/x/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\n{length}\r\n\r\n{sent}"
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let read = tokio::time::timeout(Duration::from_secs(60), connection.read_buf(&mut answer)).await;
            assert!(read.unwrap().unwrap() > 0, "the connection ended: {}", String::from_utf8_lossy(&answer));
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close\r\n"), "{answer}");
        assert!(answer.contains("\"code\":\"REQUEST_TIMEOUT\""), "{answer}");
        assert!(answer.contains("x-request-id: "), "{answer}");
    }
}

/// A WebSocket handshake on a path that is none of Socket.IO's is answered like the request without it.
#[tokio::test]
async fn a_request_to_upgrade_is_answered_without_waiting_for_what_follows() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    // Longer than the test waits.
    let patient =
        [("SWITCHBOARD__SERVER__BODY_TIMEOUT_MS", "120000"), ("SWITCHBOARD__SERVER__REQUEST_TIMEOUT_MS", "120000")];
    let server = ApiServer::start_with(&database, &patient).await;
    let claim = format!("{QUEUE}/x/claim");
    for (method, path, length, status) in [
        ("GET", "/support", "", "404"),
        ("GET", "/", "", "307"),
        ("GET", QUEUE, "", "401"),
        ("POST", QUEUE, "", "405"),
        ("POST", "/nonsense", "", "404"),
        ("GET", "/health/ready", "", "200"),
        ("GET", "/support", "Content-Length: 0\r\n", "404"),
        ("GET", QUEUE, "Content-Length: 0\r\n", "401"),
        ("POST", &claim, "Content-Length: 0\r\n", "401"),
        ("POST", "/nonsense", "Content-Length: 0\r\n", "404"),
        ("POST", &claim, "Content-Length: 2\r\n", "401"),
        ("POST", "/nonsense", "Content-Length: 2\r\n", "404"),
        ("GET", "/health/ready", "Content-Length: 2\r\n", "200"),
    ] {
        let body = if length.contains('2') { "{}" } else { "" };
        for frame in ["", "\u{1}\u{2}frames of a client that does not wait"] {
            let mut connection = connect(&server).await;
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{length}\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n{body}{frame}"
            );
            connection.write_all(request.as_bytes()).await.unwrap();
            let mut answer = [0; 12];
            let answered = tokio::time::timeout(Duration::from_secs(60), connection.read_exact(&mut answer)).await;
            answered.unwrap_or_else(|_| panic!("{method} {path} is not answered")).unwrap();
            assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"), "{method} {path}");
        }
    }
}

/// Sends requests and FIN, and reads everything that the server sends.
async fn send_and_finish(server: &ApiServer, requests: &str) -> String {
    let mut connection = connect(server).await;
    connection.write_all(requests.as_bytes()).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), connection.read_to_end(&mut answer)).await;
    read.expect("the connection stays open").unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_request_that_is_followed_by_fin_at_once_is_answered() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let token = TestUser::customer("john").token;
    let send = format!(
        "POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: 19\r\n\r\n{{\"message\":\"Hello\"}}"
    );
    let list = format!("GET {MY_CONVERSATIONS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    for (requests, answers) in [
        (send.clone(), ["201"].as_slice()),
        (list.clone(), &["200"]),
        (format!("{send}{list}{send}"), &["201", "200", "201"]),
        (format!("{list}GET / HT"), &["200"]),
    ] {
        let answer = send_and_finish(&server, &requests).await;
        let statuses: Vec<_> = answer.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        assert_eq!(statuses, answers, "{requests}");
    }
    let sent =
        format!("POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 19\r\n\r\n{{");
    assert!(!send_and_finish(&server, &sent).await.contains("201"), "half a body is none");
}

#[tokio::test]
async fn a_polling_clients_packets_are_accepted_with_fin_and_a_poll_that_is_followed_by_fin_ends_the_session() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let session = PollingSession::open(&server.url).await.unwrap();
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", session.handshake["sid"].as_str().unwrap());
    let pong = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n3");
    let answer = send_and_finish(&server, &pong).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
    // What is queued is delivered; the next poll has to wait, which it does only for a client that is there.
    session.send("40/nowhere,").await.unwrap();
    let poll = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = send_and_finish(&server, &poll).await;
    assert!(answer.contains("44/nowhere,"), "{answer}");
    assert!(session.is_open().await);
    assert!(!send_and_finish(&server, &poll).await.starts_with("HTTP/1.1 200"));
    assert!(!session.is_open().await);
}

/// A client that hangs up while its poll waits, which it has done for a while.
#[tokio::test]
async fn a_client_that_hangs_up_in_a_poll_is_noticed() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let session = PollingSession::open(&server.url).await.unwrap();
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", session.handshake["sid"].as_str().unwrap());
    let poll = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut connection = connect(&server).await;
    connection.write_all(poll.as_bytes()).await.unwrap();
    // The packets and pongs of a minute.
    for _ in 0..10 {
        assert!(session.is_open().await);
    }
    drop(connection);
    let ended = async {
        while session.is_open().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // Long before the heartbeat would notice it.
    tokio::time::timeout(Duration::from_secs(15), ended).await.expect("the session stays open");
}
