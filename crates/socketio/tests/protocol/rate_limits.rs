//! The rate limiter hook: what is refused, and what closes the connection.

use std::sync::Arc;

use actix_socketio::{ConnectRefusal, EngineConfig, Event, Namespace, RateLimiter, Socket, SocketIo, Violation};
use serde_json::json;

use crate::support::{Log, Server, join, next_entry, scripted_namespace, without_recovery};

/// Accepts three CONNECT packets and three events, refuses three more, then reports a flood.
#[derive(Default)]
struct Three {
    connects: u32,
    events: u32,
}

fn check(count: &mut u32) -> Result<(), Violation> {
    *count += 1;
    match *count {
        0..=3 => Ok(()),
        4..=6 => Err(Violation::Excess),
        _ => Err(Violation::Flood),
    }
}

impl RateLimiter for Three {
    fn check_connect(&mut self) -> Result<(), Violation> {
        check(&mut self.connects)
    }

    fn check_event(&mut self, namespace: &Arc<str>) -> Result<(), Violation> {
        assert_eq!(&**namespace, "/");
        check(&mut self.events)
    }

    fn refusal(&self) -> ConnectRefusal {
        ConnectRefusal { message: "slow down".to_owned(), data: Some(json!({"code": 1})) }
    }
}

fn server() -> (Server, Log) {
    let log = Log::default();
    let namespace: Namespace<_> = scripted_namespace("/", &log)
        .on_rate_limited(|_: Socket<_>, event: Event| async move { Some(format!("{} refused", event.name)) });
    let io = SocketIo::builder(EngineConfig::default(), without_recovery())
        .namespace(namespace)
        .rate_limit(|| Some(Box::new(Three::default())))
        .build();
    (Server::start(io), log)
}

#[tokio::test]
async fn excess_events_are_refused_and_a_flood_closes_the_connection() {
    let (server, log) = server();
    let mut socket = join(&server).await;
    for id in 1..=3 {
        socket.send(&format!("42{id}[\"echo\"]")).await;
        assert_eq!(socket.text().await, format!("43{id}[]"));
    }
    // Events without a handler count too.
    for (id, event) in [(4, "echo"), (5, "unknown"), (6, "echo")] {
        socket.send(&format!("42{id}[\"{event}\"]")).await;
        assert_eq!(socket.text().await, format!("43{id}[\"{event} refused\"]"));
    }
    socket.send("427[\"echo\"]").await;
    assert_eq!(socket.text().await, "41");
    assert!(socket.closes().await);
    assert_eq!(next_entry(&log).await, "server namespace disconnect");
}

#[tokio::test]
async fn rejoining_a_namespace_does_not_reset_the_limit() {
    let (server, _) = server();
    let mut socket = join(&server).await;
    for id in 1..=3 {
        socket.send(&format!("42{id}[\"echo\"]")).await;
        assert_eq!(socket.text().await, format!("43{id}[]"));
    }
    socket.send("41").await;
    socket.send("40").await;
    socket.expect("40{").await;
    socket.expect("42[\"welcome\"").await;
    socket.send("424[\"echo\"]").await;
    assert_eq!(socket.text().await, "434[\"echo refused\"]");
}

#[tokio::test]
async fn excess_connects_are_refused_and_a_flood_closes_the_connection() {
    let (server, _) = server();
    let mut socket = join(&server).await;
    // The namespace does not matter.
    for answer in ["Invalid namespace", "Invalid namespace", "slow down", "slow down", "slow down"] {
        socket.send("40/unknown,").await;
        assert!(socket.expect("44/unknown,").await.contains(answer), "{answer}");
    }
    socket.send("40/unknown,").await;
    assert!(socket.closes().await);
}
