//! Clients that return while their old connection seems alive: the pid takes the session over, nothing else does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_socketio::{
    ConnectRefusal, DisconnectReason, EngineConfig, Namespace, RecoveryConfig, Socket, SocketIo, SocketIoConfig,
};
use serde_json::{Value, json};

use crate::support::{Frame, RecoveryServer, Server, token, wait_until};

#[tokio::test]
async fn a_live_session_is_taken_over_by_its_pid() {
    let server = RecoveryServer::start();
    let mut client = server.client(token()).await;
    client.join("room").await;
    // The old connection stays open and silent, and events are sent into it.
    for number in 0..100 {
        assert_eq!(server.namespace().to("room").emit("n", &number), 1);
    }
    let back = server.reconnect(&client).await;
    assert_eq!(back.sid, client.sid);
    assert_eq!(back.missed, (0..100).map(Value::from).collect::<Vec<_>>());
    assert_eq!(
        server.take_log(),
        ["connected, recovered: false", "disconnected: transport close", "connected, recovered: true"]
    );
    assert!(client.socket.closes().await);
    assert_eq!(server.namespace().socket_count(), 1);
    wait_until("the old session is gone", || server.io.session_count() == 1).await;
}

#[tokio::test]
async fn a_takeover_waits_for_the_old_connections_handlers() {
    let server = RecoveryServer::start();
    let mut client = server.client(token()).await;
    client.socket.send("42[\"slow\"]").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let back = server.reconnect(&client).await;
    assert_eq!(back.sid, client.sid);
    assert_eq!(
        server.take_log(),
        ["connected, recovered: false", "disconnected: transport close", "connected, recovered: true"]
    );
}

/// The handler is awaited for `takeover_timeout` only, and the client then receives missed events from its new connection,
/// once.
#[tokio::test]
async fn a_connect_handler_that_outlives_its_connection_does_not_answer_the_next_one() {
    let gate = Arc::new(tokio::sync::Semaphore::new(1));
    let [connects, disconnects] = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let (connect_count, handler_gate, disconnect_count) =
        (Arc::clone(&connects), Arc::clone(&gate), Arc::clone(&disconnects));
    let recovery = RecoveryConfig { takeover_timeout: Duration::from_millis(200), ..RecoveryConfig::default() };
    let config = SocketIoConfig { recovery: Some(recovery), ..SocketIoConfig::default() };
    let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
        .on_connect(move |socket: Socket<()>| {
            let gate = Arc::clone(&handler_gate);
            connect_count.fetch_add(1, Ordering::SeqCst);
            async move {
                socket.join("always");
                gate.acquire().await.unwrap().forget();
            }
        })
        .on_disconnect(move |_: Socket<()>, _: DisconnectReason| {
            disconnect_count.fetch_add(1, Ordering::SeqCst);
            async {}
        });
    let io = SocketIo::builder(EngineConfig::default(), config).namespace(namespace).build();
    let server = Server::start(io.clone());
    let mut first = server.websocket().await;
    first.send("40").await;
    let answer = first.expect("40").await;
    let connected: Value = serde_json::from_str(&answer[2..]).unwrap();
    let connect = format!("40{}", json!({"pid": connected["pid"]}));

    let mut second = server.websocket().await;
    second.send(&connect).await;
    wait_until("the second handler runs", || connects.load(Ordering::SeqCst) == 2).await;
    io.namespace("/").unwrap().to("always").emit("n", &1);
    let mut third = server.websocket().await;
    third.send(&connect).await;
    wait_until("the third handler runs", || connects.load(Ordering::SeqCst) == 3).await;
    // The semaphore is fair: the handler that waits longest continues first.
    gate.add_permits(1);
    wait_until("the second has disconnected", || disconnects.load(Ordering::SeqCst) == 2).await;
    gate.add_permits(1);
    assert_eq!(third.expect("40").await, answer);
    third.expect("42[\"n\",1]").await;
    third.expect("42[\"offset\",").await;
}

#[tokio::test]
async fn a_forged_or_foreign_pid_recovers_nothing() {
    let server = RecoveryServer::start();
    let mut client = server.client(token()).await;
    client.join("room").await;
    server.namespace().to("room").emit("n", &1);
    for (pid, token) in [("x", "mine"), ("AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "mine"), (client.pid.as_str(), "another's")] {
        let auth = json!({"pid": pid, "offset": client.offset, "token": token});
        let forger = server.client(auth).await;
        assert_ne!(forger.sid, client.sid);
        assert_ne!(forger.pid, client.pid);
        assert!(forger.missed.is_empty());
    }
    // Without a valid token the pid is not considered.
    let mut socket = server.server.websocket().await;
    let auth = json!({"pid": client.pid, "offset": client.offset});
    socket.send(&format!("40{auth}")).await;
    socket.expect("44{\"message\":\"no token\"}").await;
    // The owner is unaffected.
    assert_eq!(client.event().await[1], 1);
}

#[tokio::test]
async fn one_pid_recovers_one_connection_at_a_time() {
    let server = RecoveryServer::start();
    let client = server.client(token()).await;
    let connect = format!("40{}", client.auth());
    let mut rivals = Vec::new();
    for _ in 0..5 {
        rivals.push(server.server.websocket().await);
    }
    for rival in &mut rivals {
        rival.send(&connect).await;
    }
    let mut recovered = 0;
    for rival in &mut rivals {
        // The CONNECT answer, unless another client has taken the session over before.
        while let Frame::Text(text) = rival.next().await {
            if text.starts_with("40") {
                recovered += usize::from(text.contains(&client.sid));
                break;
            }
        }
    }
    assert!(recovered >= 1);
    wait_until("one connection has the socket", || {
        let ids = server.namespace().to("always").socket_ids();
        ids.iter().filter(|id| ***id == *client.sid).count() == 1
    })
    .await;
}
