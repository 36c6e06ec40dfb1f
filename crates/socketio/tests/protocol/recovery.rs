//! Connection state recovery: missed events, offsets, and what cannot be recovered.

use std::sync::Arc;
use std::time::Duration;

use actix_socketio::{EngineConfig, RecoveryConfig, ShutdownMode};
use serde_json::{Value, json};

use crate::support::{RecoveryServer, token, wait_until};

#[tokio::test]
async fn missed_events_follow_the_connect_answer_and_rooms_are_restored() {
    let server = RecoveryServer::start();
    let mut client = server.client(token()).await;
    client.join("room").await;
    let room = server.namespace();
    room.to("room").emit("n", &1);
    client.event().await;
    client.socket.frame(0x88, &[]).await;
    server.wait_disconnected().await;
    assert_eq!(room.to("room").emit("n", &2), 0);
    room.to("room").volatile().emit("n", &"volatile");
    room.to("another").emit("n", &"not for this client");
    room.to("room").to("always").emit("n", &3);
    let mut back = server.reconnect(&client).await;
    assert_eq!(back.missed, [2, 3]);
    assert_eq!((&back.sid, &back.pid), (&client.sid, &client.pid));
    assert_eq!(room.to("room").emit("n", &4), 1);
    assert_eq!(back.event().await[1], 4);
    assert_eq!(
        server.take_log(),
        ["connected, recovered: false", "disconnected: transport close", "connected, recovered: true"]
    );
}

#[tokio::test]
async fn a_replay_has_the_variant_that_the_socket_was_to_receive() {
    let server = RecoveryServer::start();
    let (mut author, mut reader) = (server.client(token()).await, server.client(token()).await);
    author.join("author").await;
    for client in [&mut author, &mut reader] {
        client.join("room").await;
        client.socket.frame(0x88, &[]).await;
    }
    server.wait_disconnected().await;
    let room = server.namespace();
    assert_eq!(room.to("room").emit_with_variant("n", &1, "author", &json!({ "mine": 1 })), 0);
    room.to("room").emit("n", &2);
    assert_eq!(server.reconnect(&author).await.missed, [json!({ "mine": 1 }), json!(2)]);
    assert_eq!(server.reconnect(&reader).await.missed, [json!(1), json!(2)]);
}

#[tokio::test]
async fn a_client_that_received_no_event_needs_no_offset() {
    let server = RecoveryServer::start();
    let client = server.client(token()).await;
    client.socket.abort();
    server.wait_disconnected().await;
    server.namespace().to("always").emit("n", &1);
    let auth = json!({"pid": client.pid, "token": "mine"});
    // It received not even the `hello`.
    let back = server.client(auth).await;
    assert_eq!((back.sid, back.missed), (client.sid, vec![json!(false), json!(1)]));
}

#[tokio::test]
async fn an_offset_older_than_the_socket_counts_as_none() {
    let server = RecoveryServer::start();
    let first = server.client(token()).await;
    let second = server.client(token()).await;
    second.socket.abort();
    // A stock client keeps its offset when it gets a new pid.
    let auth = json!({"pid": second.pid, "offset": first.offset, "token": "mine"});
    let back = server.client(auth).await;
    assert_eq!((back.sid, back.missed), (second.sid, vec![json!(false)]));
}

#[tokio::test]
async fn a_client_that_disconnected_on_purpose_gets_a_new_socket() {
    let server = RecoveryServer::start();
    let mut client = server.client(token()).await;
    client.socket.send("41").await;
    server.wait_disconnected().await;
    let back = server.reconnect(&client).await;
    assert_ne!(back.sid, client.sid);

    let mut client = back;
    server.namespace().to(&client.sid).disconnect();
    client.socket.expect("41").await;
    wait_until("the client has left", || server.namespace().socket_count() == 0).await;
    assert_ne!(server.reconnect(&client).await.sid, client.sid);
}

#[tokio::test]
async fn a_pong_evicts_what_arrived() {
    let engine = EngineConfig { ping_interval: Duration::from_millis(100), ..EngineConfig::default() };
    let server = RecoveryServer::start_with(engine, RecoveryConfig::default());
    let mut client = server.client(token()).await;
    server.namespace().to("always").emit("n", &1);
    let hello = client.offset.clone();
    client.event().await;
    client.socket.expect("2").await;
    client.socket.send("3").await;
    client.socket.expect("2").await;
    server.namespace().to("always").emit("n", &2);
    let auth = client.auth();
    client.socket.abort();
    server.wait_disconnected().await;
    let back = server.client(auth).await;
    assert_eq!((&back.sid, &back.missed), (&client.sid, &vec![json!(2)]));
    // A client that presents an older offset than it confirmed gets a new socket.
    back.socket.abort();
    server.wait_disconnected().await;
    let auth = json!({"pid": back.pid, "offset": hello, "token": "mine"});
    assert_ne!(server.client(auth).await.sid, back.sid);
}

#[tokio::test]
async fn a_client_whose_transport_the_server_closed_recovers_too() {
    let server = RecoveryServer::start();
    let client = server.client(token()).await;
    server.namespace().to("always").close_transports();
    server.wait_disconnected().await;
    server.namespace().to("always").emit("n", &1);
    let back = server.reconnect(&client).await;
    assert_eq!((back.sid, back.missed), (client.sid, vec![json!(1)]));
    server.io.close(ShutdownMode::Reconnect).await;
}

#[tokio::test]
async fn an_evicted_socket_hears_nothing_more_and_cannot_be_recovered() {
    let server = RecoveryServer::start();
    let room = server.namespace();
    let mut suspended = server.client(token()).await;
    suspended.socket.frame(0x88, &[]).await;
    server.wait_disconnected().await;
    let connected = server.client(token()).await;
    room.to("always").emit("n", &1);
    room.to("always").evict();
    // At once, though its connection may not know yet.
    assert_eq!(room.to("always").emit("n", &2), 0);
    assert_eq!(room.socket_count(), 0);
    for client in [connected, suspended] {
        let back = server.reconnect(&client).await;
        assert_ne!(back.sid, client.sid);
        assert!(!back.missed.contains(&json!(1)) && !back.missed.contains(&json!(2)), "{:?}", back.missed);
    }
}

#[tokio::test]
async fn many_reconnects_under_load_lose_duplicate_and_reorder_nothing() {
    let server = Arc::new(RecoveryServer::start());
    let client = server.client(token()).await;
    let namespace = server.namespace();
    let sender = std::thread::spawn(move || {
        for number in 0..2000 {
            namespace.to("always").emit("n", &number);
            if number % 20 == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    });
    let mut seen: Vec<Value> = Vec::new();
    let sid = client.sid.clone();
    let mut client = client;
    let mut silent = Vec::new();
    let mut cut = 7;
    while seen.len() < 2000 {
        for _ in 0..cut.min(2000 - seen.len()) {
            let event = client.event().await;
            if event[0] == "n" {
                seen.push(event[1].clone());
            }
        }
        cut = cut * 5 % 97 + 1;
        let mut back = server.reconnect(&client).await;
        assert_eq!(back.sid, sid);
        seen.extend(back.missed.drain(..).filter(|first| first.is_number()));
        // Either both sides notice the cut, or only the client does.
        if cut % 2 == 0 {
            silent.push(client);
        } else {
            client.socket.abort();
        }
        client = back;
    }
    sender.join().unwrap();
    assert_eq!(seen, (0..2000).map(Value::from).collect::<Vec<_>>());
}
