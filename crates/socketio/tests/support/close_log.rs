//! A server that logs why its clients disconnect, with handlers that are slow, panic or close.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_socketio::{DisconnectReason, EngineConfig, Event, Socket, SocketIo};

use super::{Server, echo_namespace, wait_until, without_recovery};

/// The disconnect reasons, oldest first.
#[derive(Clone, Default)]
pub struct CloseLog(pub Arc<Mutex<Vec<&'static str>>>);

impl CloseLog {
    /// Waits for the next disconnect and returns its reason.
    pub async fn next(&self) -> &'static str {
        wait_until("a client disconnects", || !self.0.lock().unwrap().is_empty()).await;
        self.0.lock().unwrap().remove(0)
    }
}

/// Starts a server with the default engine configuration.
pub fn logging_server() -> (Server, SocketIo, CloseLog) {
    logging_server_with(EngineConfig::default())
}

/// Starts a server with `echo`, `slow` (700 ms), `panic` and `close`.
pub fn logging_server_with(engine: EngineConfig) -> (Server, SocketIo, CloseLog) {
    let log = CloseLog::default();
    let reasons = Arc::clone(&log.0);
    let namespace = echo_namespace()
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
            let reasons = Arc::clone(&reasons);
            async move {
                assert!(socket.is_in("all"), "rooms are readable");
                reasons.lock().unwrap().push(reason.as_str());
            }
        });
    let io = SocketIo::builder(engine, without_recovery()).namespace(namespace).build();
    (Server::start(io.clone()), io, log)
}

/// Pings frequent enough for a test to wait for them.
pub fn fast_heartbeat() -> EngineConfig {
    EngineConfig {
        ping_interval: Duration::from_millis(150),
        ping_timeout: Duration::from_millis(100),
        ..EngineConfig::default()
    }
}
