//! WebSocket, upgrade, heartbeat and closing: a test a rule.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::support::{Frame, PATIENCE, Poller, Server, WebSocket, quiet, until};
use switchboard::{
    engineio::EngineConfig,
    socketio::{CloseKind, ConnectRefusal, DisconnectReason, Event, Namespace, Socket, SocketIo},
};
use tokio::time::timeout;

/// What the server noted of those who left.
#[derive(Clone, Default)]
struct Reasons(Arc<Mutex<Vec<&'static str>>>);

impl Reasons {
    async fn next(&self) -> &'static str {
        until("somebody leaves", || !self.0.lock().unwrap().is_empty()).await;
        self.0.lock().unwrap().remove(0)
    }
}

fn io(engine: EngineConfig) -> (SocketIo, Reasons) {
    let reasons = Reasons::default();
    let noted = reasons.clone();
    let io = SocketIo::builder(engine, quiet())
        .namespace(
            Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
                .on_connect(|socket: Socket<()>| async move {
                    socket.join("all");
                })
                .on("echo", |socket: Socket<()>, event: Event| async move {
                    socket.emit_arguments("echo", &event.into_arguments());
                })
                .on("slow", |_: Socket<()>, _: Event| async move {
                    tokio::time::sleep(Duration::from_millis(700)).await;
                    Some("done")
                })
                .on("panic", |_: Socket<()>, _: Event| async move {
                    assert!(std::hint::black_box(false), "on purpose");
                })
                .on("close", |socket: Socket<()>, _: Event| async move {
                    socket.close_transport();
                })
                .on_disconnect(move |socket: Socket<()>, reason: DisconnectReason| {
                    let noted = noted.clone();
                    async move {
                        assert!(socket.is_in("all"), "rooms are readable");
                        noted.0.lock().unwrap().push(reason.as_str());
                    }
                }),
        )
        .build();
    (io, reasons)
}

fn server() -> (Server, SocketIo, Reasons) {
    server_with(EngineConfig::default())
}

fn server_with(engine: EngineConfig) -> (Server, SocketIo, Reasons) {
    let (io, reasons) = io(engine);
    (Server::start(io.clone()), io, reasons)
}

fn fast() -> EngineConfig {
    EngineConfig {
        ping_interval: Duration::from_millis(150),
        ping_timeout: Duration::from_millis(100),
        ..EngineConfig::default()
    }
}

#[tokio::test]
async fn one_packet_a_frame_and_in_order() {
    let (server, ..) = server();
    let mut socket = server.joined().await;
    for number in 0..200 {
        socket.send(&format!("42[\"echo\",{number}]")).await;
    }
    for number in 0..200 {
        assert_eq!(socket.text().await, format!("42[\"echo\",{number}]"));
    }
}

#[tokio::test]
async fn messages_come_in_fragments_too() {
    let (server, ..) = server();
    let mut socket = server.joined().await;
    socket.frame(0x01, b"42[\"ec").await;
    socket.frame(0x89, b"ping").await;
    socket.frame(0x00, b"ho\",").await;
    socket.frame(0x80, b"1]").await;
    assert_eq!(socket.next().await, Frame::Pong(b"ping".to_vec()));
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn a_message_up_to_the_limit_passes_and_one_over_it_closes() {
    let (server, _, reasons) = server();
    let mut socket = server.joined().await;
    let longest = format!("42[\"echo\",\"{}\"]", "x".repeat(1_000_000 - 13));
    assert_eq!(longest.len(), 1_000_000);
    socket.send(&longest).await;
    assert_eq!(socket.text().await, longest);
    socket.send(&format!("4{longest}")).await;
    assert!(socket.closes().await);
    assert_eq!(reasons.next().await, "transport error");

    // The header alone is enough.
    let mut socket = server.joined().await;
    use tokio::io::AsyncWriteExt;
    let header = [0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4];
    socket.stream.write_all(&header).await.unwrap();
    assert_eq!(socket.next().await, Frame::Close(Some(1009)));

    // And many fragments that are each short enough.
    let mut socket = server.joined().await;
    socket.frame(0x01, &[b'4'; 300_000]).await;
    for _ in 0..3 {
        socket.frame(0x00, &[b'4'; 300_000]).await;
    }
    assert!(socket.closes().await);
}

#[tokio::test]
async fn empty_fragments_without_end_cost_nothing() {
    let (server, ..) = server();
    let mut socket = server.joined().await;
    socket.frame(0x01, b"").await;
    for _ in 0..20_000 {
        socket.frame(0x00, b"").await;
    }
    socket.frame(0x80, b"42[\"echo\",1]").await;
    socket.expect("42[\"echo\",1]").await;
}

#[tokio::test]
async fn frames_against_the_rules_close() {
    let (server, _, reasons) = server();
    for (first, data) in [
        (0x80, &b"continuation of nothing"[..]),
        (0x83, b"unknown opcode"),
        (0xc1, b"reserved bit"),
        (0x81, &[0xff, 0xfe]),
        (0x89, &[0; 126]),
    ] {
        let mut socket = server.joined().await;
        socket.frame(first, data).await;
        assert!(socket.closes().await);
        assert_eq!(reasons.next().await, "transport error");
    }
}

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
async fn a_ping_from_the_client_is_an_error() {
    let (server, _, reasons) = server();
    let mut socket = server.joined().await;
    socket.send("2").await;
    assert!(socket.closes().await);
    assert_eq!(reasons.next().await, "transport error");
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
    server.joined().await.vanish();
    assert_eq!(reasons.next().await, "transport close");
    until("no session", || io.session_count() == 0).await;
}

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
async fn events_that_came_before_the_close_are_all_handled_in_order() {
    let (server, io, reasons) = server();
    let mut socket = server.joined().await;
    socket.send("42[\"slow\"]").await;
    socket.send("42[\"echo\",1]").await;
    socket.vanish();
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
    socket.vanish();
    until("no session", || io.session_count() == 0).await;
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
        socket.vanish();
    }
    until("all are gone", || io.session_count() == 0).await;
    until("all that was said is heard", || *heard.lock().unwrap() == 2000).await;
}
