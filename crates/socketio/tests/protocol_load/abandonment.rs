//! Sessions that are abandoned in any state do not leak. With `SOAK=1`, 2000 of each state instead of 100.

use std::time::Duration;

use actix_socketio::{
    ConnectRefusal, EngineConfig, Namespace, RecoveryConfig, Socket, SocketIo, SocketIoConfig, Stats,
};

use crate::support::{Server, TIMEOUT, WebSocket, is_soak, resident_kib, wait_until};

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
                socket.join(format!("own {}", socket.id()));
            },
        ))
        .build()
}

/// The state in which a session is abandoned.
#[derive(Debug, Clone, Copy)]
enum State {
    AfterHandshake,
    AfterConnect,
    Upgrading,
    Probed,
    WaitingPoll,
    WebSocket,
    WebSocketWithoutFin,
}

const STATES: [State; 7] = [
    State::AfterHandshake,
    State::AfterConnect,
    State::Upgrading,
    State::Probed,
    State::WaitingPoll,
    State::WebSocket,
    State::WebSocketWithoutFin,
];

/// Opens a session and abandons it. Returns a connection that must stay open and silent.
async fn abandon(server: &Server, state: State) -> Option<WebSocket> {
    match state {
        State::AfterHandshake => drop(server.poller().await),
        State::AfterConnect => {
            server.poller().await.post("40").await;
        }
        State::Upgrading => server.poller().await.upgrade().await.abort(),
        State::Probed => {
            let mut socket = server.poller().await.upgrade().await;
            socket.send("2probe").await;
            socket.expect("3probe").await;
            socket.abort();
        }
        State::WaitingPoll => {
            let mut poller = server.poller().await;
            poller.post("40").await;
            poller.poll().await;
            let path = poller.path();
            poller.http.send("GET", &path, &[], "").await;
        }
        State::WebSocket => server.join().await.abort(),
        State::WebSocketWithoutFin => return Some(server.join().await),
    }
    None
}

/// The open files of this process, which include the sockets of both sides.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn abandoned_sessions_leave_nothing() {
    let sessions = if is_soak() { 2000 } else { 100 };
    let io = io();
    assert_eq!(io.stats(), Stats::default());
    let server = Server::start(io.clone());
    let (mut memory, mut files) = (0, 0);
    // The first round warms up allocators and caches.
    for round in 0..3 {
        let mut silent = Vec::new();
        for state in STATES {
            for _ in 0..sessions {
                silent.extend(abandon(&server, state).await);
            }
            // An open session shows that the counts are not always 0.
            let witness = server.join().await;
            let stats = io.stats();
            assert!(stats.engine.sessions > 0 && stats.engine.actors > 0 && stats.namespaces.rooms > 0, "{stats:?}");
            witness.abort();
        }
        wait_until("no session is left", || io.session_count() == 0).await;
        drop(silent);
        // After the recovery time no actor, task or map entry is left.
        let is_empty = || io.stats() == Stats::default();
        tokio::time::timeout(TIMEOUT, async {
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
        // A connection's task may end after its session.
        wait_until("no connection is left", || files == 0 || open_files() <= files).await;
    }
    let growth = resident_kib().saturating_sub(memory);
    assert!(growth < 10_000 + 2 * sessions as u64, "{growth} KiB");
}
