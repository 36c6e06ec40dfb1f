//! A Socket.IO server for actix-web: Engine.IO protocol 4 and Socket.IO protocol 5, as
//! spoken by socket.io-client 3 and 4 and the clients of other languages.
//!
//! ```no_run
//! use actix_socketio::{ConnectRefusal, EngineConfig, Event, Namespace, Socket, SocketIo, SocketIoConfig};
//! use actix_web::{App, HttpServer};
//!
//! #[actix_web::main]
//! async fn main() -> std::io::Result<()> {
//!     let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
//!         .on("hello", |_: Socket<()>, event: Event| async move {
//!             let name: String = event.first().ok()?;
//!             Some(format!("Hello {name}"))
//!         });
//!     let io = SocketIo::builder(EngineConfig::default(), SocketIoConfig::default()).namespace(namespace).build();
//!     HttpServer::new(move || App::new().configure(io.configure())).bind(("127.0.0.1", 3000))?.run().await
//! }
//! ```
//!
//! A [`SocketIo`] has [`Namespace`]s, which are fixed when it is built. Each client in a namespace has a [`Socket`], which
//! handlers use to join rooms and to send events. The rest of the program uses a [`NamespaceHandle`], from any thread.
//!
//! # Namespaces and authorisation
//!
//! A namespace has a middleware that decides on each client by its [`Handshake`]. It returns the data of the client's
//! socket, of a type that the application chooses, or a [`ConnectRefusal`], which the client receives as its
//! `connect_error`.
//!
//! ```
//! use actix_socketio::{ConnectRefusal, Handshake, Namespace, Socket};
//! use serde_json::json;
//!
//! struct User {
//!     id: u64,
//! }
//!
//! async fn authorise(handshake: Handshake) -> Result<User, ConnectRefusal> {
//!     let token = handshake.auth.as_ref().and_then(|auth| auth.get("token")?.as_str());
//!     match token {
//!         Some("secret") => Ok(User { id: 7 }),
//!         _ => Err(ConnectRefusal { message: "invalid token".into(), data: Some(json!({"code": 401})) }),
//!     }
//! }
//!
//! let private = Namespace::new("/private", authorise).on_connect(|socket: Socket<User>| async move {
//!     socket.emit("welcome", &socket.data().id);
//! });
//! ```
//!
//! # Events
//!
//! [`Namespace::on`] sets the handler of an event. The handlers of one socket run one after another, in the order in
//! which its events arrive; those of different sockets run concurrently. They run on the HTTP worker of the client, so
//! their futures need not be `Send`, and they must not block.
//!
//! ```
//! use actix_socketio::{ArgumentError, ConnectRefusal, Event, Namespace, Socket};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Move {
//!     x: i32,
//!     y: i32,
//! }
//!
//! fn read(event: &Event) -> Result<(Move, bool), ArgumentError> {
//!     Ok((event.first()?, event.argument(1)?))
//! }
//!
//! let game = Namespace::<()>::new("/game", |_| async { Ok::<_, ConnectRefusal>(()) })
//!     .on("move", |socket: Socket<()>, event: Event| async move {
//!         match read(&event) {
//!             Ok((step, _is_final)) => socket.emit("moved", &(step.x, step.y)),
//!             Err(error) => socket.emit("invalid", &error.to_string()),
//!         };
//!     });
//! ```
//!
//! # Acknowledgements
//!
//! What a handler returns is the acknowledgement of its event, see [`IntoReply`]. The other way round,
//! [`Socket::emit_with_ack`] asks the client and waits for its answer. Pending acknowledgements are bounded in number and
//! time.
//!
//! ```
//! use std::time::Duration;
//!
//! use actix_socketio::{AckError, ConnectRefusal, Event, Namespace, Socket};
//!
//! let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
//!     .on("sum", |_: Socket<()>, event: Event| async move {
//!         let numbers: Vec<f64> = event.first().ok()?;
//!         Some(numbers.iter().sum::<f64>())
//!     })
//!     .on("delete", |socket: Socket<()>, _: Event| async move {
//!         let confirmed = match socket.emit_with_ack("confirm", &"Really?", Duration::from_secs(30)).await {
//!             Ok(answer) => answer.values.first() == Some(&true.into()),
//!             Err(AckError::Timeout | AckError::Disconnected) => false,
//!             Err(AckError::TooMany | AckError::Encode(_)) => false,
//!         };
//!         Some(confirmed)
//!     });
//! ```
//!
//! # Rooms and broadcasts
//!
//! A room is a name; it exists while a socket is in it. A [`Broadcast`] selects the sockets of one or more rooms, each
//! once, and sends them an event, which is encoded once. From a [`Socket`] it leaves out that socket.
//!
//! ```
//! use actix_socketio::{ConnectRefusal, Event, Namespace, Socket};
//!
//! let namespace = Namespace::<String>::new("/", |_| async { Ok::<_, ConnectRefusal>("Ada".to_owned()) })
//!     .on("join", |socket: Socket<String>, event: Event| async move {
//!         let room: String = event.first().ok()?;
//!         let joined = socket.join(room.as_str());
//!         socket.to(&room).emit("joined", socket.data());
//!         Some(joined)
//!     })
//!     .on("cursor", |socket: Socket<String>, event: Event| async move {
//!         let position: (u32, u32) = event.first().ok()?;
//!         // Dropped for clients whose connection is busy: the next position replaces it anyway.
//!         socket.to("editors").to("viewers").volatile().emit("cursor", &position);
//!         Some(())
//!     });
//! ```
//!
//! # From outside the handlers
//!
//! [`SocketIo::namespace`] returns a [`NamespaceHandle`] for the rest of the program: request handlers, background
//! tasks, other threads. A socket's id selects that socket alone, like a room.
//!
//! ```
//! use actix_socketio::{ConnectRefusal, EngineConfig, Namespace, NamespaceHandle, SocketIo, SocketIoConfig};
//! use actix_web::{HttpResponse, web};
//!
//! async fn publish(news: web::Data<NamespaceHandle>, text: String) -> HttpResponse {
//!     let receivers = news.to("subscribers").emit("headline", &text);
//!     HttpResponse::Ok().body(format!("sent to {receivers}"))
//! }
//!
//! let news = Namespace::<()>::new("/news", |_| async { Ok::<_, ConnectRefusal>(()) });
//! let io = SocketIo::builder(EngineConfig::default(), SocketIoConfig::default()).namespace(news).build();
//! let handle = io.namespace("/news").expect("the namespace is defined");
//! let app = actix_web::App::new()
//!     .app_data(web::Data::new(handle))
//!     .route("/publish", web::post().to(publish))
//!     .configure(io.configure());
//! # let _ = app;
//! ```
//!
//! # Binary data
//!
//! [`Arguments`] keeps binary data apart from the JSON values, which have placeholders in its place.
//!
//! ```
//! use actix_socketio::{ConnectRefusal, Event, Namespace, Socket};
//!
//! let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) })
//!     .on("upload", |socket: Socket<()>, event: Event| async move {
//!         let size: usize = event.attachments.iter().map(|attachment| attachment.len()).sum();
//!         socket.broadcast().emit_arguments("uploaded", &event.into_arguments());
//!         Some(size)
//!     });
//! ```
//!
//! # Connection state recovery
//!
//! A client whose connection broke gets its socket back if it returns in time: the same id, its rooms, its pending
//! acknowledgements, and the events it missed. [`RecoveryConfig`] has the limits; it is on by default. Each event
//! is then followed by an event of its own, `offset`, from which stock JavaScript clients know what they have received.
//! Handlers get exactly the arguments that were sent; only listeners of all events (`onAny`) see `offset`, so applications
//! should not use this name. If a missed event is not kept any more, the client gets a new socket. It learns so from
//! `socket.recovered`, the server from [`Socket::recovered`].
//!
//! ```
//! use actix_socketio::{ConnectRefusal, Handshake, Namespace, Socket};
//!
//! async fn user_id(_: Handshake) -> Result<u64, ConnectRefusal> {
//!     Ok(7)
//! }
//!
//! let namespace = Namespace::new("/", user_id)
//!     // The middleware has run again; refuse to hand the socket of one user to another.
//!     .recover_if(|old: &u64, new: &u64| old == new)
//!     .on_connect(|socket: Socket<u64>| async move {
//!         if !socket.recovered() {
//!             socket.emit("state", &"everything from the beginning");
//!         }
//!     });
//! ```
//!
//! # Limits and backpressure
//!
//! Everything that a client can make grow has a limit, in [`SocketIoConfig`] or [`EngineConfig`]. While a client's event
//! queue is full, the server stops reading from its connection. What waits to be sent to a slow client is limited by
//! [`EngineConfig::outgoing_budget`]: above it volatile events are dropped, then the connection is closed, after which
//! the client reconnects and recovers. A [`RateLimiter`] limits the events and CONNECT packets of a connection.
//!
//! ```
//! use actix_socketio::{EngineConfig, RecoveryConfig, SocketIo, SocketIoConfig};
//!
//! let engine = EngineConfig { outgoing_budget: 256 * 1024, max_payload: 100_000, ..EngineConfig::default() };
//! let config = SocketIoConfig {
//!     max_queued_events: 16,
//!     recovery: Some(RecoveryConfig { max_packets: 100, ..RecoveryConfig::default() }),
//!     ..SocketIoConfig::default()
//! };
//! let io = SocketIo::builder(engine, config).build();
//! # assert_eq!(io.session_count(), 0);
//! ```
//!
//! # Shutdown
//!
//! [`SocketIo::close`] refuses new sessions, sends what is queued and waits until all sessions and their handlers have
//! ended. Call it before the HTTP server stops, which does not know about the sessions.
//!
//! ```
//! # #[actix_web::main]
//! # async fn main() {
//! use actix_socketio::{EngineConfig, ShutdownMode, SocketIo, SocketIoConfig};
//!
//! let io = SocketIo::builder(EngineConfig::default(), SocketIoConfig::default()).build();
//! // … on SIGTERM:
//! io.close(ShutdownMode::Reconnect).await;
//! assert_eq!(io.session_count(), 0);
//! # }
//! ```
//!
//! # Mounting
//!
//! [`SocketIo::configure`] mounts the routes on an actix-web application at [`EngineConfig::path`], `/socket.io` by
//! default. Call it in the factory of the HTTP server, so that every worker serves the same [`SocketIo`]. Settings of the
//! HTTP server that matter:
//!
//! - `h1_allow_half_closed(false)`: otherwise a poll that its client abandoned is noticed only by the heartbeat.
//! - `client_disconnect_timeout` of one to two seconds: how long a closed WebSocket waits for the client's side. Values
//!   of half a second or less can leave such a connection open forever.
//! - Instead of these two, a server of your own on [`HalfCloseStream`]s: their connections end right after a WebSocket's
//!   close frame (RFC 6455), so that clients need not wait for it, and a request is answered whose client sends FIN after
//!   it.
//! - No middleware that keeps a clone of the request, because a waiting poll drops its headers to save memory.
//! - CORS is a setting of the engine ([`EngineConfig::cors`]), so do not add a CORS middleware to these routes.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use actix_socketio::{EngineConfig, SocketIo, SocketIoConfig};
//! use actix_web::{App, HttpServer};
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let engine = EngineConfig { path: "/realtime".into(), ..EngineConfig::default() };
//! let io = SocketIo::builder(engine, SocketIoConfig::default()).build();
//! HttpServer::new(move || App::new().configure(io.configure()))
//!     .h1_allow_half_closed(false)
//!     .client_disconnect_timeout(Duration::from_secs(2))
//!     .bind(("127.0.0.1", 3000))?
//!     .run()
//!     .await
//! # }
//! ```
//!
//! # Not supported
//!
//! Engine.IO 3 (socket.io-client 2), JSONP, WebTransport, WebSocket compression, msgpack, namespaces created at run time,
//! middleware for single events, and adapters that connect several servers. `docs/PROTOCOL.md` lists every difference from
//! the reference server, and the test of each protocol rule.

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod codec_properties;

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
mod lenient_json;
mod namespace;
mod namespace_session;
mod offset;
mod outbound_event;
mod packet;
mod peer;
mod rate_limit;
mod received;
mod recovery;
mod replay;
mod replay_buffer;
mod reply;
mod rooms;
mod server;
mod server_state;
mod socket;
mod stats;

pub use engineio::{
    AddressResolver, ClientAddress, CloseReason, CorsConfig, EngineConfig, EngineStats, HalfCloseStream, Headers,
    OriginCheck, Origins, SessionRequest,
};

pub use self::ack::AckError;
pub use self::arguments::Arguments;
pub use self::broadcast::Broadcast;
pub use self::config::{RecoveryConfig, SocketIoConfig};
pub use self::disconnect_reason::DisconnectReason;
pub use self::encode::EncodeError;
pub use self::event::{ArgumentError, Event};
pub use self::handshake::{ConnectRefusal, Handshake};
pub use self::lenient_json::lenient_json;
pub use self::namespace::{Namespace, NamespaceHandle};
pub use self::rate_limit::{RateLimiter, Violation};
pub use self::reply::IntoReply;
pub use self::server::{ShutdownMode, SocketIo, SocketIoBuilder};
pub use self::socket::Socket;
pub use self::stats::{NamespaceStats, Stats};

/// Runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
