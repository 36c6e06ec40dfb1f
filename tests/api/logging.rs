//! The log of a server: what is in it, and that it never stalls the server.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, ServerOptions, TestServer, TestUser};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const SEND_UNAUTHENTICATED: &str = "/api/v1/support/chat/send-unauthenticated";

async fn spawn(options: ServerOptions) -> TestServer {
    TestServer::spawn(Path::new(env!("CARGO_BIN_EXE_switchboard")), &options).await.unwrap()
}

async fn get(http: &Client, server: &TestServer, path: &str, token: &str) -> StatusCode {
    http.get(format!("{}{path}", server.url())).bearer_auth(token).send().await.unwrap().status()
}

#[tokio::test]
async fn a_log_that_is_not_read_does_not_stall_the_server() {
    let (database, folder) = (ScratchDatabase::sqlite(), tempfile::tempdir().unwrap());
    let pipe = folder.path().join("log");
    // The server has the pipe open for reading, too, so that opening it does not wait. A pipe holds 64 KiB.
    let stalled = format!("mkfifo '{0}'; exec 2<>'{0}';", pipe.display());
    let options = ServerOptions::new(&database).shell_prefix(&stalled);
    let server =
        spawn(options.set("SWITCHBOARD__LOG__LEVEL", "debug").set("SWITCHBOARD__LOG__QUEUE_BYTES", "4096")).await;
    let (http, john) = (Client::new(), TestUser::customer("john"));
    for _ in 0..2000 {
        assert_eq!(get(&http, &server, "/health/live", "").await, StatusCode::OK);
    }
    let answer = http.post(format!("{}{SEND}", server.url())).bearer_auth(&john.token);
    assert_eq!(answer.json(&json!({ "message": "Hello" })).send().await.unwrap().status(), StatusCode::CREATED);

    let (found, finding) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(std::fs::File::open(pipe).unwrap()).lines().map_while(Result::ok);
        for line in lines.filter(|line| line.contains("log lines were dropped")) {
            // The test may have ended.
            let _ = found.send(line);
        }
    });
    let line = finding.recv_timeout(PATIENCE).unwrap();
    let dropped: u64 = line.split("dropped=").nth(1).and_then(|number| number.trim().parse().ok()).unwrap();
    assert!(dropped > 0, "{line}");
}

/// Waits until the log contains a line that `is_wanted`.
async fn line(server: &TestServer, is_wanted: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(line) = server.log().lines().find(|line| is_wanted(line)) {
            return line.to_owned();
        }
        assert!(Instant::now() < deadline, "{}", server.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn sighup_does_not_end_the_server() {
    let database = ScratchDatabase::sqlite();
    let mut server = spawn(ServerOptions::new(&database)).await;
    for _ in 0..2 {
        let signalled = Command::new("bash").args(["-c", &format!("kill -HUP {}", server.pid())]).status().unwrap();
        assert!(signalled.success());
    }
    line(&server, |line| line.contains("SIGHUP: ignored")).await;
    assert_eq!(get(&Client::new(), &server, "/health/ready", "").await, StatusCode::OK);
    assert!(server.exit_status().is_none());
}

#[tokio::test]
async fn a_server_that_is_stopped_logs_no_error() {
    for _ in 0..8 {
        let database = ScratchDatabase::sqlite();
        let mut server = spawn(ServerOptions::new(&database)).await;
        assert_eq!(get(&Client::new(), &server, "/health/ready", "").await, StatusCode::OK);
        let stopped = Command::new("bash").args(["-c", &format!("kill -TERM {}", server.pid())]).status().unwrap();
        assert!(stopped.success());
        line(&server, |line| line.ends_with(": stopped")).await;
        let deadline = Instant::now() + PATIENCE;
        while server.exit_status().is_none() {
            assert!(Instant::now() < deadline, "{}", server.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let log = server.log();
        assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
    }
}

#[tokio::test]
async fn refusals_are_logged_by_samples_that_count_the_others() {
    let database = ScratchDatabase::sqlite();
    let options = ServerOptions::new(&database)
        .set("SWITCHBOARD__LOG__REFUSALS_PER_SECOND", "1")
        .set("SWITCHBOARD__GUARD__MODE", "device")
        .set("SWITCHBOARD__LIMITS__ENABLED", "true")
        .set("SWITCHBOARD__LIMITS__GUEST_CALLS_PER_MINUTE", "10000")
        .set("SWITCHBOARD__LIMITS__SENDS_PER_SECOND", "1")
        .set("SWITCHBOARD__LIMITS__SENDS_BURST", "1");
    let (server, http) = (spawn(options).await, Client::new());
    let (john, deadline) = (TestUser::customer("john"), Instant::now() + PATIENCE);
    for (kind, token, path, body) in [
        ("a token was refused", "hunter2.hunter2.hunter2", MY_CONVERSATIONS, None),
        (
            "the guard refused a request",
            "",
            SEND_UNAUTHENTICATED,
            Some(json!({ "message": "hunter2", "email": "a@b.example" })),
        ),
        ("a rate limit was exceeded", john.token.as_str(), SEND, Some(json!({ "message": "hunter2" }))),
    ] {
        let is_counted = |line: &str| line.contains(kind) && line.contains(" total=") && !line.contains("suppressed=0");
        // Further refusals, until a second has passed and the next line is written.
        while !server.log().lines().any(is_counted) {
            assert!(Instant::now() < deadline, "{kind}: {}", server.log());
            let url = format!("{}{path}", server.url());
            let request = match &body {
                Some(body) => http.post(url).json(body),
                None => http.get(url),
            };
            let request = if token.is_empty() { request } else { request.bearer_auth(token) };
            request.send().await.unwrap();
        }
    }
    let log = server.log();
    assert!(!log.contains("hunter2") && !log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn a_request_with_a_refused_token_counts_one_refusal() {
    let database = ScratchDatabase::sqlite();
    let (server, http) = (spawn(ServerOptions::new(&database)).await, Client::new());
    for (number, path) in [(1, MY_CONVERSATIONS), (2, QUEUE), (3, MY_CONVERSATIONS)] {
        assert_eq!(get(&http, &server, path, "no-token").await, StatusCode::UNAUTHORIZED);
        let counted = line(&server, |line| line.contains(&format!(" total={number} "))).await;
        assert!(counted.contains("a token was refused"), "{counted}");
        assert!(!server.log().contains(&format!(" total={} ", number + 1)), "{}", server.log());
    }
}

/// What scanners and clients of other protocols send, and what the server makes of it.
#[tokio::test]
async fn malformed_requests_are_counted_and_are_no_errors_of_the_server() {
    let database = ScratchDatabase::sqlite();
    let options = ServerOptions::new(&database)
        .set("SWITCHBOARD__LOG__LEVEL", "debug")
        .set("SWITCHBOARD__LOG__REFUSALS_PER_SECOND", "1000");
    let server = spawn(options).await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(200));
    let inputs: [&[u8]; 14] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello",
        b"\x80\x80\x01\x03\x01\x00\x57\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x05\x01\x00\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GE T / HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ];
    for (number, input) in inputs.into_iter().enumerate() {
        let mut connection = TcpStream::connect(server.address()).await.unwrap();
        // The server may have ended the connection before it has all.
        let _ = connection.write_all(input).await;
        let read = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut Vec::new())).await;
        assert!(read.is_ok(), "{number} keeps its connection");
        let counted = format!(" total={} ", number + 1);
        let line = line(&server, |line| line.contains("a request was malformed") && line.contains(&counted)).await;
        assert!(line.contains("DEBUG"), "{line}");
    }
    let chunk = format!("POST {SEND} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
    let mut connection = TcpStream::connect(server.address()).await.unwrap();
    connection.write_all(chunk.as_bytes()).await.unwrap();
    tokio::time::timeout(PATIENCE, connection.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    let log = server.log();
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
}
