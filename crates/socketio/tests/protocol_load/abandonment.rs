//! Sessions that vanish in any state leave nothing behind. `SOAK=1` makes it 2000 of each.

use std::time::Duration;

use crate::support::{PATIENCE, Server, resident_kib, soak, until};
use actix_socketio::{ConnectRefusal, Namespace, RecoveryConfig, Socket, SocketIo, SocketIoConfig, Stats};
use engineio::EngineConfig;

fn io() -> SocketIo {
    let engine = EngineConfig {
        ping_interval: Duration::from_millis(400),
        ping_timeout: Duration::from_millis(400),
        upgrade_timeout: Duration::from_millis(300),
        ..EngineConfig::default()
    };
    let config = SocketIoConfig {
        recovery: Some(RecoveryConfig { max_disconnection: Duration::from_millis(300), ..RecoveryConfig::default() }),
        ..SocketIoConfig::default()
    };
    SocketIo::builder(engine, config)
        .namespace(Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }).on_connect(
            |socket: Socket<()>| async move {
                socket.join("all");
                socket.join(format!("alone {}", socket.id()));
            },
        ))
        .build()
}

/// How a session is left.
#[derive(Debug, Clone, Copy)]
enum State {
    AfterHandshake,
    AfterConnect,
    Upgrading,
    Probed,
    InAWaitingPoll,
    WebSocket,
    WebSocketWithoutFin,
}

const STATES: [State; 7] = [
    State::AfterHandshake,
    State::AfterConnect,
    State::Upgrading,
    State::Probed,
    State::InAWaitingPoll,
    State::WebSocket,
    State::WebSocketWithoutFin,
];

/// Opens a session and leaves it. What must stay open without a word is returned.
async fn leave(server: &Server, state: State) -> Option<crate::support::WebSocket> {
    match state {
        State::AfterHandshake => drop(server.poller().await),
        State::AfterConnect => {
            server.poller().await.post("40").await;
        }
        State::Upgrading => server.poller().await.upgrade().await.remove(),
        State::Probed => {
            let mut socket = server.poller().await.upgrade().await;
            socket.send("2probe").await;
            socket.expect("3probe").await;
            socket.remove();
        }
        State::InAWaitingPoll => {
            let mut poller = server.poller().await;
            poller.post("40").await;
            poller.poll().await;
            let path = poller.path();
            poller.http.send("GET", &path, &[], "").await;
        }
        State::WebSocket => server.joined().await.remove(),
        State::WebSocketWithoutFin => return Some(server.joined().await),
    }
    None
}

/// What can be counted from outside: this process's open files, the ends of connections among them.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_sessions_that_vanish() {
    let sessions = if soak() { 2000 } else { 100 };
    let io = io();
    assert_eq!(io.stats(), Stats::default());
    let server = Server::start(io.clone());
    let (mut memory, mut files) = (0, 0);
    // The first round is to warm up.
    for round in 0..3 {
        let mut silent = Vec::new();
        for state in STATES {
            for _ in 0..sessions {
                silent.extend(leave(&server, state).await);
            }
            // One that is there shows that there is something to count.
            let witness = server.joined().await;
            let stats = io.stats();
            assert!(stats.engine.sessions > 0 && stats.engine.actors > 0 && stats.namespaces.rooms > 0, "{stats:?}");
            witness.remove();
        }
        until("no session is left", || io.session_count() == 0).await;
        drop(silent);
        // They could have come back for a while. Then no actor is left, no task, no entry of any map.
        let is_empty = || io.stats() == Stats::default();
        tokio::time::timeout(PATIENCE, async {
            while !is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("round {round}: {:?}", io.stats()));
        if round == 0 {
            memory = resident_kib();
            files = open_files();
        }
        // A connection's task ends with its end of the connection.
        until("no connection is left", || files == 0 || open_files() <= files).await;
    }
    let grown = resident_kib().saturating_sub(memory);
    assert!(grown < 10_000 + 2 * sessions as u64, "{grown} KiB");
}
