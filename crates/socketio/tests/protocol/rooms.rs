//! Rooms, broadcasts and the limits of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{Frame, Log, Server, joined, namespace, quiet, room_server, until};
use actix_socketio::{Event, Socket, SocketIo, SocketIoConfig};
use engineio::EngineConfig;
use serde_json::{Value, json};

#[tokio::test]
async fn rooms_reach_each_socket_once_and_not_the_sender() {
    let (server, io, _) = room_server();
    let mut first = joined(&server).await;
    let mut second = joined(&server).await;
    let namespace = io.namespace("/").unwrap();
    let ids = namespace.sockets_in("all");
    assert_eq!(ids.len(), 2);
    assert_eq!(namespace.to("all").join("more"), 2);
    let reached = namespace.to("all").to("more").to(&ids[0]).emit("x", &1);
    assert_eq!(reached, 2);
    assert_eq!(namespace.all().emit("x", &2), 2);
    assert_eq!(namespace.to("nobody").emit("x", &3), 0);
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
    until("one has left", || namespace.socket_count() == 1).await;
}

#[tokio::test]
async fn broadcasts_of_one_thread_are_seen_in_its_order_by_all() {
    let (server, io, _) = room_server();
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(joined(&server).await);
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
async fn a_binary_broadcast_is_never_torn_apart() {
    let (server, io, _) = room_server();
    let mut socket = joined(&server).await;
    let arguments = actix_socketio::Arguments {
        values: vec![json!({"_placeholder": true, "num": 0})],
        attachments: vec![vec![1].into()],
    };
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
async fn rooms_and_namespaces_of_one_connection_are_bounded() {
    let log = Log::default();
    let config = SocketIoConfig { max_rooms: 3, max_namespaces: 2, ..quiet() };
    let io = SocketIo::builder(EngineConfig::default(), config)
        .namespace(namespace("/", &log))
        .namespace(namespace("/a", &log))
        .namespace(namespace("/b", &log))
        .build();
    let server = Server::start(io.clone());
    let mut socket = joined(&server).await;
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
    let (server, io, _) = room_server();
    let socket = joined(&server).await;
    let all = io.namespace("/").unwrap();
    for room in 0..10_000 {
        assert_eq!(all.to("all").join(format!("room {room}")), 1);
    }
    socket.remove();
    until("all rooms are empty", || all.to("room 9999").emit("x", &1) == 0 && all.to("all").emit("x", &1) == 0).await;
}

#[tokio::test]
async fn a_full_event_queue_stops_the_reading_and_loses_nothing() {
    let events = SocketIoConfig { max_queued_events: 4, ..quiet() };
    let bytes = SocketIoConfig { max_queued_bytes: 30_000, max_queued_events: 1_000_000, ..quiet() };
    for config in [events, bytes] {
        the_reading_stops_while_the_queue_is_full(config).await;
    }
}

async fn the_reading_stops_while_the_queue_is_full(config: SocketIoConfig) {
    let log = Log::default();
    let handled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&handled);
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let namespace = namespace("/", &log).on("gated", move |_: Socket<Value>, _: Event| {
        let (gate, counted) = (Arc::clone(&gate), Arc::clone(&counted));
        async move {
            gate.acquire().await.unwrap().forget();
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let io = SocketIo::builder(EngineConfig::default(), config).namespace(namespace).build();
    let server = Server::start(io);
    let mut socket = joined(&server).await;
    let padding = "x".repeat(10_000);
    let packet = format!("42[\"gated\",\"{padding}\"]");
    // More than the buffers on the way hold, so that the client cannot go on writing.
    let written = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&written);
    let writing = tokio::spawn(async move {
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
    assert!(before < 3000, "the reading has stopped");
    assert_eq!(handled.load(Ordering::SeqCst), 0);
    opened.add_permits(1_000_000);
    writing.await.unwrap();
    until("all were handled", || handled.load(Ordering::SeqCst) == 3000).await;
}
