//! Socket.IO, protocol 5, on [`engineio`]: namespaces, events, acknowledgements, rooms, and clients that come
//! back.
//!
//! A newcomer's way through it:
//! 1. A [`Namespace`] is defined: who may join, and a handler for each event.
//! 2. [`SocketIo::builder`] takes the namespaces; [`SocketIo::configure`] mounts them on every HTTP worker.
//! 3. A handler gets the [`Socket`] of its client: it joins rooms, emits, and asks with [`Socket::emit_with_ack`].
//! 4. The rest of the program holds a [`NamespaceHandle`] and emits to rooms, from any thread.
//!
//! The map, from the wire inward: [`packet`] and `encode` are the codec; `connection` is the engine's session,
//! `admission` lets it into a namespace, `membership` is its place there; `peer` is a socket without its data, which
//! `rooms` and `broadcast` know; `history` and `recovery` bring clients back; `hub` is what the sockets of a namespace
//! share; `pace` is where an application says how much a client may say; `stats` counts what is there.
//!
//! Namespaces are fixed when the server is built. Middleware for single events and the msgpack parser are not offered.

pub mod packet;

mod ack;
mod broadcast;
mod config;
mod connect;
mod connection;
mod disconnect_reason;
mod encode;
mod event;
mod handshake;
mod hub;
mod namespace;
mod namespace_session;
mod peer;
mod rate_limit;
mod recovery;
mod replay_buffer;
mod rooms;
mod server;
mod socket;
mod stats;

pub use ack::AckError;
pub use broadcast::Broadcast;
pub use config::{RecoveryConfig, SocketIoConfig};
pub use disconnect_reason::DisconnectReason;
pub use encode::EncodeError;
pub use event::{BadArgument, EncodedReply, Event, IntoReply};
pub use handshake::{ConnectRefusal, Handshake};
pub use namespace::{Namespace, NamespaceHandle};
pub use packet::Arguments;
pub use rate_limit::{Pace, Violation};
pub use server::{CloseKind, SocketIo, SocketIoBuilder};
pub use socket::Socket;
pub use stats::{NamespaceStats, Stats};
