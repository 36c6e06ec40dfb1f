//! Operations on many sockets. An event is encoded once, whatever the number of receivers.

use std::collections::HashSet;
use std::sync::Arc;

use engineio::{CloseReason, Delivery};
use serde::Serialize;

use crate::arguments::Arguments;
use crate::encode::Content;
use crate::hub::Hub;
use crate::outbound_event::OutboundEvent;
use crate::peer::Peer;
use crate::rooms::MemberKey;

/// A selection of sockets: those in any of its rooms, or all if it names no room.
///
/// A socket's id selects that socket alone, like a room of that name.
///
/// ```
/// use actix_socketio::NamespaceHandle;
///
/// fn announce(namespace: &NamespaceHandle, sender_id: &str) {
///     let reached = namespace.to("editors").to("admins").except(sender_id).emit("changed", &42);
///     println!("{reached} sockets were sent the event, each once");
///     namespace.all().volatile().emit("cursor", &(1, 2));
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a selection of sockets does nothing by itself"]
pub struct Broadcast<'a> {
    hub: &'a Arc<Hub>,
    rooms: Vec<&'a str>,
    except: Vec<MemberKey>,
    delivery: Delivery,
}

impl<'a> Broadcast<'a> {
    pub(crate) fn new(hub: &'a Arc<Hub>) -> Self {
        Self { hub, rooms: Vec::new(), except: Vec::new(), delivery: Delivery::Reliable }
    }

    pub(crate) fn except_peer(mut self, key: MemberKey) -> Self {
        self.except.push(key);
        self
    }

    /// Adds the sockets in a room.
    pub fn to(mut self, room: &'a str) -> Self {
        self.rooms.push(room);
        self
    }

    /// Excludes the socket with this id.
    pub fn except(mut self, socket_id: &str) -> Self {
        if let Some(peer) = self.hub.peers.get(socket_id) {
            self.except.push(peer.value().key());
        }
        self
    }

    /// Makes the event volatile: it is dropped for sockets whose transport cannot send it now.
    pub fn volatile(mut self) -> Self {
        self.delivery = Delivery::Volatile;
        self
    }

    /// Sends an event with one argument. Returns the number of connected sockets that will receive it. An event that
    /// cannot be encoded is logged.
    ///
    /// Every socket receives the events of one thread in the order in which the thread sent them.
    pub fn emit<T: Serialize + ?Sized>(self, event: &str, payload: &T) -> usize {
        self.send(event, &Content::One(payload))
    }

    /// Like [`Broadcast::emit`], with any number of arguments, including binary data.
    pub fn emit_arguments(self, event: &str, arguments: &Arguments) -> usize {
        self.send::<()>(event, &Content::Many(arguments))
    }

    /// Like [`Broadcast::emit`], with another payload for those of the sockets that are in `room`. Each payload is encoded
    /// once at most, whatever the number of receivers, and every socket receives one of the two.
    ///
    /// ```
    /// use actix_socketio::NamespaceHandle;
    ///
    /// fn publish(namespace: &NamespaceHandle, text: &str, draft_id: u64) {
    ///     namespace.to("editors").emit_with_variant("text", &text, "user:jane", &(text, draft_id));
    /// }
    /// ```
    pub fn emit_with_variant<T, V>(self, event: &str, payload: &T, room: &str, variant: &V) -> usize
    where
        T: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        let mut special = Vec::new();
        self.hub.rooms.for_each(room, |peer| special.push(peer.key()));
        if special.is_empty() {
            return self.emit(event, payload);
        }
        special.sort_unstable();
        let encoded = (self.encode(event, &Content::One(payload)), self.encode(event, &Content::One(variant)));
        let (Some(payload), Some(variant)) = encoded else { return 0 };
        let mut reached = 0;
        self.for_each(|peer| {
            let event = if special.binary_search(&peer.key()).is_ok() { &variant } else { &payload };
            reached += usize::from(peer.send(event, self.hub));
        });
        reached
    }

    fn send<T: Serialize + ?Sized>(self, event: &str, content: &Content<'_, T>) -> usize {
        let Some(event) = self.encode(event, content) else { return 0 };
        let mut reached = 0;
        self.for_each(|peer| reached += usize::from(peer.send(&event, self.hub)));
        reached
    }

    /// `None`, and a line in the log, if it cannot be encoded.
    fn encode<T: Serialize + ?Sized>(&self, event: &str, content: &Content<'_, T>) -> Option<Arc<OutboundEvent>> {
        self.hub
            .event(event, content, None, self.delivery)
            .inspect_err(|error| tracing::error!(%error, event, "event not sent"))
            .ok()
    }

    /// The ids of the selected sockets that are connected.
    pub fn socket_ids(self) -> Vec<Arc<str>> {
        let mut ids = Vec::new();
        self.for_each(|peer| {
            if peer.is_joined() {
                ids.push(Arc::clone(peer.id()));
            }
        });
        ids
    }

    /// Adds the sockets to a room. Returns how many of them are in it now.
    pub fn join(self, room: impl Into<Arc<str>>) -> usize {
        let room = room.into();
        self.peers().iter().filter(|peer| peer.join(Arc::clone(&room))).count()
    }

    /// Removes the sockets from a room.
    pub fn leave(self, room: &str) {
        for peer in self.peers() {
            peer.leave_room(room);
        }
    }

    /// Disconnects the clients from the namespace. Stock clients do not reconnect after that.
    pub fn disconnect(self) {
        for peer in self.peers() {
            peer.kick();
        }
    }

    /// Closes the clients' connections. Stock clients reconnect, possibly to another server.
    pub fn close_transports(self) {
        for peer in self.peers() {
            if let Some(session) = peer.session() {
                session.close(CloseReason::ForcedClose);
            }
        }
    }

    /// Ends the sockets for good, also those whose clients may return: they leave their rooms at once, receive nothing any
    /// more and cannot be recovered. The clients' connections are closed; stock clients connect again.
    pub fn evict(self) {
        for peer in self.peers() {
            peer.evict();
        }
    }

    /// Collects the selected peers, for operations that lock rooms and so must not run inside a visit.
    fn peers(&self) -> Vec<Arc<Peer>> {
        let mut peers = Vec::new();
        self.for_each(|peer| peers.push(Arc::clone(peer)));
        peers
    }

    fn for_each(&self, mut visit: impl FnMut(&Arc<Peer>)) {
        let mut visit = |peer: &Arc<Peer>| {
            if !self.except.contains(&peer.key()) {
                visit(peer);
            }
        };
        match self.rooms.as_slice() {
            [] => {
                for peer in &self.hub.peers {
                    visit(peer.value());
                }
            }
            [room] => self.visit_room(room, &mut visit),
            rooms => {
                let mut visited = HashSet::new();
                for room in rooms {
                    self.visit_room(room, &mut |peer| {
                        if visited.insert(peer.key()) {
                            visit(peer);
                        }
                    });
                }
            }
        }
    }

    fn visit_room(&self, room: &str, visit: &mut dyn FnMut(&Arc<Peer>)) {
        self.hub.rooms.for_each(room, &mut *visit);
        let by_id = self.hub.peers.get(room).map(|peer| Arc::clone(&peer));
        // Unless the socket has joined a room named like its id, in which case it was visited above.
        if let Some(peer) = by_id.filter(|peer| !peer.is_in(room)) {
            visit(&peer);
        }
    }
}
