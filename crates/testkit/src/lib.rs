//! What the test suites share: servers, databases, users, clients and proxies.
//!
//! - [`TestServer`]: a server in this process or in a process of its own; both start, stop and log alike.
//! - [`ScratchDatabase`] and [`PostgresCluster`]: a database that is dropped after the test, and a PostgreSQL that can be
//!   paused and crashed.
//! - [`TestUser`]: a customer or an agent with a valid token, or a caller without one.
//! - [`SocketClient`]: a Socket.IO client over HTTP polling ([`PollingSession`]) or WebSocket ([`WebSocketSession`]).
//! - [`Proxy`]: a TCP proxy that delays, cuts or rewrites what passes.
//! - [`read_messages`]: reads a conversation back over REST, page by page.
//! - [`paths`]: paths of the REST API.
//! - [`OffsetClock`]: a clock that a test moves.
//!
//! Everything here panics when the test cannot go on. What a test may want to survive returns a `Result`.
//!
//! `switchboard` compiled for its own unit tests is another crate than the `switchboard` that this crate links: types of
//! the one are not types of the other. Unit tests therefore use only what exposes none of them: [`ScratchDatabase`],
//! [`PostgresCluster`] and [`Proxy`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is how a failure is reported"
)]

mod clock;
mod cluster;
mod database;
mod disconnected;
pub mod paths;
mod polling;
mod proxy;
mod read_back;
mod server;
mod socket;
mod user;
mod websocket;

pub use clock::OffsetClock;
pub use cluster::PostgresCluster;
pub use database::ScratchDatabase;
pub use disconnected::Disconnected;
pub use polling::PollingSession;
pub use proxy::{Flow, Interceptor, LinkCondition, Proxy};
pub use read_back::{PAGE_SIZE, read_messages};
pub use server::{ServerOptions, StartFailure, TestServer};
pub use socket::{Event, SocketClient};
pub use switchboard::database::Backend;
pub use user::{SECRET, TestUser};
pub use websocket::WebSocketSession;

use std::net::SocketAddr;

/// An address of this machine on which nothing listens.
#[must_use]
pub fn unused_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
