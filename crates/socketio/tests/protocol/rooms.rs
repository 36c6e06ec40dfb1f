//! Rooms, broadcasts, and the limits of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_socketio::{Arguments, EngineConfig, Event, Socket, SocketIo, SocketIoConfig};
use serde_json::{Value, json};

use crate::support::{Frame, Log, Server, join, scripted_namespace, scripted_server, wait_until, without_recovery};

#[tokio::test]
async fn a_broadcast_reaches_each_socket_of_its_rooms_once() {
    let (server, io, _) = scripted_server();
    let mut first = join(&server).await;
    let mut second = join(&server).await;
    let namespace = io.namespace("/").unwrap();
    let ids = namespace.to("all").socket_ids();
    assert_eq!(ids.len(), 2);
    assert_eq!(namespace.to("all").join("more"), 2);
    let reached = namespace.to("all").to("more").to(&ids[0]).emit("x", &1);
    assert_eq!(reached, 2);
    assert_eq!(namespace.all().emit("x", &2), 2);
    assert_eq!(namespace.to("empty").emit("x", &3), 0);
    for socket in [&mut first, &mut second] {
        assert_eq!(socket.text().await, "42[\"x\",1]");
        assert_eq!(socket.text().await, "42[\"x\",2]");
        assert!(socket.is_silent().await);
    }
    assert_eq!(namespace.to("all").except(&ids[1]).emit("x", &4), 1);
    assert_eq!(namespace.to(&ids[1]).emit("x", &5), 1);
    let mut texts = [first.text().await, second.text().await];
    texts.sort();
    assert_eq!(texts, ["42[\"x\",4]", "42[\"x\",5]"]);
    namespace.to("all").leave("more");
    assert_eq!(namespace.to("more").emit("x", &1), 0);
    namespace.to(&ids[0]).disconnect();
    wait_until("one socket is left", || namespace.socket_count() == 1).await;
}

/// A payload that counts how often it is rendered.
struct Counted<'a>(&'a str, &'a AtomicUsize);

impl serde::Serialize for Counted<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.1.fetch_add(1, Ordering::Relaxed);
        serializer.serialize_str(self.0)
    }
}

#[tokio::test]
async fn the_sockets_of_a_room_receive_a_variant_and_each_is_rendered_once() {
    let (server, io, _) = scripted_server();
    let mut sockets = [join(&server).await, join(&server).await, join(&server).await, join(&server).await];
    let namespace = io.namespace("/").unwrap();
    let ids = namespace.to("all").socket_ids();
    for id in &ids[..2] {
        namespace.to(id).join("author");
    }
    // In the author's room, but not among the receivers.
    namespace.to(&ids[0]).leave("all");
    let renderings = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let [plain, variant] = [Counted("plain", &renderings[0]), Counted("variant", &renderings[1])];
    assert_eq!(namespace.to("all").emit_with_variant("x", &plain, "author", &variant), 3);
    assert_eq!(namespace.to("all").emit_with_variant("x", &plain, "empty", &variant), 3);
    assert_eq!(renderings.map(AtomicUsize::into_inner), [2, 1]);
    namespace.all().emit("end", &0);
    let mut received = Vec::new();
    for socket in &mut sockets {
        let mut texts = vec![socket.text().await];
        while texts.last().is_some_and(|text| text != "42[\"end\",0]") {
            texts.push(socket.text().await);
        }
        texts.pop();
        received.push(texts.join(" "));
    }
    received.sort();
    let (plain, variant) = ("42[\"x\",\"plain\"]", "42[\"x\",\"variant\"]");
    let one = |first: &str| format!("{first} {plain}");
    assert_eq!(received, [String::new(), one(plain), one(plain), one(variant)]);
}

#[tokio::test]
async fn all_sockets_receive_the_broadcasts_of_a_thread_in_order() {
    let (server, io, _) = scripted_server();
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(join(&server).await);
    }
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let namespace = io.namespace("/").unwrap();
            std::thread::spawn(move || {
                for number in 0..500 {
                    namespace.to("all").emit("n", &(thread, number));
                }
            })
        })
        .collect();
    for socket in &mut sockets {
        let mut next = [0; 4];
        for _ in 0..2000 {
            let text = socket.text().await;
            let event: (String, (usize, usize)) = serde_json::from_str(&text[2..]).unwrap();
            let (thread, number) = event.1;
            assert_eq!(next[thread], number);
            next[thread] += 1;
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn the_frames_of_a_binary_broadcast_are_contiguous() {
    let (server, io, _) = scripted_server();
    let mut socket = join(&server).await;
    let arguments =
        Arguments { values: vec![json!({"_placeholder": true, "num": 0})], attachments: vec![vec![1].into()] };
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (namespace, arguments) = (io.namespace("/").unwrap(), arguments.clone());
            std::thread::spawn(move || {
                for _ in 0..500 {
                    namespace.to("all").emit_arguments("b", &arguments);
                    namespace.to("all").emit("t", &1);
                }
            })
        })
        .collect();
    for _ in 0..4000 {
        if socket.expect("4").await.starts_with("45") {
            assert_eq!(socket.next().await, Frame::Binary(vec![1]));
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn rooms_and_namespaces_of_a_connection_are_limited() {
    let log = Log::default();
    let config = SocketIoConfig { max_rooms: 3, max_namespaces: 2, ..without_recovery() };
    let io = SocketIo::builder(EngineConfig::default(), config)
        .namespace(scripted_namespace("/", &log))
        .namespace(scripted_namespace("/a", &log))
        .namespace(scripted_namespace("/b", &log))
        .build();
    let server = Server::start(io.clone());
    let mut socket = join(&server).await;
    let all = io.namespace("/").unwrap();
    let joined: usize = (0..5).map(|room| all.to("all").join(format!("room {room}"))).sum();
    assert_eq!(joined, 2);
    socket.send("40/a,").await;
    socket.expect("40/a,").await;
    socket.expect("42/a,").await;
    socket.send("40/b,").await;
    socket.expect("44/b,").await;
}

#[tokio::test]
async fn ten_thousand_rooms_are_left_at_once() {
    let (server, io, _) = scripted_server();
    let socket = join(&server).await;
    let all = io.namespace("/").unwrap();
    for room in 0..10_000 {
        assert_eq!(all.to("all").join(format!("room {room}")), 1);
    }
    socket.abort();
    wait_until("all rooms are empty", || all.to("room 9999").emit("x", &1) == 0 && all.to("all").emit("x", &1) == 0)
        .await;
}

#[tokio::test]
async fn a_full_event_queue_stops_reading_and_loses_nothing() {
    let events = SocketIoConfig { max_queued_events: 4, ..without_recovery() };
    let bytes = SocketIoConfig { max_queued_bytes: 30_000, max_queued_events: 1_000_000, ..without_recovery() };
    for config in [events, bytes] {
        check_that_reading_stops_while_the_queue_is_full(config).await;
    }
}

async fn check_that_reading_stops_while_the_queue_is_full(config: SocketIoConfig) {
    let log = Log::default();
    let handled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&handled);
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let namespace = scripted_namespace("/", &log).on("gated", move |_: Socket<Value>, _: Event| {
        let (gate, counted) = (Arc::clone(&gate), Arc::clone(&counted));
        async move {
            gate.acquire().await.unwrap().forget();
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let io = SocketIo::builder(EngineConfig::default(), config).namespace(namespace).build();
    let server = Server::start(io);
    let mut socket = join(&server).await;
    let padding = "x".repeat(10_000);
    let packet = format!("42[\"gated\",\"{padding}\"]");
    // More than the buffers between client and server hold, so that the client's writes block.
    let written = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&written);
    let writer = tokio::spawn(async move {
        for _ in 0..3000 {
            socket.send(&packet).await;
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut before = usize::MAX;
    while written.load(Ordering::SeqCst) != before {
        before = written.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(before < 3000, "reading has stopped");
    assert_eq!(handled.load(Ordering::SeqCst), 0);
    opened.add_permits(1_000_000);
    writer.await.unwrap();
    wait_until("all events are handled", || handled.load(Ordering::SeqCst) == 3000).await;
}
