//! One client in one namespace, as handlers see it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use engineio::{CloseReason, Delivery, SessionRequest};
use serde::Serialize;

use crate::ack::AckError;
use crate::arguments::Arguments;
use crate::broadcast::Broadcast;
use crate::encode::Content;
use crate::hub::Hub;
use crate::peer::Peer;

/// One client in one namespace. Cheap to clone, usable from any thread.
///
/// It stays valid when the client has disconnected. Events sent then are kept for the client's return if the namespace
/// recovers, and dropped otherwise.
#[derive(Debug)]
pub struct Socket<D> {
    inner: Arc<Inner<D>>,
}

#[derive(Debug)]
struct Inner<D> {
    peer: Arc<Peer>,
    hub: Arc<Hub>,
    data: D,
    request: Arc<SessionRequest>,
    recovered: bool,
}

/// A socket that is not kept alive, for example in a queue of timers.
#[derive(Debug)]
pub struct WeakSocket<D> {
    inner: Weak<Inner<D>>,
}

impl<D> WeakSocket<D> {
    /// The socket, unless it has been dropped.
    #[must_use]
    pub fn upgrade(&self) -> Option<Socket<D>> {
        self.inner.upgrade().map(|inner| Socket { inner })
    }
}

impl<D> Clone for Socket<D> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<D> Socket<D> {
    pub(crate) fn new(peer: Arc<Peer>, hub: Arc<Hub>, data: D, request: Arc<SessionRequest>, recovered: bool) -> Self {
        Self { inner: Arc::new(Inner { peer, hub, data, request, recovered }) }
    }

    pub(crate) fn peer(&self) -> &Arc<Peer> {
        &self.inner.peer
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.inner.hub
    }

    /// Whether both are clones of the same socket, that is, of the same connection.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// A reference that does not keep the socket alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakSocket<D> {
        WeakSocket { inner: Arc::downgrade(&self.inner) }
    }

    /// The public id. A recovered socket keeps it.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        self.inner.peer.id()
    }

    /// The data that the namespace's middleware returned.
    #[must_use]
    pub fn data(&self) -> &D {
        &self.inner.data
    }

    /// The HTTP request that opened the session. The auth payload is not kept; the middleware puts what it needs into
    /// [`Socket::data`].
    #[must_use]
    pub fn handshake(&self) -> &SessionRequest {
        &self.inner.request
    }

    /// Whether the client has returned and has its rooms and missed events back.
    #[must_use]
    pub fn recovered(&self) -> bool {
        self.inner.recovered
    }

    /// Whether the client is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.peer.is_joined()
    }

    /// Joins a room. `false` if the socket has disconnected, or
    /// [`SocketIoConfig::max_rooms`](crate::SocketIoConfig::max_rooms) is reached.
    pub fn join(&self, room: impl Into<Arc<str>>) -> bool {
        self.inner.peer.join(room.into())
    }

    /// Leaves a room.
    pub fn leave(&self, room: &str) {
        self.inner.peer.leave_room(room);
    }

    /// Leaves all rooms.
    pub fn leave_all(&self) {
        self.inner.peer.leave_all_rooms();
    }

    /// Whether the socket is in a room.
    #[must_use]
    pub fn is_in(&self, room: &str) -> bool {
        self.inner.peer.is_in(room)
    }

    /// The rooms the socket is in.
    #[must_use]
    pub fn rooms(&self) -> Vec<Arc<str>> {
        self.inner.peer.room_names()
    }

    /// Sends an event with one argument. Returns whether a connected client will receive it. An event that cannot be
    /// encoded is logged.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, payload: &T) -> bool {
        self.send(event, &Content::One(payload))
    }

    /// Sends an event with any number of arguments, including binary data.
    pub fn emit_arguments(&self, event: &str, arguments: &Arguments) -> bool {
        self.send::<()>(event, &Content::Many(arguments))
    }

    fn send<T: Serialize + ?Sized>(&self, event: &str, content: &Content<'_, T>) -> bool {
        let hub = &self.inner.hub;
        match hub.event(event, content, None, Delivery::Reliable) {
            Ok(event) => self.inner.peer.send(&event, hub),
            Err(error) => {
                tracing::error!(%error, event, "event not sent");
                false
            }
        }
    }

    /// Sends an event and waits for the client's acknowledgement. A client that disconnects and recovers in time may
    /// still answer.
    ///
    /// Within a handler, waiting delays the socket's next events; the acknowledgement itself is not delayed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use actix_socketio::{AckError, Socket};
    ///
    /// async fn ask(socket: &Socket<()>) -> Result<String, AckError> {
    ///     let answer = socket.emit_with_ack("question", &"why?", Duration::from_secs(5)).await?;
    ///     Ok(answer.values.first().and_then(|value| value.as_str()).unwrap_or_default().to_owned())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`AckError`] if no acknowledgement arrives.
    pub async fn emit_with_ack<T: Serialize + ?Sized>(
        &self,
        event: &str,
        payload: &T,
        timeout: Duration,
    ) -> Result<Arguments, AckError> {
        let (hub, peer) = (&self.inner.hub, &self.inner.peer);
        if peer.is_removed() {
            return Err(AckError::Disconnected);
        }
        let ack = peer.acks.register(hub.config.max_pending_acks).ok_or(AckError::TooMany)?;
        let content = Content::One(payload);
        let event = hub.event(event, &content, Some(ack.id), Delivery::Reliable)?;
        peer.send(&event, hub);
        tokio::time::timeout(timeout, ack.answer()).await.map_err(|_| AckError::Timeout)?
    }

    /// Selects the other sockets in a room.
    pub fn to<'a>(&'a self, room: &'a str) -> Broadcast<'a> {
        self.broadcast().to(room)
    }

    /// Selects the other sockets of the namespace.
    pub fn broadcast(&self) -> Broadcast<'_> {
        Broadcast::new(&self.inner.hub).except_peer(self.inner.peer.key())
    }

    /// Disconnects the client from the namespace. Stock clients do not reconnect after that.
    pub fn disconnect(&self) {
        self.inner.peer.kick();
    }

    /// As [`Self::disconnect`], and then closes the connection, with all its namespaces. Stock clients close it themselves
    /// when they read of the disconnect; others have until `grace` is over. They need it: a stock client that reads of the
    /// disconnect and of the close at the same time drops what it has not handled yet, and connects again.
    pub fn disconnect_and_close(&self, grace: Duration) {
        let session = self.inner.peer.session();
        self.disconnect();
        if let Some(session) = session {
            session.close_after(CloseReason::ForcedClose, grace);
        }
    }

    /// Ends the socket for good and closes the connection, see [`Broadcast::evict`].
    pub fn evict(&self) {
        self.inner.peer.evict();
    }

    /// Closes the client's connection with all its namespaces. Stock clients reconnect, possibly to another server.
    pub fn close_transport(&self) {
        if let Some(session) = self.inner.peer.session() {
            session.close(CloseReason::ForcedClose);
        }
    }
}
