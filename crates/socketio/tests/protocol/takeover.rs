//! Clients that come back while their old connection seems to live: whoever has the secret takes over, nobody else does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::recovery::{World, mine};
use crate::support::{Frame, Server, until};
use actix_socketio::{ConnectRefusal, DisconnectReason, Namespace, RecoveryConfig, Socket, SocketIo, SocketIoConfig};
use engineio::EngineConfig;
use serde_json::{Value, json};

#[tokio::test]
async fn a_live_session_is_taken_over_by_its_secret() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.join("room").await;
    // The old connection stays open and silent, and swallows what is sent.
    for number in 0..100 {
        assert_eq!(world.namespace().to("room").emit("n", &number), 1);
    }
    let back = world.back(&client).await;
    assert_eq!(back.sid, client.sid);
    assert_eq!(back.missed, (0..100).map(Value::from).collect::<Vec<_>>());
    assert_eq!(world.log(), ["came false", "left transport close", "came true"]);
    assert!(client.socket.closes().await);
    assert_eq!(world.namespace().socket_count(), 1);
    until("the old session is gone", || world.io.session_count() == 1).await;
}

#[tokio::test]
async fn a_takeover_waits_for_the_old_connections_handlers() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.socket.send("42[\"slow\"]").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let back = world.back(&client).await;
    assert_eq!(back.sid, client.sid);
    assert_eq!(world.log(), ["came false", "left transport close", "came true"]);
}

/// Its greeting is not waited for for ever, and the client then gets what it missed from its own connection, once.
#[tokio::test]
async fn a_greeting_that_outlives_its_connection_says_nothing_to_the_next_one() {
    let gate = Arc::new(tokio::sync::Semaphore::new(1));
    let [greeted, left] = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let (greeting, opening, leaving) = (Arc::clone(&greeted), Arc::clone(&gate), Arc::clone(&left));
    let recovery = RecoveryConfig { takeover_timeout: Duration::from_millis(200), ..RecoveryConfig::default() };
    let config = SocketIoConfig { recovery: Some(recovery), ..SocketIoConfig::default() };
    let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
        .on_connect(move |socket: Socket<()>| {
            let gate = Arc::clone(&opening);
            greeting.fetch_add(1, Ordering::SeqCst);
            async move {
                socket.join("always");
                gate.acquire().await.unwrap().forget();
            }
        })
        .on_disconnect(move |_: Socket<()>, _: DisconnectReason| {
            leaving.fetch_add(1, Ordering::SeqCst);
            async {}
        });
    let io = SocketIo::builder(EngineConfig::default(), config).namespace(namespace).build();
    let server = Server::start(io.clone());
    let mut first = server.websocket().await;
    first.send("40").await;
    let answer = first.expect("40").await;
    let secret: Value = serde_json::from_str(&answer[2..]).unwrap();
    let connect = format!("40{}", json!({"pid": secret["pid"]}));

    let mut second = server.websocket().await;
    second.send(&connect).await;
    until("the second is greeted", || greeted.load(Ordering::SeqCst) == 2).await;
    io.namespace("/").unwrap().to("always").emit("n", &1);
    let mut third = server.websocket().await;
    third.send(&connect).await;
    until("the third is greeted", || greeted.load(Ordering::SeqCst) == 3).await;
    // Who waits longest is let go first.
    gate.add_permits(1);
    until("the second has left", || left.load(Ordering::SeqCst) == 2).await;
    gate.add_permits(1);
    third.expect("42[\"n\",1,").await;
    assert_eq!(third.expect("40").await, answer);
}

#[tokio::test]
async fn a_forged_or_foreign_secret_gets_nothing() {
    let world = World::new();
    let mut client = world.client(mine()).await;
    client.join("room").await;
    world.namespace().to("room").emit("n", &1);
    for (pid, token) in [("x", "mine"), ("AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "mine"), (client.pid.as_str(), "another's")] {
        let auth = json!({"pid": pid, "offset": client.last, "token": token});
        let forger = world.client(auth).await;
        assert_ne!(forger.sid, client.sid);
        assert_ne!(forger.pid, client.pid);
        assert!(forger.missed.is_empty());
    }
    // Without a good token it is not even asked for.
    let mut socket = world.server.websocket().await;
    let auth = json!({"pid": client.pid, "offset": client.last});
    socket.send(&format!("40{auth}")).await;
    socket.expect("44{\"message\":\"no token\"}").await;
    // Its owner did not notice.
    assert_eq!(client.event().await[1], 1);
}

#[tokio::test]
async fn of_many_with_one_secret_one_has_it_at_a_time() {
    let world = World::new();
    let client = world.client(mine()).await;
    let connect = format!("40{}", client.auth());
    let mut rivals = Vec::new();
    for _ in 0..5 {
        rivals.push(world.server.websocket().await);
    }
    for rival in &mut rivals {
        rival.send(&connect).await;
    }
    let mut with_it = 0;
    for rival in &mut rivals {
        // Its answer, unless another one has taken over before.
        while let Frame::Text(text) = rival.next().await {
            if text.starts_with("40") {
                with_it += usize::from(text.contains(&client.sid));
                break;
            }
        }
    }
    assert!(with_it >= 1);
    until("one has it", || {
        let ids = world.namespace().sockets_in("always");
        ids.iter().filter(|id| ***id == *client.sid).count() == 1
    })
    .await;
}
