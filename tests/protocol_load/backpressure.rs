//! Clients that do not read: memory stays flat, they are cut, others notice nothing. `SOAK=1` makes it long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::support::{Server, WebSocket, resident_kib, soak, until};
use serde_json::{Value, json};
use switchboard::{
    engineio::EngineConfig,
    socketio::{ConnectRefusal, Namespace, Socket, SocketIo, SocketIoConfig},
};

fn io(engine: EngineConfig) -> SocketIo {
    SocketIo::builder(engine, SocketIoConfig::default())
        .namespace(Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }).on_connect(
            |socket: Socket<()>| async move {
                socket.join("all");
            },
        ))
        .build()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_cut_while_the_others_notice_nothing() {
    let engine = EngineConfig { close_timeout: Duration::from_millis(200), ..EngineConfig::default() };
    let io = io(engine);
    let server = Server::start(io.clone());
    let namespace = io.namespace("/").unwrap();

    let path = "/socket.io/?EIO=4&transport=websocket";
    let mut stuck = WebSocket::connect_narrow(server.address, path).await;
    stuck.expect("0{").await;
    stuck.send("40").await;
    let answer: Value = serde_json::from_str(&stuck.expect("40").await[2..]).unwrap();
    let mut reader = server.joined().await;
    let before = resident_kib();

    let events = if soak() { 10_000 } else { 2_000 };
    let payload = "x".repeat(10_000);
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let reading = tokio::spawn(async move {
        for number in 0..events {
            let text = reader.text().await;
            assert!(text.starts_with(&format!("42[\"n\",[{number},")));
            counted.store(number + 1, Ordering::SeqCst);
        }
        reader
    });
    for number in 0..events {
        namespace.to("all").emit("n", &(number, &payload));
        // Not faster than the reader that does read, whose budget is the same.
        until("the reader goes on", || number - read.load(Ordering::SeqCst).min(number) < 50).await;
    }
    let _reader = reading.await.unwrap();
    until("the one that does not read is cut", || namespace.socket_count() == 1).await;
    until("its session is gone", || io.session_count() == 1).await;
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 30_000, "{grown} KiB for {events} events of 10 kB");

    // It comes back, and is told that it has not everything.
    let mut back = server.websocket().await;
    let auth = json!({"pid": answer["pid"]});
    back.send(&format!("40{auth}")).await;
    let again: Value = serde_json::from_str(&back.expect("40").await[2..]).unwrap();
    assert_ne!(again["sid"], answer["sid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn volatile_events_are_dropped_where_they_cannot_leave_now() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let namespace = io.namespace("/").unwrap();
    // Nobody polls.
    let mut poller = server.poller().await;
    poller.post("40").await;
    assert!(poller.poll().await.body.starts_with("40"));
    assert_eq!(namespace.to("all").volatile().emit("v", &1), 0);
    let mut waiting = poller.begin_poll().await;
    assert_eq!(namespace.to("all").volatile().emit("v", &2), 1);
    assert!(waiting.answer().await.body.starts_with("42[\"v\",2"));
    // Something waits already.
    assert_eq!(namespace.to("all").emit("n", &3), 1);
    assert_eq!(namespace.to("all").volatile().emit("v", &4), 0);
    assert!(poller.poll().await.body.starts_with("42[\"n\",3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poller_that_does_not_poll_is_cut_at_its_budget() {
    let io = io(EngineConfig { outgoing_budget: 50_000, ..EngineConfig::default() });
    let server = Server::start(io.clone());
    let namespace = io.namespace("/").unwrap();
    let poller = server.poller().await;
    poller.post("40").await;
    until("it is in", || namespace.socket_count() == 1).await;
    for _ in 0..100 {
        namespace.to("all").emit("n", &"x".repeat(1000));
    }
    until("it is cut", || io.session_count() == 0).await;
    assert!(poller.is_dead().await);
}
