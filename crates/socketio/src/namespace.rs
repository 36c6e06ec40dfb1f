//! The application's side of a namespace: its definition, and a handle to it.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::broadcast::Broadcast;
use crate::disconnect_reason::DisconnectReason;
use crate::event::Event;
use crate::handshake::{ConnectRefusal, Handshake};
use crate::hub::Hub;
use crate::reply::IntoReply;
use crate::socket::Socket;

// Each closure calls the application inside the future it returns, so that a panic of the application always happens in
// a poll, where it is caught.
type Authorise<D> = dyn Fn(Handshake) -> LocalBoxFuture<'static, Result<D, ConnectRefusal>> + Send + Sync;
type OnConnect<D> = dyn Fn(Socket<D>) -> LocalBoxFuture<'static, ()> + Send + Sync;
type OnEvent<D> = dyn Fn(Socket<D>, Event, Option<u64>) -> LocalBoxFuture<'static, ()> + Send + Sync;
type OnDisconnect<D> = dyn Fn(Socket<D>, DisconnectReason) -> LocalBoxFuture<'static, ()> + Send + Sync;
type IsSameOwner<D> = dyn Fn(&D, &D) -> bool + Send + Sync;

/// The definition of a namespace whose sockets carry data of type `D`.
///
/// Handlers run on the HTTP worker that owns the client's connection, so their futures need not be `Send`. The handlers
/// of one socket run one after another: the handler of the next event starts when the previous one has ended. A handler
/// that panics closes its client's connection.
///
/// ```
/// use actix_socketio::{ConnectRefusal, Event, Handshake, Namespace, Socket};
///
/// let chat = Namespace::<String>::new("/chat", |handshake: Handshake| async move {
///     let name = handshake.auth.as_ref().and_then(|auth| auth.get("name")?.as_str());
///     name.map(str::to_owned).ok_or(ConnectRefusal::new("name required"))
/// })
/// .on_connect(|socket: Socket<String>| async move {
///     socket.join("lobby");
/// })
/// .on("message", |socket: Socket<String>, event: Event| async move {
///     let text: String = event.first().ok()?;
///     socket.to("lobby").emit("message", &(socket.data(), text));
///     Some("delivered")
/// });
/// ```
pub struct Namespace<D> {
    pub(crate) name: Arc<str>,
    pub(crate) authorise: Box<Authorise<D>>,
    pub(crate) on_connect: Box<OnConnect<D>>,
    pub(crate) events: HashMap<Box<str>, Box<OnEvent<D>>>,
    pub(crate) on_rate_limited: Option<Box<OnEvent<D>>>,
    pub(crate) on_refused: Option<Box<OnEvent<D>>>,
    pub(crate) is_anonymous: bool,
    pub(crate) on_disconnect: Box<OnDisconnect<D>>,
    pub(crate) is_same_owner: Box<IsSameOwner<D>>,
}

impl<D: Send + Sync + 'static> Namespace<D> {
    /// Defines a namespace. The middleware `authorise` decides whether a client may join, and returns the data of its
    /// socket. It also runs when a client returns to recover its socket.
    pub fn new<F, R>(name: impl Into<Arc<str>>, authorise: F) -> Self
    where
        F: Fn(Handshake) -> R + Send + Sync + 'static,
        R: Future<Output = Result<D, ConnectRefusal>> + 'static,
    {
        let authorise = Arc::new(authorise);
        Self {
            name: name.into(),
            authorise: Box::new(move |handshake| {
                let authorise = Arc::clone(&authorise);
                async move { authorise(handshake).await }.boxed_local()
            }),
            on_connect: Box::new(|_| std::future::ready(()).boxed_local()),
            events: HashMap::new(),
            on_rate_limited: None,
            on_refused: None,
            is_anonymous: false,
            on_disconnect: Box::new(|_, _| std::future::ready(()).boxed_local()),
            is_same_owner: Box::new(|_, _| true),
        }
    }

    /// Sets the handler that runs when a client joins, before its first event is handled. Rooms joined here are in place
    /// when the client learns that it is connected; events sent here arrive right after that.
    #[must_use]
    pub fn on_connect<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Socket<D>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + 'static,
    {
        let handler = Arc::new(handler);
        self.on_connect = Box::new(move |socket| {
            let handler = Arc::clone(&handler);
            async move { handler(socket).await }.boxed_local()
        });
        self
    }

    /// Sets the handler of an event. Its return value is the acknowledgement, see [`IntoReply`]. Events without a handler
    /// are ignored.
    #[must_use]
    pub fn on<F, R>(mut self, event: impl Into<Box<str>>, handler: F) -> Self
    where
        F: Fn(Socket<D>, Event) -> R + Send + Sync + 'static,
        R: Future<Output: IntoReply> + 'static,
    {
        self.events.insert(event.into(), on_event(handler));
        self
    }

    /// Sets the handler that runs instead of an event's own when the connection's
    /// [`RateLimiter`](crate::RateLimiter) refuses the event. Default: such events are ignored.
    #[must_use]
    pub fn on_rate_limited<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Socket<D>, Event) -> R + Send + Sync + 'static,
        R: Future<Output: IntoReply> + 'static,
    {
        self.on_rate_limited = Some(on_event(handler));
        self
    }

    /// Declares that any client may join, so that having joined does not identify it: a client that has joined
    /// no other namespace is limited like one that has joined none
    /// ([`max_unjoined_payload`](crate::SocketIoConfig::max_unjoined_payload),
    /// [`connect_timeout`](crate::SocketIoConfig::connect_timeout)).
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.is_anonymous = true;
        self
    }

    /// Sets the handler that runs instead of an event's own when the event's arguments are nested too deeply or would
    /// take too much memory ([`SocketIoConfig`](crate::SocketIoConfig)). The event comes without arguments. Default:
    /// such events are ignored.
    #[must_use]
    pub fn on_refused<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Socket<D>, Event) -> R + Send + Sync + 'static,
        R: Future<Output: IntoReply> + 'static,
    {
        self.on_refused = Some(on_event(handler));
        self
    }

    /// Sets the handler that runs when a socket has disconnected, after its last event was handled. The socket's rooms
    /// can still be read.
    #[must_use]
    pub fn on_disconnect<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Socket<D>, DisconnectReason) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + 'static,
    {
        let handler = Arc::new(handler);
        self.on_disconnect = Box::new(move |socket, reason| {
            let handler = Arc::clone(&handler);
            async move { handler(socket, reason).await }.boxed_local()
        });
        self
    }

    /// Sets a check that compares the data of a socket to recover with the data that the middleware has just returned
    /// for the returning client. `false` refuses the recovery, and the client gets a new socket. Default: any client
    /// that has the socket's private id and passes the middleware may recover it. Set it if clients see different data.
    ///
    /// ```
    /// use actix_socketio::{ConnectRefusal, Namespace};
    ///
    /// let namespace = Namespace::<u64>::new("/", |_| async { Ok::<_, ConnectRefusal>(7) })
    ///     .recover_if(|old_user, new_user| old_user == new_user);
    /// ```
    #[must_use]
    pub fn recover_if(mut self, is_same_owner: impl Fn(&D, &D) -> bool + Send + Sync + 'static) -> Self {
        self.is_same_owner = Box::new(is_same_owner);
        self
    }
}

impl<D> fmt::Debug for Namespace<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Namespace")
            .field("name", &self.name)
            .field("events", &self.events.keys())
            .finish_non_exhaustive()
    }
}

/// Wraps a handler so that its return value is sent as the acknowledgement.
fn on_event<D, F, R>(handler: F) -> Box<OnEvent<D>>
where
    D: Send + Sync + 'static,
    F: Fn(Socket<D>, Event) -> R + Send + Sync + 'static,
    R: Future<Output: IntoReply> + 'static,
{
    let handler = Arc::new(handler);
    Box::new(move |socket: Socket<D>, event: Event, id: Option<u64>| {
        let handler = Arc::clone(&handler);
        async move {
            let reply = handler(socket.clone(), event).await;
            if let Some(id) = id {
                acknowledge(&socket, id, reply);
            }
        }
        .boxed_local()
    })
}

fn acknowledge<D>(socket: &Socket<D>, id: u64, reply: impl IntoReply) {
    match reply.encode(&socket.hub().prefix, id) {
        Some(Ok(ack)) => socket.peer().send_packet(&ack),
        Some(Err(error)) => tracing::error!(%error, "acknowledgement not sent"),
        None => {}
    }
}

/// A namespace as seen from outside its handlers. Cheap to clone, usable from any thread.
///
/// ```
/// use actix_socketio::{ConnectRefusal, EngineConfig, Namespace, SocketIo, SocketIoConfig};
///
/// let news = Namespace::<()>::new("/news", |_| async { Ok::<_, ConnectRefusal>(()) });
/// let io = SocketIo::builder(EngineConfig::default(), SocketIoConfig::default()).namespace(news).build();
///
/// let handle = io.namespace("/news").expect("the namespace is defined");
/// let reached = std::thread::spawn(move || handle.to("subscribers").emit("headline", &"Hello")).join().unwrap();
/// assert_eq!(reached, 0, "no client is connected");
/// ```
#[derive(Debug, Clone)]
pub struct NamespaceHandle {
    pub(crate) hub: Arc<Hub>,
}

impl NamespaceHandle {
    /// The namespace's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.hub.name
    }

    /// Selects the sockets in a room.
    pub fn to<'a>(&'a self, room: &'a str) -> Broadcast<'a> {
        self.all().to(room)
    }

    /// Selects all sockets except one.
    pub fn except(&self, socket_id: &str) -> Broadcast<'_> {
        self.all().except(socket_id)
    }

    /// Selects all sockets.
    pub fn all(&self) -> Broadcast<'_> {
        Broadcast::new(&self.hub)
    }

    /// The number of connected sockets.
    #[must_use]
    pub fn socket_count(&self) -> usize {
        self.hub.connected_count()
    }
}
