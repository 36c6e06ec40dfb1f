//! A server on a port of its own, and clients that speak raw HTTP and raw WebSocket frames, so that tests see every byte.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test program uses its part; a test may panic"
)]

mod close_log;
mod echo;
mod http;
mod recovery_server;
mod scripted;
mod server;
mod websocket;

use std::time::Duration;

use tokio::time::timeout;

pub use self::close_log::{CloseLog, fast_heartbeat, logging_server, logging_server_with};
pub use self::echo::echo_namespace;
pub use self::http::{Http, Poller, Response};
pub use self::recovery_server::{RecoveryClient, RecoveryServer, token};
pub use self::scripted::{Log, join, next_entry, scripted_namespace, scripted_server, scripted_server_with};
pub use self::server::{Server, without_recovery};
pub use self::websocket::{Frame, WebSocket};

/// How long a test waits for anything before it fails.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until a condition holds.
pub async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(TIMEOUT, waiting).await.unwrap_or_else(|_| panic!("timeout: {what}"));
}

/// Whether tests run in their long form.
pub fn is_soak() -> bool {
    std::env::var_os("SOAK").is_some()
}

/// Resident memory of this process, server and clients together, in KiB.
pub fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
