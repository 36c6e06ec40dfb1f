//! Clients that do not read: memory stays flat, they are cut, others notice nothing. `SOAK=1` makes it long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Server, WebSocket, resident_kib, soak, until};
use actix_socketio::{ConnectRefusal, Namespace, NamespaceHandle, Socket, SocketIo, SocketIoConfig};
use engineio::EngineConfig;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

fn io(engine: EngineConfig) -> SocketIo {
    SocketIo::builder(engine, SocketIoConfig::default())
        .namespace(Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }).on_connect(
            |socket: Socket<()>| async move {
                socket.join("all");
            },
        ))
        .build()
}

/// Readers of a room, each of which takes what it is sent in order and tells how long each was on its way.
struct Readers(Vec<JoinHandle<Vec<Duration>>>, Arc<Semaphore>);

impl Readers {
    const COUNT: u32 = 5;

    /// They read so many events, which say when they were sent.
    async fn start(server: &Server, events: usize, began: Instant) -> Self {
        let heard = Arc::new(Semaphore::new(0));
        let mut readers = Vec::new();
        for _ in 0..Self::COUNT {
            let (mut reader, heard) = (server.joined().await, Arc::clone(&heard));
            readers.push(tokio::spawn(async move {
                let mut latencies = Vec::new();
                for number in 0..events {
                    let text = reader.text().await;
                    let rest = text.strip_prefix(&format!("42[\"n\",[{number},")).unwrap_or_else(|| panic!("{text}"));
                    let sent = rest.split(',').next().unwrap().parse().unwrap();
                    latencies.push(began.elapsed().saturating_sub(Duration::from_micros(sent)));
                    heard.add_permits(1);
                }
                latencies
            }));
        }
        Self(readers, heard)
    }

    /// Says so many events to the room, none before all have heard the last: what they hear late is late alone.
    async fn are_told(self, namespace: &NamespaceHandle, events: usize, began: Instant) -> Latencies {
        let payload = "x".repeat(10_000);
        for number in 0..events {
            let now = u64::try_from(began.elapsed().as_micros()).unwrap();
            assert!(namespace.to("all").emit("n", &(number, now, &payload)) >= Self::COUNT as usize);
            timeout(PATIENCE, self.1.acquire_many(Self::COUNT)).await.expect("all readers go on").unwrap().forget();
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
async fn a_client_that_does_not_read_is_cut_while_the_others_notice_nothing() {
    let engine = EngineConfig { close_timeout: Duration::from_millis(200), ..EngineConfig::default() };
    let io = io(engine);
    let server = Server::start(io.clone());
    let namespace = io.namespace("/").unwrap();
    let events = if soak() { 10_000 } else { 1_000 };
    let began = Instant::now();
    let alone = Readers::start(&server, events, began).await.are_told(&namespace, events, began).await;
    until("they have left", || io.session_count() == 0).await;

    let path = "/socket.io/?EIO=4&transport=websocket";
    let mut stuck = WebSocket::connect_narrow(server.address, path).await;
    stuck.expect("0{").await;
    stuck.send("40").await;
    let answer: Value = serde_json::from_str(&stuck.expect("40").await[2..]).unwrap();
    let readers = Readers::start(&server, events, began).await;
    let before = resident_kib();
    let beside = readers.are_told(&namespace, events, began).await;
    until("the one that does not read is cut", || namespace.socket_count() == 0).await;
    until("its session is gone", || io.session_count() == 0).await;
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 30_000, "{grown} KiB for {events} events of 10 kB");
    // How fast is the machine's business; that it is no slower beside one that does not read is ours.
    println!("alone {alone:?}, beside one that does not read {beside:?}");
    assert!(beside.median < 5 * alone.median.max(Duration::from_millis(1)), "{beside:?}, alone {alone:?}");
    assert!(beside.p99 < 10 * alone.p99.max(Duration::from_millis(10)), "{beside:?}, alone {alone:?}");

    // It comes back, and is told that it has not everything.
    let mut back = server.websocket().await;
    let auth = json!({"pid": answer["pid"]});
    back.send(&format!("40{auth}")).await;
    let again: Value = serde_json::from_str(&back.expect("40").await[2..]).unwrap();
    assert_ne!(again["sid"], answer["sid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn volatile_events_are_dropped_where_they_cannot_leave_now() {
    let io = io(EngineConfig::default());
    let server = Server::start(io.clone());
    let namespace = io.namespace("/").unwrap();
    // Nobody polls.
    let mut poller = server.poller().await;
    poller.post("40").await;
    assert!(poller.poll().await.body.starts_with("40"));
    assert_eq!(namespace.to("all").volatile().emit("v", &1), 0);
    let mut waiting = poller.begin_poll().await;
    assert_eq!(namespace.to("all").volatile().emit("v", &2), 1);
    assert!(waiting.answer().await.body.starts_with("42[\"v\",2"));
    // Something waits already.
    assert_eq!(namespace.to("all").emit("n", &3), 1);
    assert_eq!(namespace.to("all").volatile().emit("v", &4), 0);
    assert!(poller.poll().await.body.starts_with("42[\"n\",3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poller_that_does_not_poll_is_cut_at_its_budget() {
    let io = io(EngineConfig { outgoing_budget: 50_000, ..EngineConfig::default() });
    let server = Server::start(io.clone());
    let namespace = io.namespace("/").unwrap();
    let poller = server.poller().await;
    poller.post("40").await;
    until("it is in", || namespace.socket_count() == 1).await;
    for _ in 0..100 {
        namespace.to("all").emit("n", &"x".repeat(1000));
    }
    until("it is cut", || io.session_count() == 0).await;
    assert!(poller.is_dead().await);
}
