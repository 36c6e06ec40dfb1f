//! Engine.IO, protocol 4: a session with a client over HTTP polling, a WebSocket, or first the one and then the other.
//!
//! An [`EngineHandler`] opens a [`Connection`] for each session and is handed messages; through its [`SessionHandle`] it
//! sends some. What it need not know of: handshakes, heartbeats, upgrades, slow readers, and on which thread a session
//! lives.
//!
//! The map, from the wire inward:
//! - `packet`, `payload` and `frame` are the codec, without any I/O;
//! - `service` answers requests, `handshake` and `cors` decide on them;
//! - `polling`, `websocket` with its `reader`, and `upgrade` are the transports; each works on any HTTP worker;
//! - `outbox` holds what leaves, `session` is the actor that takes what comes; `registry` finds both by the session's
//!   id.
//!
//! Older protocols, JSONP, WebTransport and compression of WebSocket messages are not offered.
//!
//! What a server should set besides:
//! - `HttpServer::h1_allow_half_closed(false)`: without it a client that gives its poll up is noticed only by the
//!   heartbeat;
//! - `HttpServer::client_disconnect_timeout` of a second or two: so long actix-web waits for a client after the server
//!   closed its WebSocket, and the client waits for the server. With half a second or less it may wait for ever, as its
//!   clock moves twice a second;
//! - no middleware that keeps a clone of the request: a waiting poll's headers are let go of, which needs it alone, and
//!   with the first such clone that is met that ends;
//! - `TCP_USER_TIMEOUT` on the listener: a client that does not read holds its connection (not its session) until the
//!   kernel ends it.

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod codec_properties;

mod close_reason;
mod config;
mod cors;
mod frame;
mod handler;
mod handshake;
mod ip_prefix;
mod outbox;
mod packet;
mod payload;
mod polling;
mod registry;
mod request;
mod service;
mod session;
mod session_id;
mod upgrade;
mod websocket;
mod ws_reader;

pub use close_reason::CloseReason;
pub use config::{AskAddress, ClientAddress, EngineConfig};
pub use cors::{CorsConfig, Origins};
pub use frame::{PacketWriter, SharedPacket};
pub use handler::{Connection, EngineHandler, SessionHandle};
pub use ip_prefix::network_of;
pub use outbox::Delivery;
pub use packet::Message;
pub use registry::EngineStats;
pub use request::{Headers, SessionRequest};
pub use service::{AllowRequest, EngineIo};
