//! Clients that do not read: memory is bounded, they are closed, others are not affected. `SOAK=1` makes the test long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_socketio::{ConnectRefusal, EngineConfig, Namespace, NamespaceHandle, Socket, SocketIo, SocketIoConfig};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{Server, TIMEOUT, WebSocket, is_soak, resident_kib, wait_until};

fn io(engine: EngineConfig) -> SocketIo {
    SocketIo::builder(engine, SocketIoConfig::default())
        .namespace(Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }).on_connect(
            |socket: Socket<()>| async move {
                socket.join("all");
            },
        ))
        .build()
}

/// Readers of a room, which check the order of events and measure their latencies.
struct Readers(Vec<JoinHandle<Vec<Duration>>>, Arc<Semaphore>);

impl Readers {
    const COUNT: u32 = 5;

    /// Each reads `events` events, which carry their sending time.
    async fn start(server: &Server, events: usize, start: Instant) -> Self {
        let received = Arc::new(Semaphore::new(0));
        let mut readers = Vec::new();
        for _ in 0..Self::COUNT {
            let (mut reader, received) = (server.join().await, Arc::clone(&received));
            readers.push(tokio::spawn(async move {
                let mut latencies = Vec::new();
                for number in 0..events {
                    let text = reader.text().await;
                    let rest = text.strip_prefix(&format!("42[\"n\",[{number},")).unwrap_or_else(|| panic!("{text}"));
                    let sent = rest.split(',').next().unwrap().parse().unwrap();
                    reader.expect("42[\"offset\",").await;
                    latencies.push(start.elapsed().saturating_sub(Duration::from_micros(sent)));
                    received.add_permits(1);
                }
                latencies
            }));
        }
        Self(readers, received)
    }

    /// Sends events to the room, each after all readers have received the previous one, so that latencies do not add up.
    async fn measure(self, namespace: &NamespaceHandle, events: usize, start: Instant) -> Latencies {
        let payload = "x".repeat(10_000);
        for number in 0..events {
            let now = u64::try_from(start.elapsed().as_micros()).unwrap();
            assert!(namespace.to("all").emit("n", &(number, now, &payload)) >= Self::COUNT as usize);
            timeout(TIMEOUT, self.1.acquire_many(Self::COUNT))
                .await
                .expect("all readers receive the event")
                .unwrap()
                .forget();
        }
        let mut all = Vec::new();
        for reader in self.0 {
            all.extend(reader.await.unwrap());
        }
        all.sort();
        Latencies { median: all[all.len() / 2], p99: all[all.len() * 99 / 100] }
    }
}

#[derive(Debug)]
struct Latencies {
    median: Duration,
    p99: Duration,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_closed_and_does_not_slow_the_others() {
    let engine = EngineConfig { close_timeout: Duration::from_millis(200), ..EngineConfig::default() };
    let io = io(engine);
    let server = Server::start(io.clone());
    let namespace = io.namespace("/").unwrap();
    let events = if is_soak() { 10_000 } else { 1_000 };
    let start = Instant::now();
    let alone = Readers::start(&server, events, start).await.measure(&namespace, events, start).await;
    wait_until("the readers have disconnected", || io.session_count() == 0).await;

    let path = "/socket.io/?EIO=4&transport=websocket";
    let mut slow = WebSocket::connect_slow_reader(server.address, path).await;
    slow.expect("0{").await;
    slow.send("40").await;
    let answer: Value = serde_json::from_str(&slow.expect("40").await[2..]).unwrap();
    let readers = Readers::start(&server, events, start).await;
    let before = resident_kib();
    let with_slow_reader = readers.measure(&namespace, events, start).await;
    wait_until("the slow reader is closed", || namespace.socket_count() == 0).await;
    wait_until("its session is gone", || io.session_count() == 0).await;
    let growth = resident_kib().saturating_sub(before);
    assert!(growth < 30_000, "{growth} KiB for {events} events of 10 kB");
    // Absolute latencies depend on the machine; only their ratio is checked.
    println!("alone {alone:?}, with a slow reader {with_slow_reader:?}");
    assert!(
        with_slow_reader.median < 5 * alone.median.max(Duration::from_millis(1)),
        "{with_slow_reader:?}, alone {alone:?}"
    );
    assert!(
        with_slow_reader.p99 < 10 * alone.p99.max(Duration::from_millis(10)),
        "{with_slow_reader:?}, alone {alone:?}"
    );

    // When it reconnects it gets a new socket, because it has missed events.
    let mut reconnected = server.websocket().await;
    let auth = json!({"pid": answer["pid"]});
    reconnected.send(&format!("40{auth}")).await;
    let again: Value = serde_json::from_str(&reconnected.expect("40").await[2..]).unwrap();
    assert_ne!(again["sid"], answer["sid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn volatile_events_are_dropped_if_they_cannot_be_sent_now() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let namespace = io.namespace("/").unwrap();
    // No poll waits.
    let mut poller = server.poller().await;
    poller.post("40").await;
    assert!(poller.poll().await.body.starts_with("40"));
    assert_eq!(namespace.to("all").volatile().emit("v", &1), 0);
    let mut waiting = poller.start_poll().await;
    assert_eq!(namespace.to("all").volatile().emit("v", &2), 1);
    assert!(waiting.response().await.body.starts_with("42[\"v\",2"));
    // A packet is pending already.
    assert_eq!(namespace.to("all").emit("n", &3), 1);
    assert_eq!(namespace.to("all").volatile().emit("v", &4), 0);
    assert!(poller.poll().await.body.starts_with("42[\"n\",3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_polling_client_that_does_not_poll_is_closed_at_its_budget() {
    let io = io(EngineConfig { outgoing_budget: 50_000, ..EngineConfig::default() });
    let server = Server::start(io.clone());
    let namespace = io.namespace("/").unwrap();
    let poller = server.poller().await;
    poller.post("40").await;
    wait_until("the client has joined", || namespace.socket_count() == 1).await;
    for _ in 0..100 {
        namespace.to("all").emit("n", &"x".repeat(1000));
    }
    wait_until("the session is closed", || io.session_count() == 0).await;
    assert!(poller.is_closed().await);
}
