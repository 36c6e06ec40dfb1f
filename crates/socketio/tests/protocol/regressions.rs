//! Defects of other Socket.IO servers that no other test covers: sessions lost without sticky routing, deadlocks and leaks
//! in handlers that run late, crashes on malformed requests.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use actix_socketio::{
    ConnectRefusal, DisconnectReason, EngineConfig, Event, Handshake, Namespace, ShutdownMode, Socket, SocketIo, Stats,
};
use serde_json::Value;
use tokio::sync::Notify;

use crate::support::{Http, Log, Server, WebSocket, echo_namespace, next_entry, wait_until, without_recovery};

fn start(namespace: Namespace<()>) -> (Server, SocketIo) {
    let io = SocketIo::builder(EngineConfig::default(), without_recovery()).namespace(namespace).build();
    (Server::start(io.clone()), io)
}

#[tokio::test]
async fn a_session_can_be_polled_through_any_worker() {
    let (server, _) = start(echo_namespace());
    let poller = server.poller().await;
    assert_eq!(poller.post("40").await.body, "ok");
    let path = poller.path();
    assert!(Http::connect(server.address).await.get(&path).await.body.starts_with("40{"));
    // Each request is on a new connection, and the workers accept connections in turn.
    for number in 0..20 {
        assert_eq!(poller.post(&format!("42[\"echo\",{number}]")).await.body, "ok");
        let answer = Http::connect(server.address).await.get(&path).await;
        assert_eq!(answer.body, format!("42[\"echo\",{number}]"));
    }
}

#[tokio::test]
async fn a_malformed_sid_or_query_is_refused_and_affects_no_session() {
    let (server, io) = start(echo_namespace());
    let mut bystander = server.join().await;
    let long = "x".repeat(3000);
    for query in [
        "%",
        "%%%",
        "&&&===&",
        "=",
        "?",
        "transport",
        "transport=polling&sid",
        "transport=polling&EIO=4&sid=%00%ff",
        "transport=polling&EIO=4&sid=../../etc/passwd",
        "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D",
        "EIO[]=4&transport[]=polling",
        "transport=polling&transport=x",
        "EIO=4&transport=polling&sid=%E2%82",
        &long,
    ] {
        for method in ["GET", "POST"] {
            let path = format!("/socket.io/?{query}");
            let answer = server.http().await.request(method, &path, &[], "").await;
            assert_eq!(answer.status, 400, "{method} {query}");
        }
    }
    assert_eq!(io.session_count(), 1);
    bystander.send("42[\"echo\",1]").await;
    assert_eq!(bystander.text().await, "42[\"echo\",1]");
}

/// Logs that it is dropped.
struct DropGuard(Log);

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("dropped".to_owned());
    }
}

#[tokio::test]
async fn a_handler_is_awaited_up_to_the_finish_timeout_and_then_dropped() {
    for (finish_timeout, outcome) in [(Duration::from_millis(200), "dropped"), (Duration::from_secs(60), "left")] {
        let (log, end) = (Log::default(), Arc::new(Notify::new()));
        let (left, guarded, ending) = (Arc::clone(&log), Arc::clone(&log), Arc::clone(&end));
        let namespace = echo_namespace()
            .on("work", move |socket: Socket<()>, _: Event| {
                let (guard, ending) = (DropGuard(Arc::clone(&guarded)), Arc::clone(&ending));
                async move {
                    socket.emit("started", &());
                    ending.notified().await;
                    std::mem::forget(guard);
                }
            })
            .on_disconnect(move |_: Socket<()>, _: DisconnectReason| {
                let left = Arc::clone(&left);
                async move { left.lock().unwrap().push("left".to_owned()) }
            });
        let close_timeout = Duration::from_millis(100);
        let engine = EngineConfig { finish_timeout, close_timeout, ..EngineConfig::default() };
        let io = SocketIo::builder(engine, without_recovery()).namespace(namespace).build();
        let server = Server::start(io.clone());
        let mut socket = server.join().await;
        socket.send("42[\"work\"]").await;
        socket.expect("42[\"started\"").await;
        socket.abort();
        wait_until("the session is gone", || io.session_count() == 0).await;
        if outcome == "left" {
            assert_eq!(io.stats().engine.actors, 1, "the handler still runs");
            end.notify_one();
        }
        assert_eq!(next_entry(&log).await, outcome);
        wait_until("nothing is left", || io.stats() == Stats::default()).await;
    }
}

#[tokio::test]
async fn a_header_is_kept_up_to_max_header() {
    let namespace = Namespace::<usize>::new("/", |handshake: Handshake| async move {
        Ok::<_, ConnectRefusal>(handshake.headers.get("user-agent").map_or(0, str::len))
    })
    .on_connect(|socket: Socket<usize>| async move {
        socket.emit("length", socket.data());
    });
    let engine = EngineConfig { max_header: 1000, ..EngineConfig::default() };
    let io = SocketIo::builder(engine, without_recovery()).namespace(namespace).build();
    let server = Server::start(io);
    for (length, kept) in [(1000, 1000), (1001, 0)] {
        let agent = "x".repeat(length);
        let path = "/socket.io/?EIO=4&transport=websocket";
        let mut socket = WebSocket::connect_with(server.address, path, &[("User-Agent", &agent)]).await.unwrap();
        socket.expect("0{").await;
        socket.send("40").await;
        socket.expect("40{").await;
        assert_eq!(socket.text().await, format!("42[\"length\",{kept}]"));
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_delays_the_shutdown_at_most_by_its_limit() {
    let (server, io) = start(echo_namespace());
    let mut stuck = WebSocket::connect_slow_reader(server.address, "/socket.io/?EIO=4&transport=websocket").await;
    stuck.expect("0{").await;
    stuck.send("40").await;
    stuck.expect("40{").await;
    // More than the kernel buffers, less than the budget.
    let all = io.namespace("/").unwrap();
    let payload = "x".repeat(10_000);
    while io.session_count() == 1 && all.all().volatile().emit("n", &payload) == 1 {}
    all.all().emit("n", &payload);
    assert_eq!(io.session_count(), 1);
    // Without the limit it would have ten seconds.
    io.close_within(ShutdownMode::Reconnect, Duration::from_millis(300)).await;
    wait_until("the session is gone", || io.session_count() == 0).await;
}

#[tokio::test]
async fn a_disconnect_handler_may_empty_rooms_and_disconnect_others() {
    let log = Log::default();
    let left = Arc::clone(&log);
    let (server, io) = start(echo_namespace().on_disconnect(move |socket: Socket<()>, reason: DisconnectReason| {
        let left = Arc::clone(&left);
        async move {
            socket.to("all").leave("all");
            socket.leave_all();
            socket.broadcast().disconnect();
            left.lock().unwrap().push(reason.to_string());
        }
    }));
    let (first, mut second) = (server.join().await, server.join().await);
    first.abort();
    assert_eq!(second.text().await, "41");
    let reasons: HashSet<String> = [next_entry(&log).await, next_entry(&log).await].into();
    assert_eq!(reasons, ["transport close", "server namespace disconnect"].map(str::to_owned).into());
    wait_until("no socket is left", || io.namespace("/").unwrap().socket_count() == 0).await;
    assert_eq!(io.namespace("/").unwrap().to("all").emit("x", &1), 0);
}

#[tokio::test]
async fn a_join_after_the_disconnect_has_no_effect() {
    let log = Log::default();
    let results = Arc::clone(&log);
    let (server, io) = start(echo_namespace().on("join late", move |socket: Socket<()>, _: Event| {
        let results = Arc::clone(&results);
        async move {
            // Still runs after the client has disconnected, like a handler that waits for a database.
            actix_rt::spawn(async move {
                while socket.is_connected() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                results.lock().unwrap().push(format!("{} {}", socket.join("late"), socket.rooms().len()));
            });
        }
    }));
    let mut socket = server.join().await;
    socket.send("42[\"join late\"]").await;
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
    socket.abort();
    assert!(next_entry(&log).await.starts_with("false"));
    wait_until("the session is gone", || io.session_count() == 0).await;
    assert_eq!(io.namespace("/").unwrap().to("late").join("found"), 0);
}

#[tokio::test]
async fn the_session_id_is_a_long_secret_and_differs_from_the_public_id() {
    let (server, _) = start(echo_namespace());
    let mut secrets = HashSet::new();
    for _ in 0..20 {
        let mut poller = server.poller().await;
        poller.post("40").await;
        let connected: Value = serde_json::from_str(poller.poll().await.body.strip_prefix("40").unwrap()).unwrap();
        assert_ne!(connected["sid"], poller.sid.as_str());
        // Each character has six bits.
        assert!(poller.sid.len() * 6 >= 120);
        assert!(secrets.insert(poller.sid));
    }
}
