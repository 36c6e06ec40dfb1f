//! How long and how much is kept for clients that are away, and that one who comes back too late is told.

use std::time::Duration;

use crate::support::recovery::{World, mine};
use crate::support::until;
use actix_socketio::RecoveryConfig;
use engineio::EngineConfig;
use serde_json::json;

#[tokio::test]
async fn after_too_long_it_is_told() {
    let recovery = RecoveryConfig { max_disconnection: Duration::from_millis(150), ..RecoveryConfig::default() };
    let world = World::with(EngineConfig::default(), recovery);
    let mut client = world.client(mine()).await;
    client.join("room").await;
    let again = world.client(mine()).await;
    client.socket.frame(0x88, &[]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let auth = again.auth();
    again.socket.remove();
    let again_back = world.client(auth).await;
    assert_eq!(again_back.sid, again.sid);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let back = world.back(&client).await;
    assert_ne!(back.sid, client.sid);
    assert!(back.missed.is_empty());
    assert_eq!(world.namespace().to("room").emit("n", &1), 0);
    // The other one came back in time and is still there.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.namespace().socket_count(), 2);
}

#[tokio::test]
async fn more_than_is_kept_is_told_not_hidden() {
    let recovery = RecoveryConfig { max_packets: 10, ..RecoveryConfig::default() };
    let world = World::with(EngineConfig::default(), recovery);
    let client = world.client(mine()).await;
    client.socket.remove();
    world.settled().await;
    for number in 0..10 {
        world.namespace().to("always").emit("n", &number);
    }
    let client = world.client(json!({"pid": client.pid, "offset": client.last, "token": "mine"})).await;
    assert_eq!(client.missed.len(), 10);
    let auth = client.auth();
    client.socket.remove();
    world.settled().await;
    for number in 0..11 {
        world.namespace().to("always").emit("n", &number);
    }
    let back = world.client(auth).await;
    assert_ne!(back.sid, client.sid);
    assert!(back.missed.is_empty());
}

#[tokio::test]
async fn sockets_that_are_away_are_bounded_in_number() {
    let recovery = RecoveryConfig { max_sockets: 2, ..RecoveryConfig::default() };
    let world = World::with(EngineConfig::default(), recovery);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(world.client(mine()).await);
    }
    let kept: Vec<_> = clients.iter().map(|client| (client.sid.clone(), client.auth())).collect();
    for client in clients {
        client.socket.remove();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    world.settled().await;
    let mut same = Vec::new();
    let mut backs = Vec::new();
    for (sid, auth) in kept {
        let back = world.client(auth).await;
        same.push(back.sid == sid);
        // It would be one more that is away.
        backs.push(back);
    }
    assert_eq!(same, [false, true, true]);
}

#[tokio::test]
async fn one_that_comes_and_goes_does_not_cost_the_others_their_places() {
    let world = World::with(EngineConfig::default(), RecoveryConfig { max_sockets: 3, ..RecoveryConfig::default() });
    let patient = world.client(mine()).await;
    let mut restless = world.client(mine()).await;
    let (sid, auth) = (patient.sid.clone(), patient.auth());
    patient.socket.remove();
    until("one is left", || world.namespace().socket_count() == 1).await;
    for _ in 0..5 {
        let auth = restless.auth();
        restless.socket.remove();
        world.settled().await;
        restless = world.client(auth).await;
    }
    assert_eq!(world.client(auth).await.sid, sid);
}

#[tokio::test]
async fn bytes_over_the_limit_of_a_socket_are_told_not_hidden() {
    for (length, kept) in [(100, true), (2000, false)] {
        let recovery = RecoveryConfig { max_bytes: 2000, ..RecoveryConfig::default() };
        let world = World::with(EngineConfig::default(), recovery);
        let client = world.client(mine()).await;
        let auth = client.auth();
        client.socket.remove();
        world.settled().await;
        world.namespace().to("always").emit("n", &"x".repeat(length));
        assert_eq!(world.client(auth).await.sid == client.sid, kept, "{length} bytes");
    }
}

#[tokio::test]
async fn bytes_kept_for_all_together_are_bounded() {
    let limit = 100_000;
    let recovery = RecoveryConfig { max_total_bytes: limit, ..RecoveryConfig::default() };
    let world = World::with(EngineConfig::default(), recovery);
    let mut away = Vec::new();
    for number in 0..4 {
        let mut client = world.client(mine()).await;
        client.join(&format!("room {number}")).await;
        away.push((client.sid.clone(), client.auth()));
        client.socket.remove();
        world.settled().await;
        // Three of them fit; each was sent to one socket alone.
        world.namespace().to(&format!("room {number}")).emit("n", &"x".repeat(limit / 4));
    }
    let mut recovered = Vec::new();
    for (sid, auth) in away {
        recovered.push(world.client(auth).await.sid == sid);
    }
    assert_eq!(recovered, [true, true, true, false]);
}
