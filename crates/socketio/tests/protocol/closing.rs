//! How sessions close, with which reason, and that events received before are handled.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_socketio::{ConnectRefusal, EngineConfig, Event, Namespace, ShutdownMode, Socket, SocketIo};
use tokio::time::timeout;

use crate::support::{Frame, Server, TIMEOUT, WebSocket, logging_server, wait_until, without_recovery};

#[tokio::test]
async fn an_unknown_packet_is_a_parse_error() {
    let (server, _, log) = logging_server();
    for text in ["abc", "7", ""] {
        let mut socket = server.join().await;
        socket.send(text).await;
        assert!(socket.closes().await);
        assert_eq!(log.next().await, "parse error");
    }
}

#[tokio::test]
async fn a_close_packet_closes_at_once_and_later_packets_are_ignored() {
    let (server, io, log) = logging_server();
    let mut socket = server.join().await;
    let start = Instant::now();
    socket.send("1").await;
    socket.send("42[\"echo\",1]").await;
    assert_eq!(socket.next().await, Frame::Close(None));
    assert_eq!(socket.next().await, Frame::End);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(log.next().await, "transport close");
    assert_eq!(io.session_count(), 0);
}

#[tokio::test]
async fn a_closed_connection_is_a_transport_close() {
    let (server, io, log) = logging_server();
    let mut socket = server.join().await;
    socket.frame(0x88, &1001_u16.to_be_bytes()).await;
    assert!(socket.closes().await);
    assert_eq!(log.next().await, "transport close");
    server.join().await.abort();
    assert_eq!(log.next().await, "transport close");
    wait_until("no session", || io.session_count() == 0).await;
}

#[tokio::test]
async fn events_received_before_the_close_are_handled_in_order() {
    let (server, io, log) = logging_server();
    let mut socket = server.join().await;
    socket.send("42[\"slow\"]").await;
    socket.send("42[\"echo\",1]").await;
    socket.abort();
    wait_until("the session is gone", || io.session_count() == 0).await;
    assert!(log.0.lock().unwrap().is_empty(), "its handlers still run");
    assert_eq!(log.next().await, "transport close");
}

#[tokio::test]
async fn a_handler_that_panics_closes_only_its_client() {
    let (server, _, log) = logging_server();
    let mut other = server.join().await;
    let mut socket = server.join().await;
    socket.send("42[\"panic\"]").await;
    assert!(socket.closes().await);
    assert_eq!(log.next().await, "forced server close");
    other.send("42[\"echo\",1]").await;
    other.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn a_graceful_close_sends_queued_packets() {
    let (server, _, log) = logging_server();
    let mut socket = server.join().await;
    socket.send("42[\"echo\",1]").await;
    socket.send("42[\"close\"]").await;
    socket.expect("42[\"echo\",1]").await;
    assert_eq!(socket.next().await, Frame::Close(None));
    assert_eq!(log.next().await, "forced close");
}

#[tokio::test]
async fn a_stopping_server_closes_transports_without_disconnect_packets() {
    let (server, io, log) = logging_server();
    let mut socket = server.join().await;
    for number in 0..50 {
        io.namespace("/").unwrap().to("all").emit("n", &number);
    }
    timeout(TIMEOUT, io.close(ShutdownMode::Reconnect)).await.unwrap();
    for number in 0..50 {
        socket.expect(&format!("42[\"n\",{number}]")).await;
    }
    assert_eq!(socket.next().await, Frame::Close(None));
    assert_eq!(log.next().await, "server shutting down");
    assert!(WebSocket::connect(server.address, "/socket.io/?EIO=4&transport=websocket").await.is_err());
}

#[tokio::test]
async fn a_stopping_server_waits_for_running_handlers() {
    let (server, io, log) = logging_server();
    let mut socket = server.join().await;
    socket.send("42[\"echo\",1]").await;
    socket.send("421[\"slow\"]").await;
    socket.expect("42[\"echo\",1]").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    io.close(ShutdownMode::Reconnect).await;
    assert_eq!(log.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn events_sent_right_before_the_close_are_handled() {
    let handled = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&handled);
    let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }).on(
        "event",
        move |_: Socket<()>, _: Event| {
            let counter = Arc::clone(&counter);
            async move { *counter.lock().unwrap() += 1 }
        },
    );
    let io = SocketIo::builder(EngineConfig::default(), without_recovery()).namespace(namespace).build();
    let server = Server::start(io.clone());
    for _ in 0..20 {
        let mut socket = server.join().await;
        for _ in 0..100 {
            socket.send("42[\"event\"]").await;
        }
        socket.abort();
    }
    wait_until("no session is left", || io.session_count() == 0).await;
    wait_until("all events are handled", || *handled.lock().unwrap() == 2000).await;
}
