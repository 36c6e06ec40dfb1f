//! How sessions end and for which reason, and that what was said before is heard: a test a rule.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::reasons::server;
use crate::support::{Frame, PATIENCE, Server, WebSocket, quiet, until};
use actix_socketio::{CloseKind, ConnectRefusal, Event, Namespace, Socket, SocketIo};
use engineio::EngineConfig;
use tokio::time::timeout;

#[tokio::test]
async fn an_unknown_packet_is_a_parse_error() {
    let (server, _, reasons) = server();
    for text in ["abc", "7", ""] {
        let mut socket = server.joined().await;
        socket.send(text).await;
        assert!(socket.closes().await);
        assert_eq!(reasons.next().await, "parse error");
    }
}

#[tokio::test]
async fn a_close_packet_closes_promptly_and_what_follows_is_ignored() {
    let (server, io, reasons) = server();
    let mut socket = server.joined().await;
    let begun = Instant::now();
    socket.send("1").await;
    socket.send("42[\"echo\",1]").await;
    assert_eq!(socket.next().await, Frame::Close(None));
    assert_eq!(socket.next().await, Frame::End);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(reasons.next().await, "transport close");
    assert_eq!(io.session_count(), 0);
}

#[tokio::test]
async fn a_client_that_goes_is_a_transport_close() {
    let (server, io, reasons) = server();
    let mut socket = server.joined().await;
    socket.frame(0x88, &1001_u16.to_be_bytes()).await;
    assert!(socket.closes().await);
    assert_eq!(reasons.next().await, "transport close");
    server.joined().await.remove();
    assert_eq!(reasons.next().await, "transport close");
    until("no session", || io.session_count() == 0).await;
}

#[tokio::test]
async fn events_that_came_before_the_close_are_all_handled_in_order() {
    let (server, io, reasons) = server();
    let mut socket = server.joined().await;
    socket.send("42[\"slow\"]").await;
    socket.send("42[\"echo\",1]").await;
    socket.remove();
    until("the session is gone", || io.session_count() == 0).await;
    assert!(reasons.0.lock().unwrap().is_empty(), "its handlers are still at work");
    assert_eq!(reasons.next().await, "transport close");
}

#[tokio::test]
async fn a_handler_that_panics_costs_its_client_alone() {
    let (server, _, reasons) = server();
    let mut other = server.joined().await;
    let mut socket = server.joined().await;
    socket.send("42[\"panic\"]").await;
    assert!(socket.closes().await);
    assert_eq!(reasons.next().await, "forced server close");
    other.send("42[\"echo\",1]").await;
    other.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn a_graceful_close_flushes() {
    let (server, _, reasons) = server();
    let mut socket = server.joined().await;
    socket.send("42[\"echo\",1]").await;
    socket.send("42[\"close\"]").await;
    socket.expect("42[\"echo\",1]").await;
    assert_eq!(socket.next().await, Frame::Close(None));
    assert_eq!(reasons.next().await, "forced close");
}

#[tokio::test]
async fn a_stopping_server_sends_clients_elsewhere_without_putting_them_out() {
    let (server, io, reasons) = server();
    let mut socket = server.joined().await;
    for number in 0..50 {
        io.namespace("/").unwrap().to("all").emit("n", &number);
    }
    timeout(PATIENCE, io.close(CloseKind::GoElsewhere)).await.unwrap();
    for number in 0..50 {
        socket.expect(&format!("42[\"n\",{number}]")).await;
    }
    assert_eq!(socket.next().await, Frame::Close(None));
    assert_eq!(reasons.next().await, "server shutting down");
    assert!(WebSocket::connect(server.address, "/socket.io/?EIO=4&transport=websocket").await.is_err());
}

#[tokio::test]
async fn a_stopping_server_waits_for_what_is_still_handled() {
    let (server, io, reasons) = server();
    let mut socket = server.joined().await;
    socket.send("42[\"echo\",1]").await;
    socket.send("421[\"slow\"]").await;
    socket.expect("42[\"echo\",1]").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    io.close(CloseKind::GoElsewhere).await;
    assert_eq!(reasons.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_client_said_right_before_it_went_is_heard() {
    let heard = Arc::new(Mutex::new(0));
    let hearing = Arc::clone(&heard);
    let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }).on(
        "word",
        move |_: Socket<()>, _: Event| {
            let hearing = Arc::clone(&hearing);
            async move { *hearing.lock().unwrap() += 1 }
        },
    );
    let io = SocketIo::builder(EngineConfig::default(), quiet()).namespace(namespace).build();
    let server = Server::start(io.clone());
    for _ in 0..20 {
        let mut socket = server.joined().await;
        for _ in 0..100 {
            socket.send("42[\"word\"]").await;
        }
        socket.remove();
    }
    until("all are gone", || io.session_count() == 0).await;
    until("all that was said is heard", || *heard.lock().unwrap() == 2000).await;
}
