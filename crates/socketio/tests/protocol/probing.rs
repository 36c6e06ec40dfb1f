//! The upgrade from polling to a WebSocket, step by step.

use std::time::Duration;

use actix_socketio::EngineConfig;

use crate::support::{Frame, Poller, Server, fast_heartbeat, logging_server, logging_server_with, wait_until};

async fn join_by_polling(server: &Server) -> Poller {
    let mut poller = server.poller().await;
    poller.post("40").await;
    assert!(poller.poll().await.body.starts_with("40{"));
    poller
}

#[tokio::test]
async fn after_the_probe_every_get_is_answered_with_a_noop() {
    let (server, ..) = logging_server();
    let mut poller = join_by_polling(&server).await;
    let mut waiting = poller.start_poll().await;
    let mut socket = poller.upgrade().await;
    socket.send("2probe").await;
    socket.expect("3probe").await;
    assert_eq!(waiting.response().await.body, "6");
    for _ in 0..3 {
        assert_eq!(poller.poll().await.body, "6");
    }
    socket.send("5").await;
    socket.send("42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
    let late = poller.poll().await;
    assert_eq!((late.status, late.body.as_str()), (400, r#"{"code":3,"message":"Bad request"}"#));
}

#[tokio::test]
async fn buffered_packets_are_sent_on_the_websocket_in_order() {
    let (server, io, _) = logging_server();
    let poller = join_by_polling(&server).await;
    let all = io.namespace("/").unwrap();
    let mut socket = poller.upgrade().await;
    all.to("all").emit("n", &1);
    socket.send("2probe").await;
    socket.expect("3probe").await;
    all.to("all").emit("n", &2);
    assert!(socket.is_silent().await);
    socket.send("5").await;
    all.to("all").emit("n", &3);
    for number in 1..=3 {
        socket.expect(&format!("42[\"n\",{number}]")).await;
    }
}

#[tokio::test]
async fn an_unexpected_packet_during_the_upgrade_closes_only_the_websocket() {
    let (server, ..) = logging_server();
    let mut poller = join_by_polling(&server).await;
    for packets in [&["2"][..], &["3probe"], &["42[\"echo\",1]"], &["2probe", "4x"], &["abc"]] {
        let mut socket = poller.upgrade().await;
        for packet in packets {
            socket.send(packet).await;
        }
        assert!(socket.closes().await);
    }
    poller.post("42[\"echo\",1]").await;
    assert_eq!(poller.poll().await.body, "42[\"echo\",1]");
    // A later upgrade succeeds.
    let mut socket = poller.upgrade().await;
    socket.send("2probe").await;
    socket.expect("3probe").await;
    socket.send("5").await;
    socket.send("42[\"echo\",2]").await;
    socket.expect("42[\"echo\",2]").await;
}

#[tokio::test]
async fn an_upgrade_that_times_out_keeps_the_polling_session() {
    let (server, ..) =
        logging_server_with(EngineConfig { upgrade_timeout: Duration::from_millis(150), ..EngineConfig::default() });
    let mut poller = join_by_polling(&server).await;
    for sends_probe in [false, true] {
        let mut socket = poller.upgrade().await;
        if sends_probe {
            socket.send("2probe").await;
            socket.expect("3probe").await;
        }
        assert_eq!(socket.next().await, Frame::Close(None));
    }
    poller.post("42[\"echo\",1]").await;
    assert_eq!(poller.poll().await.body, "42[\"echo\",1]");
}

#[tokio::test]
async fn the_heartbeat_continues_during_an_upgrade() {
    let (server, ..) = logging_server_with(fast_heartbeat());
    let mut poller = join_by_polling(&server).await;
    let mut socket = poller.upgrade().await;
    tokio::time::sleep(Duration::from_millis(170)).await;
    assert_eq!(poller.poll().await.body, "2");
    poller.post("3").await;
    socket.send("2probe").await;
    socket.expect("3probe").await;
    socket.send("5").await;
    assert_eq!(socket.text().await, "2");
    socket.send("3").await;
    assert_eq!(socket.text().await, "2");
}

#[tokio::test]
async fn closing_a_session_during_its_upgrade_closes_the_websocket() {
    let (server, io, _) = logging_server();
    for sends_probe in [false, true] {
        let poller = join_by_polling(&server).await;
        let mut socket = poller.upgrade().await;
        if sends_probe {
            socket.send("2probe").await;
            socket.expect("3probe").await;
        }
        poller.post("1").await;
        assert!(socket.closes().await);
    }
    // After the `5`, closing the WebSocket closes the session.
    let poller = join_by_polling(&server).await;
    let mut socket = poller.upgrade().await;
    socket.send("2probe").await;
    socket.expect("3probe").await;
    socket.send("5").await;
    socket.abort();
    wait_until("no session", || io.session_count() == 0).await;
}
