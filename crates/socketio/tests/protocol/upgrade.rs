//! Sessions that upgrade under traffic in both directions: each packet arrives once and in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_socketio::{ConnectRefusal, EngineConfig, Event, Namespace, Socket, SocketIo};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use crate::support::{Poller, Server, wait_until, without_recovery};

/// A server that sends `up` events back.
fn io() -> SocketIo {
    // Many concurrent upgrades may take a slow machine a while.
    let engine = EngineConfig { upgrade_timeout: Duration::from_secs(120), ..EngineConfig::default() };
    SocketIo::builder(engine, without_recovery())
        .namespace(
            Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
                .on_connect(|socket: Socket<()>| async move {
                    socket.join("all");
                })
                .on("up", |socket: Socket<()>, event: Event| async move {
                    socket.emit_arguments("up", &event.into_arguments());
                }),
        )
        .build()
}

/// The numbers that a client received, of its own packets and of the server's.
#[derive(Default)]
struct Received {
    up: Vec<u64>,
    down: Vec<u64>,
}

impl Received {
    fn take(&mut self, packets: &str) {
        for packet in packets.split('\x1e') {
            match packet.split_once("\"up\",") {
                Some((_, number)) => self.up.push(number.trim_end_matches(']').parse().unwrap()),
                None => match packet.split_once("\"down\",") {
                    Some((_, number)) => {
                        self.down.push(number.trim_end_matches(']').parse().unwrap());
                    }
                    None => assert!(packet == "6" || packet.starts_with("40{"), "{packet}"),
                },
            }
        }
    }
}

fn up(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("42[\"up\",{number}]")).collect()
}

/// The last number that a client receives.
const END: u64 = u64::MAX;

/// Polls, waits until all others do, upgrades like a stock client, and receives everything.
async fn upgrading_client(server: Arc<Server>, all: Arc<Barrier>, upgraded: Arc<AtomicUsize>) -> Received {
    let mut poller: Poller = server.poller().await;
    let mut received = Received::default();
    assert_eq!(poller.post("40").await.body, "ok");
    received.take(&poller.poll().await.body);
    all.wait().await;
    assert_eq!(poller.post(&up(0..5).join("\x1e")).await.body, "ok");

    let mut socket = poller.upgrade().await;
    let mut poll = poller.start_poll().await;
    socket.send("2probe").await;
    assert_eq!(poller.post(&up(5..10).join("\x1e")).await.body, "ok");
    socket.expect("3probe").await;
    // The client lets its last poll end before it sends the `5`.
    received.take(&poll.response().await.body);
    socket.send("5").await;
    for packet in up(10..20) {
        socket.send(&packet).await;
    }
    while received.up.len() < 20 {
        received.take(&socket.text().await);
    }
    upgraded.fetch_add(1, Ordering::SeqCst);
    while received.down.last() != Some(&END) {
        received.take(&socket.text().await);
    }
    received
}

/// All sessions upgrade at the same time, while the server sends to all of them.
#[tokio::test(flavor = "multi_thread")]
async fn packets_arrive_once_and_in_order_while_sessions_upgrade() {
    const SESSIONS: usize = 1000;
    let io = io();
    let server = Arc::new(Server::start(io.clone()));
    let namespace = io.namespace("/").unwrap();
    let (all, upgraded) = (Arc::new(Barrier::new(SESSIONS + 1)), Arc::<AtomicUsize>::default());
    let clients: Vec<_> = (0..SESSIONS)
        .map(|_| tokio::spawn(upgrading_client(Arc::clone(&server), Arc::clone(&all), Arc::clone(&upgraded))))
        .collect();
    all.wait().await;
    let mut sent = 0;
    while upgraded.load(Ordering::SeqCst) < SESSIONS {
        namespace.to("all").emit("down", &sent);
        sent += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!clients.iter().any(JoinHandle::is_finished), "a client failed");
    }
    namespace.to("all").emit("down", &END);
    let everything: Vec<u64> = (0..sent).chain([END]).collect();
    for client in clients {
        let received = client.await.unwrap();
        assert_eq!(received.up, (0..20).collect::<Vec<_>>());
        assert_eq!(received.down, everything);
    }
    wait_until("no session is left", || io.session_count() == 0).await;
}
