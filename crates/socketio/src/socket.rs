//! One client in one namespace, as handlers see it.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::ack::AckError;
use super::broadcast::Broadcast;
use super::encode::Content;
use super::hub::Hub;
use super::packet::Arguments;
use super::peer::Peer;
use engineio::{CloseReason, Delivery, SessionRequest};

/// One client in one namespace. Cheap to clone, usable from any thread.
///
/// It stays valid when the client is gone; what is sent then goes nowhere, or waits for the client to come back.
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

    /// Whether both are the same socket of the same connection.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The public id. It stays the same when the client comes back and is recovered.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        self.inner.peer.id()
    }

    /// What the namespace's middleware returned.
    #[must_use]
    pub fn data(&self) -> &D {
        &self.inner.data
    }

    /// The request that opened the session. What the client said to join is for the middleware alone.
    #[must_use]
    pub fn handshake(&self) -> &SessionRequest {
        &self.inner.request
    }

    /// Whether the client was away and has its rooms and missed events back.
    #[must_use]
    pub fn recovered(&self) -> bool {
        self.inner.recovered
    }

    /// Whether the client is connected now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.peer.is_joined()
    }

    /// Joins a room. `false` where the socket has disconnected, or is in too many rooms.
    pub fn join(&self, room: impl Into<Arc<str>>) -> bool {
        self.inner.peer.join(room.into())
    }

    /// Leaves a room.
    pub fn leave(&self, room: &str) {
        self.inner.peer.leave_room(room);
    }

    /// Leaves every room.
    pub fn leave_all(&self) {
        self.inner.peer.leave_all();
    }

    /// Whether it is in a room.
    #[must_use]
    pub fn is_in(&self, room: &str) -> bool {
        self.inner.peer.is_in(room)
    }

    /// The rooms it is in.
    #[must_use]
    pub fn rooms(&self) -> Vec<Arc<str>> {
        self.inner.peer.rooms()
    }

    /// Sends an event with one argument. Whether a connected client gets it; what cannot be encoded is logged.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, payload: &T) -> bool {
        self.send(event, &Content::One(payload))
    }

    /// Sends an event with any arguments, binary data included.
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

    /// Sends an event and waits for the client's answer.
    ///
    /// Where the client is away and comes back in time it may still answer.
    ///
    /// # Errors
    /// [`AckError`] where no answer comes.
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
        let awaited = peer.acks.expect(hub.limits.max_pending_acks).ok_or(AckError::TooMany)?;
        let content = Content::One(payload);
        let event = hub.event(event, &content, Some(awaited.id), Delivery::Reliable)?;
        peer.send(&event, hub);
        tokio::time::timeout(timeout, awaited.answer()).await.map_err(|_| AckError::Timeout)?
    }

    /// Everyone else in a room.
    pub fn to<'a>(&'a self, room: &'a str) -> Broadcast<'a> {
        self.broadcast().to(room)
    }

    /// Everyone else in the namespace.
    pub fn broadcast(&self) -> Broadcast<'_> {
        Broadcast::new(&self.inner.hub).except_peer(self.inner.peer.key())
    }

    /// Puts the client out of the namespace. It will not come back by itself.
    pub fn disconnect(&self) {
        self.inner.peer.kick();
    }

    /// Closes the client's connection, whatever else it has joined. It will come back, to another server perhaps.
    pub fn close_transport(&self) {
        if let Some(session) = self.inner.peer.session() {
            session.close(CloseReason::ForcedClose);
        }
    }
}
