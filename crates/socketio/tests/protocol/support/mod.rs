//! A server on a port of its own, and clients that speak raw HTTP and raw WebSocket frames, so that tests see every byte.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test file uses its part; a test may panic"
)]

mod echo;
mod http;
pub mod reasons;
pub mod recovery;
mod rooms;
mod server;
mod websocket;

use std::time::Duration;

use tokio::time::timeout;

pub use self::echo::echo;
pub use self::http::{Answer, Http, Poller};
pub use self::rooms::{Log, joined, logged, namespace, room_server, room_server_with};
pub use self::server::{Server, quiet};
pub use self::websocket::{Frame, WebSocket};

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until something is so.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let waited = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// Whether tests are to take their time.
pub fn soak() -> bool {
    std::env::var_os("SOAK").is_some()
}

/// Memory of this process, server and clients together.
pub fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
