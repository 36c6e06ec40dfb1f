//! Many connections on a system that allows few open files.

use std::path::Path;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use crate::support::{MY_CONVERSATIONS, SEND, ScratchDatabase, ServerOptions, TestServer, TestUser, exchange};

/// Simultaneous connections: several times as many as a server with 160 open files holds.
const CONNECTIONS: usize = 300;
/// Connections that stay open and use the database all at once: more than it has connections of its own.
const ACTIVE: usize = 24;

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_switchboard"))
}

fn options(database: &ScratchDatabase, limit: &str) -> ServerOptions {
    ServerOptions::new(database).shell_prefix(limit)
}

/// Connects and waits for an answer; the connection stays open.
async fn connect(server: &TestServer) -> TcpStream {
    let mut connection = TcpStream::connect(server.address()).await.unwrap();
    assert_eq!(exchange(&mut connection, "GET /health/live HTTP/1.1", "").await, "HTTP/1.1 200 OK");
    connection
}

/// A request that writes to the database.
async fn write(connection: &mut TcpStream) {
    let token = TestUser::customer("john").token;
    let head = format!("POST {SEND} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json");
    assert_eq!(exchange(connection, &head, r#"{"message":"Hello"}"#).await, "HTTP/1.1 201 Created");
}

/// A request that reads from the database.
async fn read(connection: &mut TcpStream) {
    let token = TestUser::customer("john").token;
    let head = format!("GET {MY_CONVERSATIONS} HTTP/1.1\r\nAuthorization: Bearer {token}");
    assert_eq!(exchange(connection, &head, "").await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn connections_beyond_the_open_files_wait_and_the_accepted_ones_have_the_database() {
    let database = ScratchDatabase::sqlite();
    let server = TestServer::spawn(binary(), &options(&database, "ulimit -n 160;")).await.unwrap();
    let mut connections: FuturesUnordered<_> = (0..CONNECTIONS).map(|_| connect(&server)).collect();
    let mut active = Vec::new();
    while active.len() < ACTIVE {
        active.push(connections.next().await.unwrap());
    }
    // Meanwhile the other connections take what descriptors are left, and the rest waits.
    for _ in 0..10 {
        join_all(active.iter_mut().map(write)).await;
        join_all(active.iter_mut().map(read)).await;
    }
    let mut answered = ACTIVE;
    // Each connection is closed once it is answered, and a waiting one takes its descriptor.
    while connections.next().await.is_some() {
        answered += 1;
    }
    assert_eq!(answered, CONNECTIONS);
    join_all(active.iter_mut().map(read)).await;
    let log = server.log();
    assert!(!log.contains("Too many open files") && !log.contains("ERROR"), "{log}");
    assert!(log.contains("the limit of open files allows fewer connections than server.max_connections"), "{log}");
}

#[tokio::test]
async fn a_soft_limit_is_raised() {
    let database = ScratchDatabase::sqlite();
    // Many systems set a low soft limit, which a process may raise.
    let server = TestServer::spawn(binary(), &options(&database, "ulimit -Sn 160;")).await.unwrap();
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(connect(&server).await);
    }
    write(&mut connections[0]).await;
}

#[tokio::test]
async fn with_too_few_open_files_the_server_names_the_number_it_needs_and_exits() {
    let database = ScratchDatabase::sqlite();
    let failure = TestServer::spawn(binary(), &options(&database, "ulimit -n 80;")).await.unwrap_err();
    let log = failure.log;
    assert_eq!(failure.status.and_then(|status| status.code()), Some(1), "{log}");
    assert!(log.contains("the system allows 80 open files, and ") && log.contains("LimitNOFILE="), "{log}");
}
