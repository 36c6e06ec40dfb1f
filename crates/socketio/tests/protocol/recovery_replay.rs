//! The replay of missed events: the CONNECT answer first, then portions, each confirmed by a pong.

use std::time::Duration;

use actix_socketio::{EngineConfig, RecoveryConfig};
use serde_json::{Value, json};

use crate::support::{Frame, RecoveryServer, WebSocket, fast_heartbeat, token};

/// How many events of [`LENGTH`] bytes are missed: more than the first portion.
const MISSED: u64 = 30;
const LENGTH: usize = 1000;

/// A text that begins with a number.
fn text(number: u64) -> String {
    format!("{number:0LENGTH$}")
}

/// The socket id of a client that has missed events, and the auth payload with which it returns.
async fn missing_client(server: &RecoveryServer) -> (String, Value) {
    let client = server.client(token()).await;
    let auth = client.auth();
    client.socket.abort();
    server.wait_disconnected().await;
    for number in 0..MISSED {
        server.namespace().to("always").emit("n", &text(number));
    }
    (client.sid, auth)
}

/// Opens a connection and sends CONNECT; the answer is read.
async fn connect(server: &RecoveryServer, auth: &Value) -> WebSocket {
    let mut socket = server.server.websocket().await;
    socket.send(&format!("40{auth}")).await;
    socket.expect("40{").await;
    socket
}

/// The numbers of the events that arrive before the next ping, without those of other events.
async fn portion(socket: &mut WebSocket) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let packet = socket.text().await;
        if packet == "2" {
            return numbers;
        }
        if let Some(event) = packet.strip_prefix("42")
            && let event = serde_json::from_str::<Value>(event).unwrap()
            && event[0] == "n"
        {
            numbers.push(event[1].as_str().unwrap().parse().unwrap());
        }
    }
}

#[tokio::test]
async fn a_portion_follows_the_pong_of_the_one_before() {
    let server = RecoveryServer::start();
    let (_, auth) = missing_client(&server).await;
    let mut socket = connect(&server, &auth).await;
    let mut received = portion(&mut socket).await;
    assert!((1..15).contains(&received.len()), "{}", received.len());
    // Without a pong nothing follows, whatever the client sends and is sent.
    server.namespace().to("always").emit("n", &text(MISSED));
    assert_eq!(server.namespace().to("always").volatile().emit("n", &text(99)), 0);
    socket.send("429[\"join\",\"room\"]").await;
    socket.frame(0x89, b"still there?").await;
    assert_eq!(socket.next().await, Frame::Pong(b"still there?".to_vec()));
    while received.len() < MISSED as usize + 1 {
        socket.send("3").await;
        received.extend(portion(&mut socket).await);
    }
    assert_eq!(received, (0..=MISSED).collect::<Vec<_>>());
}

/// The next event, as a stock client handles it: its offset is kept, pings are answered.
async fn event(socket: &mut WebSocket, auth: &mut Value) -> Value {
    loop {
        let packet = socket.text().await;
        if packet == "2" {
            socket.send("3").await;
            continue;
        }
        let offset: Value = serde_json::from_str(&socket.expect("42[\"offset\"").await[2..]).unwrap();
        auth["offset"] = offset[1].clone();
        return serde_json::from_str(&packet[2..]).unwrap();
    }
}

#[tokio::test]
async fn a_cut_after_any_event_of_a_replay_repeats_and_loses_nothing() {
    let server = RecoveryServer::start();
    let (_, mut auth) = missing_client(&server).await;
    let (mut received, mut silent) = (Vec::new(), Vec::new());
    for cut in (0_u64..4).cycle() {
        if received.len() == MISSED as usize {
            break;
        }
        let mut socket = connect(&server, &auth).await;
        for _ in 0..cut.min(MISSED - received.len() as u64) {
            received.push(event(&mut socket, &mut auth).await[1].as_str().unwrap().parse::<u64>().unwrap());
        }
        // Either both sides notice the cut, or only the client does.
        if cut % 2 == 0 {
            silent.push(socket);
        } else {
            socket.abort();
        }
    }
    assert_eq!(received, (0..MISSED).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_acknowledgement_follows_the_events_that_were_missed_before() {
    let server = RecoveryServer::start();
    let (_, auth) = missing_client(&server).await;
    let mut socket = connect(&server, &auth).await;
    socket.send("429[\"join\",\"room\"]").await;
    let mut events = 0;
    loop {
        let packet = socket.text().await;
        match packet.as_str() {
            "2" => socket.send("3").await,
            "439[true]" => break,
            event if event.starts_with("42[\"n\"") => events += 1,
            _ => {}
        }
    }
    assert_eq!(events, MISSED);
}

#[tokio::test]
async fn acknowledgements_that_wait_for_a_replay_are_limited() {
    let server = RecoveryServer::start();
    let (_, auth) = missing_client(&server).await;
    let mut socket = connect(&server, &auth).await;
    portion(&mut socket).await;
    // Each costs its frame and 64 bytes; 256 KiB may wait.
    let acks = 256 * 1024 / (2 + "4310000[true]".len() + 64);
    for id in 0..acks {
        socket.send(&format!("42{}[\"join\",\"room\"]", 10_000 + id)).await;
    }
    socket.frame(0x89, b"still open?").await;
    assert_eq!(socket.next().await, Frame::Pong(b"still open?".to_vec()));
    socket.send("4299999[\"join\",\"room\"]").await;
    assert!(socket.closes().await);
}

#[tokio::test]
async fn a_client_that_is_disconnected_during_its_replay_gets_no_more_of_it() {
    let server = RecoveryServer::start();
    let (sid, auth) = missing_client(&server).await;
    let mut socket = connect(&server, &auth).await;
    portion(&mut socket).await;
    server.namespace().to(&sid).disconnect();
    socket.expect("41").await;
    socket.send("3").await;
    socket.frame(0x89, b"anything else?").await;
    assert_eq!(socket.next().await, Frame::Pong(b"anything else?".to_vec()));
}

#[tokio::test]
async fn a_client_that_falls_behind_during_its_replay_gets_a_new_socket() {
    // The backlog alone reaches the limit.
    let recovery = RecoveryConfig { max_packets: MISSED as usize, ..RecoveryConfig::default() };
    let server = RecoveryServer::start_with(EngineConfig::default(), recovery);
    let (sid, auth) = missing_client(&server).await;
    let mut socket = connect(&server, &auth).await;
    portion(&mut socket).await;
    // An event costs its frame, its offset's and 64 bytes for each; 512 and 256 KiB are kept.
    let cost = 4 + "42[\"n\",\"\"]".len() + LENGTH + 64 + 2 + "42[\"offset\",\"AAAAAAAAAAA\"]".len() + 64;
    let fitting = 768 * 1024 / cost - MISSED as usize - 1;
    for _ in 0..fitting {
        server.namespace().to("always").emit("n", &text(99));
    }
    socket.frame(0x89, b"still open?").await;
    assert_eq!(socket.next().await, Frame::Pong(b"still open?".to_vec()));
    for _ in 0..10 {
        server.namespace().to("always").emit("n", &text(99));
    }
    assert!(socket.closes().await);
    assert_ne!(server.client(auth).await.sid, sid);
}

#[tokio::test]
async fn a_client_that_does_not_answer_the_ping_of_a_portion_is_closed() {
    let server = RecoveryServer::start_with(
        EngineConfig { ping_interval: Duration::from_secs(20), ..fast_heartbeat() },
        RecoveryConfig::default(),
    );
    let (sid, auth) = missing_client(&server).await;
    let mut socket = connect(&server, &auth).await;
    portion(&mut socket).await;
    assert!(socket.closes().await);
    // It has lost nothing: it returns with the offset that it had before.
    let back = server.client(auth).await;
    assert_eq!((back.sid, back.missed.len()), (sid, MISSED as usize));
}

#[tokio::test]
async fn after_a_replay_pings_are_regular_again() {
    let server = RecoveryServer::start();
    let (_, auth) = missing_client(&server).await;
    let mut socket = connect(&server, &auth).await;
    let mut pings = 0;
    let mut received = 0;
    while received < MISSED as usize {
        received += portion(&mut socket).await.len();
        socket.send("3").await;
        pings += 1;
    }
    assert!(pings <= 4, "{pings} pings");
    // An event without a ping after it.
    server.namespace().to("always").emit("n", &json!(1));
    socket.expect("42[\"n\",1]").await;
    socket.expect("42[\"offset\"").await;
    socket.frame(0x89, b"anything else?").await;
    assert_eq!(socket.next().await, Frame::Pong(b"anything else?".to_vec()));
}
