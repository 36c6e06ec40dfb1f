//! A namespace as an application defines it: who may join, and what happens then.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::broadcast::Broadcast;
use super::disconnect_reason::DisconnectReason;
use super::event::{Event, IntoReply};
use super::handshake::{ConnectRefusal, Handshake};
use super::hub::Hub;
use super::socket::Socket;

// What an application wrote is called when these futures are first polled, so that one place sees to panics.
type Authorise<D> = dyn Fn(Handshake) -> LocalBoxFuture<'static, Result<D, ConnectRefusal>> + Send + Sync;
type OnConnect<D> = dyn Fn(Socket<D>) -> LocalBoxFuture<'static, ()> + Send + Sync;
type OnEvent<D> = dyn Fn(Socket<D>, Event, Option<u64>) -> LocalBoxFuture<'static, ()> + Send + Sync;
type OnDisconnect<D> = dyn Fn(Socket<D>, DisconnectReason) -> LocalBoxFuture<'static, ()> + Send + Sync;
type SameOwner<D> = dyn Fn(&D, &D) -> bool + Send + Sync;

/// A namespace whose sockets carry data of the type `D`.
///
/// Handlers run on the worker of the client's session, so their futures need not be `Send`. Those of one socket run one
/// after another: the next event's begins when the previous one's has ended. One that panics closes its client's
/// connection.
///
/// ```
/// use actix_socketio::{ConnectRefusal, Event, Handshake, Namespace, Socket};
///
/// let chat = Namespace::<String>::new("/chat", |handshake: Handshake| async move {
///     let name = handshake.auth.as_ref().and_then(|auth| auth.get("name")?.as_str());
///     name.map(str::to_owned).ok_or(ConnectRefusal::new("who are you?"))
/// })
/// .on_connect(|socket: Socket<String>| async move {
///     socket.join("lobby");
/// })
/// .on("say", |socket: Socket<String>, event: Event| async move {
///     let said: String = event.first().ok()?;
///     socket.to("lobby").emit("said", &(socket.data(), said));
///     Some("heard")
/// });
/// ```
pub struct Namespace<D> {
    pub(crate) name: Arc<str>,
    pub(crate) authorise: Box<Authorise<D>>,
    pub(crate) on_connect: Box<OnConnect<D>>,
    pub(crate) events: HashMap<Box<str>, Box<OnEvent<D>>>,
    pub(crate) on_too_many: Option<Box<OnEvent<D>>>,
    pub(crate) on_disconnect: Box<OnDisconnect<D>>,
    pub(crate) same_owner: Box<SameOwner<D>>,
}

impl<D: Send + Sync + 'static> Namespace<D> {
    /// A namespace and its middleware, which decides who may join and what data their sockets carry. It is asked again
    /// when a client comes back to be recovered.
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
            on_too_many: None,
            on_disconnect: Box::new(|_, _| std::future::ready(()).boxed_local()),
            same_owner: Box::new(|_, _| true),
        }
    }

    /// What happens when a client joins, before any event of it is handled. Rooms joined here are in place when the
    /// client learns that it is connected; events sent here leave right after that.
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

    /// What happens on an event. What the handler returns is the acknowledgement, see [`IntoReply`]. Events that nobody
    /// asked for are ignored.
    #[must_use]
    pub fn on<F, R>(mut self, event: impl Into<Box<str>>, handler: F) -> Self
    where
        F: Fn(Socket<D>, Event) -> R + Send + Sync + 'static,
        R: Future<Output: IntoReply> + 'static,
    {
        self.events.insert(event.into(), on_event(handler));
        self
    }

    /// What happens in the place of an event's handler where the connection's [`Pace`](super::Pace) refuses the event,
    /// whatever its name. Default: such events are ignored.
    #[must_use]
    pub fn on_too_many<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Socket<D>, Event) -> R + Send + Sync + 'static,
        R: Future<Output: IntoReply> + 'static,
    {
        self.on_too_many = Some(on_event(handler));
        self
    }

    /// What happens when a socket has left, after its last event was handled. Its rooms can still be read.
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

    /// Whether the data of a socket that is to be recovered, and the data that the middleware has just returned for the
    /// client that wants it, are of the same owner. Default: yes, whoever holds the secret of a session and may join
    /// gets it. A namespace whose clients see different things should compare.
    #[must_use]
    pub fn recover_if(mut self, same_owner: impl Fn(&D, &D) -> bool + Send + Sync + 'static) -> Self {
        self.same_owner = Box::new(same_owner);
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

/// A handler whose reply is the acknowledgement.
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
        Some(Ok(reply)) => socket.peer().answer(&reply.0),
        Some(Err(error)) => tracing::error!(%error, "acknowledgement not sent"),
        None => {}
    }
}

/// A namespace as the rest of the program sees it. Cheap to clone, usable from any thread.
#[derive(Debug, Clone)]
pub struct NamespaceHandle {
    pub(crate) hub: Arc<Hub>,
}

impl NamespaceHandle {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.hub.name
    }

    /// The sockets in a room.
    pub fn to<'a>(&'a self, room: &'a str) -> Broadcast<'a> {
        self.all().to(room)
    }

    /// All sockets but one.
    pub fn except(&self, socket_id: &str) -> Broadcast<'_> {
        self.all().except(socket_id)
    }

    /// All sockets.
    pub fn all(&self) -> Broadcast<'_> {
        Broadcast::new(&self.hub)
    }

    /// The ids of the connected sockets in a room.
    #[must_use]
    pub fn sockets_in(&self, room: &str) -> Vec<Arc<str>> {
        self.to(room).socket_ids()
    }

    /// How many sockets are connected.
    #[must_use]
    pub fn socket_count(&self) -> usize {
        self.hub.connected()
    }
}
