//! Pings and pongs.

use std::time::{Duration, Instant};

use actix_socketio::EngineConfig;

use crate::support::{fast_heartbeat, logging_server, logging_server_with};

#[tokio::test]
async fn pings_are_sent_at_the_interval_and_never_in_a_burst() {
    let (server, ..) = logging_server_with(EngineConfig { ping_timeout: Duration::from_secs(20), ..fast_heartbeat() });
    let mut socket = server.join().await;
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
async fn a_missing_pong_is_a_ping_timeout_on_both_transports() {
    let (server, io, log) = logging_server_with(fast_heartbeat());
    let mut socket = server.join().await;
    assert_eq!(socket.text().await, "2");
    assert!(socket.closes().await);
    assert_eq!(log.next().await, "ping timeout");

    // With no request waiting.
    let poller = server.poller().await;
    poller.post("40").await;
    assert_eq!(log.next().await, "ping timeout");
    assert!(poller.is_closed().await);
    assert_eq!(io.session_count(), 0);
}

#[tokio::test]
async fn a_slow_handler_does_not_stop_the_heartbeat() {
    let (server, ..) = logging_server_with(fast_heartbeat());
    let mut socket = server.join().await;
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
    let (server, _, log) = logging_server();
    let mut socket = server.join().await;
    socket.send("2").await;
    assert!(socket.closes().await);
    assert_eq!(log.next().await, "transport error");
}
