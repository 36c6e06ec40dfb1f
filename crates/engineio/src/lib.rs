#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// The modules, from the wire inward:
// - `packet`, `payload` and `frame` are the codec, without I/O;
// - `service` serves requests, `handshake` and `cors` check them;
// - `polling`, `websocket` with `ws_reader`, and `upgrade` are the transports, on whichever HTTP worker a request is;
// - `half_close` is the stream of a connection, for applications that serve it by themselves;
// - `session` is the actor that handles incoming packets, `outbox` the queue of outgoing ones; `registry` finds both by
//   the session's id;
// - `handler` is the interface to the application.

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod codec_properties;

mod close_reason;
mod config;
mod cors;
mod frame;
mod half_close;
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
pub use config::{AddressResolver, ClientAddress, EngineConfig};
pub use cors::{CorsConfig, OriginCheck, Origins};
pub use frame::{PacketWriter, SharedPacket};
pub use half_close::HalfCloseStream;
pub use handler::{Connection, EngineHandler, SessionHandle};
pub use ip_prefix::ip_prefix;
pub use outbox::Delivery;
pub use packet::Message;
pub use registry::EngineStats;
pub use request::{Headers, SessionRequest};
pub use service::{AllowRequest, EngineIo};
