//! TCP connections: how long each waits for its client, how many a client may have, and that a client which takes all that
//! it can get takes nothing from others.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use socket2::SockRef;
use switchboard_testkit::WebSocketSession;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, SEND, ScratchDatabase, TestUser, exchange};

/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const LIVE: &str = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
const TIMED_OUT: &str = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

const UNUSED: &str = "SWITCHBOARD__SERVER__UNUSED_CONNECTION_SECONDS";
const IDLE: &str = "SWITCHBOARD__SERVER__KEEP_ALIVE_SECONDS";
const HEAD: &str = "SWITCHBOARD__SERVER__HEAD_TIMEOUT_MS";
const PER_ADDRESS: &str = "SWITCHBOARD__SERVER__MAX_CONNECTIONS_PER_ADDRESS";
const PER_WORKER: &str = "SWITCHBOARD__SERVER__MAX_CONNECTIONS";

async fn start(settings: &[(&str, &str)]) -> (ApiServer, ScratchDatabase) {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    (ApiServer::start_with(&database, settings).await, database)
}

fn address(server: &ApiServer) -> SocketAddr {
    server.url.trim_start_matches("http://").parse().unwrap()
}

/// Connects from this address of the machine.
async fn connect_from(source: &str, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
    socket.connect(server).await.unwrap()
}

/// What the server sends until it ends the connection. A connection that is reset has ended, too.
async fn read_all(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = async { while connection.read_buf(&mut bytes).await.unwrap_or(0) > 0 {} };
    timeout(PATIENCE, reading).await.expect("the connection stays open");
    String::from_utf8(bytes).unwrap()
}

/// Sends requests and reads their answers.
async fn use_connection(connection: &mut TcpStream, requests: usize) {
    for _ in 0..requests {
        assert_eq!(exchange(connection, "GET /health/live HTTP/1.1", "").await, "HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn the_head_of_every_request_has_a_deadline() {
    let (server, _database) = start(&[(HEAD, "100")]).await;
    let one_head = format!("GET {MY_CONVERSATIONS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ");
    let cases = [0, 1, 2, 5].into_iter().flat_map(|earlier| {
        ["G", "GET / HTTP/1.1\r\n", &one_head, "\r\n", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"]
            .map(|begun| (earlier, begun.to_owned()))
    });
    join_all(cases.map(async |(earlier, begun)| {
        let mut connection = TcpStream::connect(address(&server)).await.unwrap();
        use_connection(&mut connection, earlier).await;
        connection.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(read_all(&mut connection).await, TIMED_OUT, "{begun:?} after {earlier} requests");
    }))
    .await;
}

#[tokio::test]
async fn a_head_that_never_ends_is_ended_however_often_a_byte_of_it_arrives() {
    let (server, _database) = start(&[(HEAD, "200")]).await;
    join_all([0, 1].map(async |earlier| {
        let mut connection = TcpStream::connect(address(&server)).await.unwrap();
        use_connection(&mut connection, earlier).await;
        connection.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        let (mut reader, mut writer) = connection.into_split();
        let dripping = async {
            while writer.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let answered = async {
            let mut answer = [0; 12];
            reader.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"HTTP/1.1 408");
        };
        timeout(PATIENCE, futures_util::future::join(dripping, answered)).await.expect("the connection stays open");
    }))
    .await;
}

/// A head that begins while the answer to the request before it is still made has the time of an idle connection.
#[tokio::test]
async fn the_beginning_of_a_pipelined_request_does_not_keep_a_connection() {
    let (server, _database) = start(&[(HEAD, "100"), (IDLE, "1")]).await;
    let mut connection = TcpStream::connect(address(&server)).await.unwrap();
    connection.write_all(format!("{LIVE}{LIVE}GET / HT").as_bytes()).await.unwrap();
    let answers = read_all(&mut connection).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_silently() {
    let (server, _database) = start(&[(UNUSED, "1"), (IDLE, "3600")]).await;
    let mut unused = TcpStream::connect(address(&server)).await.unwrap();
    let mut used = TcpStream::connect(address(&server)).await.unwrap();
    use_connection(&mut used, 1).await;
    assert_eq!(read_all(&mut unused).await, "");
    // The other has its own time.
    use_connection(&mut used, 1).await;
    drop(server);

    let (server, _database) = start(&[(UNUSED, "3600"), (IDLE, "1")]).await;
    let mut unused = TcpStream::connect(address(&server)).await.unwrap();
    let mut used = TcpStream::connect(address(&server)).await.unwrap();
    use_connection(&mut used, 2).await;
    assert_eq!(read_all(&mut used).await, "");
    use_connection(&mut unused, 1).await;
}

/// A WebSocket, a long poll, a slow upload and a slow reader, all for longer than a connection may be idle.
#[tokio::test]
async fn what_takes_long_on_purpose_is_not_cut() {
    let settings = [(HEAD, "100"), (IDLE, "1"), (UNUSED, "1"), ("SWITCHBOARD__SOCKET__PING_INTERVAL_MS", "2500")];
    let (server, _database) = start(&settings).await;
    let mut socket = WebSocketSession::open(address(&server), PATIENCE).await.unwrap();
    let mut poll = TcpStream::connect(address(&server)).await.unwrap();
    let handshake = get(&mut poll, "/socket.io/?EIO=4&transport=polling").await;
    let sid = handshake.split('"').skip_while(|part| *part != "sid").nth(2).unwrap().to_owned();

    let mut upload = TcpStream::connect(address(&server)).await.unwrap();
    let (token, body) = (TestUser::customer("john").token, r#"{"message":"Hello"}"#);
    let head = format!(
        "POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{{",
        body.len()
    );
    upload.write_all(head.as_bytes()).await.unwrap();

    let mut slow_reader = TcpStream::connect(address(&server)).await.unwrap();
    SockRef::from(&slow_reader).set_recv_buffer_size(128 * 1024).unwrap();
    // More than fits into the buffers.
    let styles = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(4);
    slow_reader.write_all(styles.as_bytes()).await.unwrap();

    // Both answers arrive after the ping interval.
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    let polled = get(&mut poll, &path);
    let (ping, polled) = futures_util::future::join(socket.receive(), polled).await;
    assert_eq!((ping.unwrap().as_str(), polled.as_str()), ("2", "2"));
    upload.write_all(&body.as_bytes()[1..]).await.unwrap();
    let mut status = [0; 12];
    upload.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 201");
    let read = read_all(&mut slow_reader).await;
    assert_eq!(read.matches("HTTP/1.1 200 OK").count(), 4);
    let script = server.http.get(format!("{}/docs/swagger-ui-bundle.js", server.url)).send().await.unwrap();
    let script = script.text().await.unwrap();
    assert!(read.ends_with(&script) && script.len() > 1_000_000, "the answers are cut");
}

/// The body of the answer to a GET on a connection that stays open.
async fn get(connection: &mut TcpStream, path: &str) -> String {
    connection.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let read = timeout(PATIENCE, connection.read_buf(&mut answer)).await.expect("no answer").unwrap();
        assert!(read > 0, "{path}: the connection ended");
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return body.to_owned();
        }
    }
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_further_ones_are_closed_at_once() {
    let (server, _database) = start(&[(PER_ADDRESS, "3")]).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut connection = connect_from("127.0.0.2", address(&server)).await;
        use_connection(&mut connection, 1).await;
        kept.push(connection);
    }
    for _ in 0..5 {
        let mut refused = connect_from("127.0.0.2", address(&server)).await;
        // It may be closed before it is written to.
        let _ = refused.write_all(LIVE.as_bytes()).await;
        assert_eq!(read_all(&mut refused).await, "");
    }
    use_connection(&mut connect_from("127.0.0.3", address(&server)).await, 1).await;
    for connection in &mut kept {
        use_connection(connection, 1).await;
    }
    kept.pop();
    // Once the server has noticed the end of the one, there is a place for another.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut connection = connect_from("127.0.0.2", address(&server)).await;
        let _ = connection.write_all(LIVE.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes()).await;
        if read_all(&mut connection).await.starts_with("HTTP/1.1 200 OK") {
            break;
        }
        assert!(Instant::now() < deadline, "the place stays taken");
    }
}

#[tokio::test]
async fn the_connections_of_trusted_proxies_are_not_limited() {
    let (server, _database) = start(&[(PER_ADDRESS, "1"), ("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "127.0.0.2")]).await;
    let mut connections = Vec::new();
    for _ in 0..8 {
        let mut connection = connect_from("127.0.0.2", address(&server)).await;
        use_connection(&mut connection, 1).await;
        connections.push(connection);
    }
}

/// The attack: a client opens as many connections as it can, sends a request on each and never finishes the second one.
#[tokio::test]
async fn a_client_that_finishes_no_second_request_takes_nothing_from_others() {
    let (server, _database) = start(&[(PER_WORKER, "16"), (PER_ADDRESS, "20"), (HEAD, "120000")]).await;
    let mut attack = Vec::new();
    for _ in 0..200 {
        let mut connection = connect_from("127.0.0.2", address(&server)).await;
        // Refused connections may be closed before or after this.
        let _ = connection.write_all(format!("{LIVE}GET / HTTP/1.1\r\nHost: ").as_bytes()).await;
        let mut answer = [0; 12];
        if connection.read_exact(&mut answer).await.is_ok() {
            assert_eq!(&answer, b"HTTP/1.1 200");
            attack.push(connection);
        }
    }
    assert_eq!(attack.len(), 20);
    let token = TestUser::customer("john").token;
    let head = format!("POST {SEND} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json");
    let mut connections = Vec::new();
    for _ in 0..10 {
        let mut connection = connect_from("127.0.0.3", address(&server)).await;
        let status = timeout(PATIENCE, exchange(&mut connection, &head, r#"{"message":"Hello"}"#)).await.unwrap();
        assert_eq!(status, "HTTP/1.1 201 Created");
        connections.push(connection);
    }
}

/// Even if the limit for an address leaves room for more than there are.
#[tokio::test]
async fn the_server_is_alive_while_a_client_holds_all_connections() {
    let (server, _database) = start(&[(PER_WORKER, "4"), (HEAD, "120000"), (IDLE, "3600")]).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut connection = connect_from("127.0.0.2", address(&server)).await;
        use_connection(&mut connection, 1).await;
        connection.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
        held.push(connection);
    }
    for _ in 0..20 {
        let mut probe = connect_from("127.0.0.3", address(&server)).await;
        probe.write_all(LIVE.as_bytes()).await.unwrap();
        let answer = read_all(&mut probe).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("connection: close\r\n"), "{answer}");
        let mut other = connect_from("127.0.0.3", address(&server)).await;
        other.write_all(format!("GET {MY_CONVERSATIONS} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let answer = read_all(&mut other).await;
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
        assert!(answer.contains("retry-after: 1\r\n") && answer.contains("connection: close\r\n"), "{answer}");
    }
    // What takes a reserved place gives it back soon.
    for _ in 0..40 {
        held.push(connect_from("127.0.0.2", address(&server)).await);
    }
    let mut probe = connect_from("127.0.0.3", address(&server)).await;
    probe.write_all(LIVE.as_bytes()).await.unwrap();
    assert!(read_all(&mut probe).await.starts_with("HTTP/1.1 200 OK\r\n"));
    drop(held);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut connection = connect_from("127.0.0.3", address(&server)).await;
        if exchange(&mut connection, &format!("GET {MY_CONVERSATIONS} HTTP/1.1"), "").await.contains("401") {
            break;
        }
        assert!(Instant::now() < deadline, "the places stay taken");
    }
}
