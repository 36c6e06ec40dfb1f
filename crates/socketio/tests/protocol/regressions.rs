//! What has bitten other servers and has no other test: lost sessions without sticky routing, deadlocks and leaks in
//! handlers that run late, crashes on malformed requests.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{Http, Log, Server, WebSocket, echo, logged, quiet, until};
use actix_socketio::{
    CloseKind, ConnectRefusal, DisconnectReason, Event, Handshake, Namespace, Socket, SocketIo, Stats,
};
use engineio::EngineConfig;
use serde_json::Value;
use tokio::sync::Notify;

fn start(namespace: Namespace<()>) -> (Server, SocketIo) {
    let io = SocketIo::builder(EngineConfig::default(), quiet()).namespace(namespace).build();
    (Server::start(io.clone()), io)
}

#[tokio::test]
async fn one_session_may_be_polled_through_any_worker() {
    let (server, _) = start(echo());
    let poller = server.poller().await;
    assert_eq!(poller.post("40").await.body, "ok");
    let path = poller.path();
    assert!(Http::connect(server.address).await.get(&path).await.body.starts_with("40{"));
    // Each request on a connection of its own, which the workers take in turns.
    for number in 0..20 {
        assert_eq!(poller.post(&format!("42[\"echo\",{number}]")).await.body, "ok");
        let answer = Http::connect(server.address).await.get(&path).await;
        assert_eq!(answer.body, format!("42[\"echo\",{number}]"));
    }
}

#[tokio::test]
async fn a_malformed_sid_or_query_is_answered_and_harms_nobody() {
    let (server, io) = start(echo());
    let mut bystander = server.joined().await;
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

/// Says when it is dropped.
struct Dropped(Log);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("given up".to_owned());
    }
}

#[tokio::test]
async fn a_handler_that_does_not_end_is_given_up_after_finish_timeout_and_one_that_does_is_waited_for() {
    for (finish_timeout, outcome) in [(Duration::from_millis(200), "given up"), (Duration::from_secs(60), "left")] {
        let (log, end) = (Log::default(), Arc::new(Notify::new()));
        let (left, guarded, ending) = (Arc::clone(&log), Arc::clone(&log), Arc::clone(&end));
        let namespace = echo()
            .on("work", move |socket: Socket<()>, _: Event| {
                let (guard, ending) = (Dropped(Arc::clone(&guarded)), Arc::clone(&ending));
                async move {
                    socket.emit("begun", &());
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
        let io = SocketIo::builder(engine, quiet()).namespace(namespace).build();
        let server = Server::start(io.clone());
        let mut socket = server.joined().await;
        socket.send("42[\"work\"]").await;
        socket.expect("42[\"begun\"").await;
        socket.remove();
        until("the session is gone", || io.session_count() == 0).await;
        if outcome == "left" {
            assert_eq!(io.stats().engine.actors, 1, "it is at work");
            end.notify_one();
        }
        assert_eq!(logged(&log).await, outcome);
        until("nothing is left", || io.stats() == Stats::default()).await;
    }
}

#[tokio::test]
async fn a_header_up_to_max_header_is_kept_and_a_longer_one_is_not() {
    let namespace = Namespace::<usize>::new("/", |handshake: Handshake| async move {
        Ok::<_, ConnectRefusal>(handshake.headers.get("user-agent").map_or(0, str::len))
    })
    .on_connect(|socket: Socket<usize>| async move {
        socket.emit("length", socket.data());
    });
    let engine = EngineConfig { max_header: 1000, ..EngineConfig::default() };
    let io = SocketIo::builder(engine, quiet()).namespace(namespace).build();
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
async fn a_client_that_takes_nothing_holds_up_the_end_no_longer_than_it_is_given() {
    let (server, io) = start(echo());
    let mut stuck = WebSocket::connect_narrow(server.address, "/socket.io/?EIO=4&transport=websocket").await;
    stuck.expect("0{").await;
    stuck.send("40").await;
    stuck.expect("40{").await;
    // More than the kernel takes, less than its budget.
    let all = io.namespace("/").unwrap();
    let payload = "x".repeat(10_000);
    while io.session_count() == 1 && all.all().volatile().emit("n", &payload) == 1 {}
    all.all().emit("n", &payload);
    assert_eq!(io.session_count(), 1);
    // It would have ten seconds.
    io.close_within(CloseKind::GoElsewhere, Duration::from_millis(300)).await;
    until("it is gone", || io.session_count() == 0).await;
}

#[tokio::test]
async fn a_disconnect_handler_may_empty_rooms_and_put_others_out() {
    let log = Log::default();
    let left = Arc::clone(&log);
    let (server, io) = start(echo().on_disconnect(move |socket: Socket<()>, reason: DisconnectReason| {
        let left = Arc::clone(&left);
        async move {
            socket.to("all").leave("all");
            socket.leave_all();
            socket.broadcast().disconnect();
            left.lock().unwrap().push(reason.to_string());
        }
    }));
    let (first, mut second) = (server.joined().await, server.joined().await);
    first.remove();
    assert_eq!(second.text().await, "41");
    let reasons: HashSet<String> = [logged(&log).await, logged(&log).await].into();
    assert_eq!(reasons, ["transport close", "server namespace disconnect"].map(str::to_owned).into());
    until("nobody is left", || io.namespace("/").unwrap().socket_count() == 0).await;
    assert_eq!(io.namespace("/").unwrap().to("all").emit("x", &1), 0);
}

#[tokio::test]
async fn a_join_after_the_disconnect_leaves_nothing() {
    let log = Log::default();
    let told = Arc::clone(&log);
    let (server, io) = start(echo().on("join late", move |socket: Socket<()>, _: Event| {
        let told = Arc::clone(&told);
        async move {
            // Still at work when the client is gone, as a handler is that asks a database.
            actix_rt::spawn(async move {
                while socket.is_connected() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                told.lock().unwrap().push(format!("{} {}", socket.join("late"), socket.rooms().len()));
            });
        }
    }));
    let mut socket = server.joined().await;
    socket.send("42[\"join late\"]").await;
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
    socket.remove();
    assert!(logged(&log).await.starts_with("false"));
    until("it is gone", || io.session_count() == 0).await;
    assert_eq!(io.namespace("/").unwrap().to("late").join("found"), 0);
}

#[tokio::test]
async fn the_session_id_is_a_long_secret_and_not_the_public_id() {
    let (server, _) = start(echo());
    let mut secrets = HashSet::new();
    for _ in 0..20 {
        let mut poller = server.poller().await;
        poller.post("40").await;
        let connected: Value = serde_json::from_str(poller.poll().await.body.strip_prefix("40").unwrap()).unwrap();
        assert_ne!(connected["sid"], poller.sid.as_str());
        // Of six bits each.
        assert!(poller.sid.len() * 6 >= 120);
        assert!(secrets.insert(poller.sid));
    }
}
