//! Sessions that upgrade while packets flow both ways: each packet once and in order. `SOAK=1` makes it 1000 sessions.

use std::{sync::Arc, time::Duration};

use crate::support::{Poller, Server, soak, until};
use switchboard::{
    engineio::EngineConfig,
    socketio::{ConnectRefusal, Event, Namespace, Socket, SocketIo},
};

/// Says back what it hears.
fn io() -> SocketIo {
    SocketIo::builder(EngineConfig::default(), crate::support::quiet())
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

/// Numbers that a client heard, of its own packets and of the server's.
#[derive(Default)]
struct Heard {
    up: Vec<u64>,
    down: Vec<u64>,
}

impl Heard {
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

/// Polls, upgrades as a stock client does, and hears everything.
async fn upgrading_client(server: Arc<Server>, events: u64) {
    let mut poller: Poller = server.poller().await;
    let mut heard = Heard::default();
    assert_eq!(poller.post("40").await.body, "ok");
    heard.take(&poller.poll().await.body);
    assert_eq!(poller.post(&up(0..5).join("\x1e")).await.body, "ok");

    let mut socket = poller.upgrade().await;
    let mut poll = poller.begin_poll().await;
    socket.send("2probe").await;
    assert_eq!(poller.post(&up(5..10).join("\x1e")).await.body, "ok");
    socket.expect("3probe").await;
    // The client lets its last poll end before it sends the `5`.
    heard.take(&poll.answer().await.body);
    socket.send("5").await;
    for packet in up(10..20) {
        socket.send(&packet).await;
    }
    while heard.up.len() < 20 || (heard.down.len() as u64) < events {
        heard.take(&socket.text().await);
    }
    assert_eq!(heard.up, (0..20).collect::<Vec<_>>());
    assert_eq!(heard.down, (0..events).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_packet_once_and_in_order_while_sessions_upgrade() {
    let io = io();
    let server = Arc::new(Server::start(io.clone()));
    let namespace = io.namespace("/").unwrap();
    let rounds = if soak() { 50 } else { 4 };
    for _ in 0..rounds {
        let clients: Vec<_> = (0..20).map(|_| tokio::spawn(upgrading_client(Arc::clone(&server), 200))).collect();
        until("all are in", || namespace.socket_count() == 20).await;
        for number in 0..200 {
            namespace.to("all").emit("down", &number);
            if number % 10 == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        for client in clients {
            client.await.unwrap();
        }
        until("all are gone", || io.session_count() == 0).await;
    }
}
