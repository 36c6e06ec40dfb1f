//! The limits of connection state recovery, and that a client beyond them gets a new socket.

use std::time::Duration;

use actix_socketio::{EngineConfig, RecoveryConfig};
use serde_json::json;

use crate::support::{RecoveryServer, token, wait_until};

#[tokio::test]
async fn a_client_that_returns_too_late_gets_a_new_socket() {
    let recovery = RecoveryConfig { max_disconnection: Duration::from_millis(150), ..RecoveryConfig::default() };
    let server = RecoveryServer::start_with(EngineConfig::default(), recovery);
    let mut client = server.client(token()).await;
    client.join("room").await;
    let second = server.client(token()).await;
    client.socket.frame(0x88, &[]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let auth = second.auth();
    second.socket.abort();
    let second_back = server.client(auth).await;
    assert_eq!(second_back.sid, second.sid);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let back = server.reconnect(&client).await;
    assert_ne!(back.sid, client.sid);
    assert!(back.missed.is_empty());
    assert_eq!(server.namespace().to("room").emit("n", &1), 0);
    // The other client returned in time and is still connected.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.namespace().socket_count(), 2);
}

#[tokio::test]
async fn a_client_that_missed_more_events_than_are_kept_gets_a_new_socket() {
    let recovery = RecoveryConfig { max_packets: 10, ..RecoveryConfig::default() };
    let server = RecoveryServer::start_with(EngineConfig::default(), recovery);
    let client = server.client(token()).await;
    client.socket.abort();
    server.wait_disconnected().await;
    for number in 0..10 {
        server.namespace().to("always").emit("n", &number);
    }
    let client = server.client(json!({"pid": client.pid, "offset": client.offset, "token": "mine"})).await;
    assert_eq!(client.missed.len(), 10);
    let auth = client.auth();
    client.socket.abort();
    server.wait_disconnected().await;
    for number in 0..11 {
        server.namespace().to("always").emit("n", &number);
    }
    let back = server.client(auth).await;
    assert_ne!(back.sid, client.sid);
    assert!(back.missed.is_empty());
}

#[tokio::test]
async fn the_number_of_suspended_sockets_is_limited() {
    let recovery = RecoveryConfig { max_sockets: 2, ..RecoveryConfig::default() };
    let server = RecoveryServer::start_with(EngineConfig::default(), recovery);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(server.client(token()).await);
    }
    let kept: Vec<_> = clients.iter().map(|client| (client.sid.clone(), client.auth())).collect();
    for client in clients {
        client.socket.abort();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    server.wait_disconnected().await;
    let mut same = Vec::new();
    let mut backs = Vec::new();
    for (sid, auth) in kept {
        let back = server.client(auth).await;
        same.push(back.sid == sid);
        // Kept open, because a dropped one would be one more suspended socket.
        backs.push(back);
    }
    assert_eq!(same, [false, true, true]);
}

#[tokio::test]
async fn a_client_that_reconnects_often_does_not_evict_other_sockets() {
    let server = RecoveryServer::start_with(
        EngineConfig::default(),
        RecoveryConfig { max_sockets: 3, ..RecoveryConfig::default() },
    );
    let suspended = server.client(token()).await;
    let mut reconnecting = server.client(token()).await;
    let (sid, auth) = (suspended.sid.clone(), suspended.auth());
    suspended.socket.abort();
    wait_until("one client is connected", || server.namespace().socket_count() == 1).await;
    for _ in 0..5 {
        let auth = reconnecting.auth();
        reconnecting.socket.abort();
        server.wait_disconnected().await;
        reconnecting = server.client(auth).await;
    }
    assert_eq!(server.client(auth).await.sid, sid);
}

#[tokio::test]
async fn a_client_that_missed_more_bytes_than_are_kept_gets_a_new_socket() {
    for (length, kept) in [(100, true), (2000, false)] {
        let recovery = RecoveryConfig { max_bytes: 2000, ..RecoveryConfig::default() };
        let server = RecoveryServer::start_with(EngineConfig::default(), recovery);
        let client = server.client(token()).await;
        let auth = client.auth();
        client.socket.abort();
        server.wait_disconnected().await;
        server.namespace().to("always").emit("n", &"x".repeat(length));
        assert_eq!(server.client(auth).await.sid == client.sid, kept, "{length} bytes");
    }
}

#[tokio::test]
async fn the_bytes_kept_by_a_namespace_are_limited() {
    let limit = 100_000;
    let recovery = RecoveryConfig { max_total_bytes: limit, ..RecoveryConfig::default() };
    let server = RecoveryServer::start_with(EngineConfig::default(), recovery);
    let mut suspended = Vec::new();
    for number in 0..4 {
        let mut client = server.client(token()).await;
        client.join(&format!("room {number}")).await;
        suspended.push((client.sid.clone(), client.auth()));
        client.socket.abort();
        server.wait_disconnected().await;
        // Three of them fit; each is sent to one socket only.
        server.namespace().to(&format!("room {number}")).emit("n", &"x".repeat(limit / 4));
    }
    let mut recovered = Vec::new();
    for (sid, auth) in suspended {
        recovered.push(server.client(auth).await.sid == sid);
    }
    assert_eq!(recovered, [true, true, true, false]);
}
