//! A crowd of connections, and a system that allows few open files.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use crate::support::{Person, Program, SEND, ask};

const BINARY: &str = env!("CARGO_BIN_EXE_switchboard");

/// Connections that come at once: many times what a server with 160 open files holds.
const CROWD: usize = 600;

/// One of the crowd, once it has an answer. It stays connected.
async fn come(program: &Program) -> TcpStream {
    let mut connection = TcpStream::connect(program.address).await.unwrap();
    let answer = ask(&mut connection, "GET /health/live HTTP/1.1", "").await;
    assert_eq!(answer, "HTTP/1.1 200 OK");
    connection
}

/// Something that needs the database.
async fn write(connection: &mut TcpStream) -> String {
    let token = Person::customer("john").token;
    let head = format!("POST {SEND} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json");
    ask(connection, &head, r#"{"message":"Hello"}"#).await
}

#[tokio::test]
async fn more_connections_than_open_files_wait_and_the_database_is_there_for_those_within() {
    let program = Program::start(BINARY, "ulimit -n 160;").await;
    let mut crowd: FuturesUnordered<_> = (0..CROWD).map(|_| come(&program)).collect();
    let mut first = crowd.next().await.unwrap();
    let mut second = crowd.next().await.unwrap();
    let mut answered = 2;
    while let Some(connection) = crowd.next().await {
        answered += 1;
        // Who is served leaves, and makes room for somebody who waits.
        drop(connection);
        if answered % 50 == 0 {
            assert_eq!(write(&mut first).await, "HTTP/1.1 201 Created");
            assert_eq!(write(&mut second).await, "HTTP/1.1 201 Created");
        }
    }
    assert_eq!(answered, CROWD);
    let log = program.log();
    assert!(!log.contains("Too many open files"), "{log}");
    assert!(log.contains("the limit of open files allows fewer connections than server.max_connections"), "{log}");
}

#[tokio::test]
async fn a_limit_that_may_be_raised_is_raised() {
    // A shell's own, as many systems set it for whoever does not ask: low, and free to be raised.
    let program = Program::start(BINARY, "ulimit -Sn 160;").await;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(come(&program).await);
    }
    assert_eq!(write(&mut crowd[0]).await, "HTTP/1.1 201 Created");
}

#[tokio::test]
async fn with_too_few_open_files_it_says_how_many_it_needs_and_does_not_start() {
    let (ended, log) = Program::fail(BINARY, "ulimit -n 100;");
    assert_eq!(ended.code(), Some(1), "{log}");
    assert!(log.contains("the system allows 100 open files, and ") && log.contains("LimitNOFILE="), "{log}");
}
