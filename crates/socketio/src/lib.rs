//! Socket.IO (protocol 5) on [`engineio`].

mod ack;
mod any_namespace;
mod arguments;
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
mod offset;
mod outbound_event;
mod packet;
mod peer;
mod rate_limit;
mod recovery;
mod replay_buffer;
mod reply;
mod rooms;
mod server;
mod server_state;
mod socket;
mod stats;

pub use engineio::{
    AskAddress, ClientAddress, CloseReason, CorsConfig, EngineConfig, EngineStats, Headers, Origins, SessionRequest,
};

pub use self::ack::AckError;
pub use self::arguments::Arguments;
pub use self::broadcast::Broadcast;
pub use self::config::{RecoveryConfig, SocketIoConfig};
pub use self::disconnect_reason::DisconnectReason;
pub use self::encode::EncodeError;
pub use self::event::{ArgumentError, Event};
pub use self::handshake::{ConnectRefusal, Handshake};
pub use self::namespace::{Namespace, NamespaceHandle};
pub use self::rate_limit::{RateLimiter, Violation};
pub use self::reply::IntoReply;
pub use self::server::{ShutdownMode, SocketIo, SocketIoBuilder};
pub use self::socket::Socket;
pub use self::stats::{NamespaceStats, Stats};
