//! A crowd of connections, and a system that allows few open files.

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use crate::support::{Person, Program, SEND, ask};

const BINARY: &str = env!("CARGO_BIN_EXE_switchboard");

/// Connections that come at once: many times what a server with 160 open files holds.
const CROWD: usize = 300;
/// Of those, who stay and ask the database all at once: more than it has connections.
const STAYING: usize = 24;

/// One of the crowd, once it has an answer. It stays connected.
async fn come(program: &Program) -> TcpStream {
    let mut connection = TcpStream::connect(program.address).await.unwrap();
    assert_eq!(ask(&mut connection, "GET /health/live HTTP/1.1", "").await, "HTTP/1.1 200 OK");
    connection
}

/// Something that needs the database to be written.
async fn write(connection: &mut TcpStream) {
    let token = Person::customer("john").token;
    let head = format!("POST {SEND} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json");
    assert_eq!(ask(connection, &head, r#"{"message":"Hello"}"#).await, "HTTP/1.1 201 Created");
}

/// Something that needs it to be read.
async fn read(connection: &mut TcpStream) {
    let token = Person::customer("john").token;
    let head = format!("GET /api/v1/support/conversations HTTP/1.1\r\nAuthorization: Bearer {token}");
    assert_eq!(ask(connection, &head, "").await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn more_connections_than_open_files_wait_and_the_database_is_there_for_those_within() {
    let program = Program::start(BINARY, "ulimit -n 160;").await;
    let mut crowd: FuturesUnordered<_> = (0..CROWD).map(|_| come(&program)).collect();
    let mut staying = Vec::new();
    while staying.len() < STAYING {
        staying.push(crowd.next().await.unwrap());
    }
    // What room is left is taken, and the rest waits.
    for _ in 0..10 {
        join_all(staying.iter_mut().map(write)).await;
        join_all(staying.iter_mut().map(read)).await;
    }
    let mut answered = STAYING;
    // Who is served leaves, and makes room for somebody who waits.
    while crowd.next().await.is_some() {
        answered += 1;
    }
    assert_eq!(answered, CROWD);
    join_all(staying.iter_mut().map(read)).await;
    let log = program.log();
    assert!(!log.contains("Too many open files") && !log.contains("ERROR"), "{log}");
    assert!(log.contains("the limit of open files allows fewer than server.max_connections"), "{log}");
}

#[tokio::test]
async fn a_limit_that_may_be_raised_is_raised() {
    // A shell's own, as many systems set it for whoever does not ask: low, and free to be raised.
    let program = Program::start(BINARY, "ulimit -Sn 160;").await;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(come(&program).await);
    }
    write(&mut crowd[0]).await;
}

#[tokio::test]
async fn with_too_few_open_files_it_says_how_many_it_needs_and_does_not_start() {
    let (ended, log) = Program::fail(BINARY, "ulimit -n 80;").await;
    assert_eq!(ended.code(), Some(1), "{log}");
    assert!(log.contains("the system allows 80 open files, and ") && log.contains("LimitNOFILE="), "{log}");
}
