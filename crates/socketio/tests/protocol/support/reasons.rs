//! A server that notes why its clients left, with handlers that are slow, panic or close.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_socketio::{DisconnectReason, Event, Socket, SocketIo};
use engineio::EngineConfig;

use super::{Server, echo, quiet, until};

/// What the server noted of those who left.
#[derive(Clone, Default)]
pub struct Reasons(pub Arc<Mutex<Vec<&'static str>>>);

impl Reasons {
    /// Why the next one left.
    pub async fn next(&self) -> &'static str {
        until("somebody leaves", || !self.0.lock().unwrap().is_empty()).await;
        self.0.lock().unwrap().remove(0)
    }
}

fn io(engine: EngineConfig) -> (SocketIo, Reasons) {
    let reasons = Reasons::default();
    let noted = reasons.clone();
    let io = SocketIo::builder(engine, quiet())
        .namespace(
            echo()
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

/// With times that do not matter.
pub fn server() -> (Server, SocketIo, Reasons) {
    server_with(EngineConfig::default())
}

pub fn server_with(engine: EngineConfig) -> (Server, SocketIo, Reasons) {
    let (io, reasons) = io(engine);
    (Server::start(io.clone()), io, reasons)
}

/// Pings so frequent that a test can wait for them.
pub fn fast() -> EngineConfig {
    EngineConfig {
        ping_interval: Duration::from_millis(150),
        ping_timeout: Duration::from_millis(100),
        ..EngineConfig::default()
    }
}
