//! Clients that come back: with everything they missed, or told that they must fetch it.

use std::sync::Arc;
use std::time::Duration;

use crate::support::recovery::{World, mine};
use crate::support::until;
use actix_socketio::{CloseKind, RecoveryConfig};
use engineio::EngineConfig;
use serde_json::{Value, json};

#[tokio::test]
async fn what_was_missed_comes_before_the_connect_answer_and_rooms_are_as_they_were() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.join("room").await;
    let room = world.namespace();
    room.to("room").emit("n", &1);
    client.event().await;
    client.socket.frame(0x88, &[]).await;
    world.settled().await;
    assert_eq!(room.to("room").emit("n", &2), 0);
    room.to("room").volatile().emit("n", &"volatile");
    room.to("another").emit("n", &"not for it");
    room.to("room").to("always").emit("n", &3);
    let mut back = world.back(&client).await;
    assert_eq!(back.missed, [2, 3]);
    assert_eq!((&back.sid, &back.pid), (&client.sid, &client.pid));
    assert_eq!(room.to("room").emit("n", &4), 1);
    assert_eq!(back.event().await[1], 4);
    assert_eq!(world.log(), ["came false", "left transport close", "came true"]);
}

#[tokio::test]
async fn a_client_that_got_no_event_needs_no_offset() {
    let world = World::new();
    let client = world.client(mine()).await;
    client.socket.remove();
    world.settled().await;
    world.namespace().to("always").emit("n", &1);
    let auth = json!({"pid": client.pid, "token": "mine"});
    // It did not even get the greeting.
    let back = world.client(auth).await;
    assert_eq!((back.sid, back.missed), (client.sid, vec![json!(false), json!(1)]));
}

#[tokio::test]
async fn an_offset_from_before_this_socket_counts_as_none() {
    let world = World::new();
    let first = world.client(mine()).await;
    let second = world.client(mine()).await;
    second.socket.remove();
    // A stock client keeps its offset when it gets a new secret.
    let auth = json!({"pid": second.pid, "offset": first.last, "token": "mine"});
    let back = world.client(auth).await;
    assert_eq!((back.sid, back.missed), (second.sid, vec![json!(false)]));
}

#[tokio::test]
async fn one_that_left_on_purpose_has_nothing_to_come_back_to() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.socket.send("41").await;
    world.settled().await;
    let back = world.back(&client).await;
    assert_ne!(back.sid, client.sid);

    let mut client = back;
    world.namespace().to(&client.sid).disconnect();
    client.socket.expect("41").await;
    until("it has left", || world.namespace().socket_count() == 0).await;
    assert_ne!(world.back(&client).await.sid, client.sid);
}

#[tokio::test]
async fn a_pong_lets_go_of_what_arrived() {
    let engine = EngineConfig { ping_interval: Duration::from_millis(100), ..EngineConfig::default() };
    let world = World::with(engine, RecoveryConfig::default());
    let mut client = world.client(mine()).await;
    world.namespace().to("always").emit("n", &1);
    let greeting = client.last.clone();
    client.event().await;
    client.socket.expect("2").await;
    client.socket.send("3").await;
    client.socket.expect("2").await;
    world.namespace().to("always").emit("n", &2);
    let auth = client.auth();
    client.socket.remove();
    world.settled().await;
    let back = world.client(auth).await;
    assert_eq!((&back.sid, &back.missed), (&client.sid, &vec![json!(2)]));
    // One that pretends to have got less than it confirmed is told.
    back.socket.remove();
    world.settled().await;
    let auth = json!({"pid": back.pid, "offset": greeting, "token": "mine"});
    assert_ne!(world.client(auth).await.sid, back.sid);
}

#[tokio::test]
async fn a_client_sent_elsewhere_may_come_back_too() {
    let world = World::new();
    let client = world.client(mine()).await;
    world.namespace().to("always").close_transports();
    world.settled().await;
    world.namespace().to("always").emit("n", &1);
    let back = world.back(&client).await;
    assert_eq!((back.sid, back.missed), (client.sid, vec![json!(1)]));
    world.io.close(CloseKind::GoElsewhere).await;
}

#[tokio::test]
async fn many_cuts_while_packets_flow_lose_double_and_mix_nothing() {
    let world = Arc::new(World::new());
    let client = world.client(mine()).await;
    let namespace = world.namespace();
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
        let mut back = world.back(&client).await;
        assert_eq!(back.sid, sid);
        seen.extend(back.missed.drain(..).filter(|first| first.is_number()));
        // In one form both sides notice the cut, in the other only the client does.
        if cut % 2 == 0 {
            silent.push(client);
        } else {
            client.socket.remove();
        }
        client = back;
    }
    sender.join().unwrap();
    assert_eq!(seen, (0..2000).map(Value::from).collect::<Vec<_>>());
}
