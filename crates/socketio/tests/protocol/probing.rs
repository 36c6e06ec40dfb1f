//! The upgrade from polling to a WebSocket, step by step: a test a rule.

use std::time::Duration;

use crate::support::reasons::{fast, server, server_with};
use crate::support::{Frame, Poller, Server, until};
use engineio::EngineConfig;

async fn joined_poller(server: &Server) -> Poller {
    let mut poller = server.poller().await;
    poller.post("40").await;
    assert!(poller.poll().await.body.starts_with("40{"));
    poller
}

#[tokio::test]
async fn once_probed_every_get_is_answered_with_a_noop() {
    let (server, ..) = server();
    let mut poller = joined_poller(&server).await;
    let mut waiting = poller.begin_poll().await;
    let mut socket = poller.upgrade().await;
    socket.send("2probe").await;
    socket.expect("3probe").await;
    assert_eq!(waiting.answer().await.body, "6");
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
async fn what_is_buffered_leaves_on_the_websocket_in_order() {
    let (server, io, _) = server();
    let poller = joined_poller(&server).await;
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
async fn anything_else_on_a_probing_websocket_closes_that_one_alone() {
    let (server, ..) = server();
    let mut poller = joined_poller(&server).await;
    for packets in [&["2"][..], &["3probe"], &["42[\"echo\",1]"], &["2probe", "4x"], &["abc"]] {
        let mut socket = poller.upgrade().await;
        for packet in packets {
            socket.send(packet).await;
        }
        assert!(socket.closes().await);
    }
    poller.post("42[\"echo\",1]").await;
    assert_eq!(poller.poll().await.body, "42[\"echo\",1]");
    // And a later one makes it.
    let mut socket = poller.upgrade().await;
    socket.send("2probe").await;
    socket.expect("3probe").await;
    socket.send("5").await;
    socket.send("42[\"echo\",2]").await;
    socket.expect("42[\"echo\",2]").await;
}

#[tokio::test]
async fn an_upgrade_that_is_not_finished_in_time_leaves_the_polling_session() {
    let (server, ..) =
        server_with(EngineConfig { upgrade_timeout: Duration::from_millis(150), ..EngineConfig::default() });
    let mut poller = joined_poller(&server).await;
    for probes in [false, true] {
        let mut socket = poller.upgrade().await;
        if probes {
            socket.send("2probe").await;
            socket.expect("3probe").await;
        }
        assert_eq!(socket.next().await, Frame::Close(None));
    }
    poller.post("42[\"echo\",1]").await;
    assert_eq!(poller.poll().await.body, "42[\"echo\",1]");
}

#[tokio::test]
async fn the_heartbeat_goes_on_throughout_an_upgrade() {
    let (server, ..) = server_with(fast());
    let mut poller = joined_poller(&server).await;
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
async fn a_session_that_ends_at_any_step_of_its_upgrade_takes_the_websocket_along() {
    let (server, io, _) = server();
    for probes in [false, true] {
        let poller = joined_poller(&server).await;
        let mut socket = poller.upgrade().await;
        if probes {
            socket.send("2probe").await;
            socket.expect("3probe").await;
        }
        poller.post("1").await;
        assert!(socket.closes().await);
    }
    // The other way round: after the `5` the WebSocket is the session.
    let poller = joined_poller(&server).await;
    let mut socket = poller.upgrade().await;
    socket.send("2probe").await;
    socket.expect("3probe").await;
    socket.send("5").await;
    socket.remove();
    until("no session", || io.session_count() == 0).await;
}
