//! Pings and pongs: a test a rule.

use std::time::{Duration, Instant};

use crate::support::reasons::{fast, server, server_with};
use engineio::EngineConfig;

#[tokio::test]
async fn pings_come_at_their_interval_and_never_in_a_burst() {
    let (server, ..) = server_with(EngineConfig { ping_timeout: Duration::from_secs(20), ..fast() });
    let mut socket = server.joined().await;
    let mut last = Instant::now();
    for _ in 0..4 {
        assert_eq!(socket.text().await, "2");
        let passed = last.elapsed();
        assert!(passed > Duration::from_millis(120), "{passed:?}");
        last = Instant::now();
        socket.send("3").await;
    }
}

#[tokio::test]
async fn no_pong_in_time_is_a_ping_timeout_on_either_transport() {
    let (server, io, reasons) = server_with(fast());
    let mut socket = server.joined().await;
    assert_eq!(socket.text().await, "2");
    assert!(socket.closes().await);
    assert_eq!(reasons.next().await, "ping timeout");

    // With no request waiting.
    let poller = server.poller().await;
    poller.post("40").await;
    assert_eq!(reasons.next().await, "ping timeout");
    assert!(poller.is_dead().await);
    assert_eq!(io.session_count(), 0);
}

#[tokio::test]
async fn the_heartbeat_goes_on_while_a_handler_is_slow() {
    let (server, ..) = server_with(fast());
    let mut socket = server.joined().await;
    socket.send("421[\"slow\"]").await;
    let mut pings = 0;
    loop {
        match socket.text().await.as_str() {
            "2" => {
                pings += 1;
                socket.send("3").await;
            }
            text => {
                assert_eq!(text, "431[\"done\"]");
                break;
            }
        }
    }
    assert!(pings >= 3, "{pings}");
}

#[tokio::test]
async fn a_ping_from_the_client_is_an_error() {
    let (server, _, reasons) = server();
    let mut socket = server.joined().await;
    socket.send("2").await;
    assert!(socket.closes().await);
    assert_eq!(reasons.next().await, "transport error");
}
