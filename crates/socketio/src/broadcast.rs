//! Events for many sockets: encoded once, each socket gets one.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use super::encode::Content;
use super::hub::Hub;
use super::packet::Arguments;
use super::peer::{Peer, PeerKey};
use engineio::{CloseReason, Delivery};

/// A choice of sockets: those in any of its rooms, or all where no room is named.
///
/// A socket's id serves as the name of a room with that socket alone.
#[derive(Debug, Clone)]
#[must_use = "a choice of sockets does nothing by itself"]
pub struct Broadcast<'a> {
    hub: &'a Arc<Hub>,
    rooms: Vec<&'a str>,
    except: Vec<PeerKey>,
    delivery: Delivery,
}

impl<'a> Broadcast<'a> {
    pub(crate) fn new(hub: &'a Arc<Hub>) -> Self {
        Self { hub, rooms: Vec::new(), except: Vec::new(), delivery: Delivery::Reliable }
    }

    pub(crate) fn except_peer(mut self, peer: PeerKey) -> Self {
        self.except.push(peer);
        self
    }

    /// And those in this room.
    pub fn to(mut self, room: &'a str) -> Self {
        self.rooms.push(room);
        self
    }

    /// But not the socket with this id.
    pub fn except(mut self, socket_id: &str) -> Self {
        if let Some(peer) = self.hub.peers.get(socket_id) {
            self.except.push(peer.value().key());
        }
        self
    }

    /// The event is dropped for clients that cannot take it now.
    pub fn volatile(mut self) -> Self {
        self.delivery = Delivery::Volatile;
        self
    }

    /// Sends an event with one argument, and says how many connected sockets get it. What cannot be encoded is logged.
    ///
    /// Events that one thread sends are seen by every socket in that order.
    pub fn emit<T: Serialize + ?Sized>(self, event: &str, payload: &T) -> usize {
        self.send(event, &Content::One(payload))
    }

    /// As [`Broadcast::emit`], with any arguments, binary data included.
    pub fn emit_arguments(self, event: &str, arguments: &Arguments) -> usize {
        self.send::<()>(event, &Content::Many(arguments))
    }

    fn send<T: Serialize + ?Sized>(self, event: &str, content: &Content<'_, T>) -> usize {
        let event = match self.hub.event(event, content, None, self.delivery) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(%error, event, "event not sent");
                return 0;
            }
        };
        let mut reached = 0;
        self.for_each(|peer| reached += usize::from(peer.send(&event, self.hub)));
        reached
    }

    /// The ids of those that are connected.
    pub fn socket_ids(self) -> Vec<Arc<str>> {
        let mut ids = Vec::new();
        self.for_each(|peer| {
            if peer.is_joined() {
                ids.push(Arc::clone(peer.id()));
            }
        });
        ids
    }

    /// Puts them into a room, and says how many are in it then.
    pub fn join(self, room: impl Into<Arc<str>>) -> usize {
        let room = room.into();
        self.peers().iter().filter(|peer| peer.join(Arc::clone(&room))).count()
    }

    /// Takes them out of a room.
    pub fn leave(self, room: &str) {
        for peer in self.peers() {
            peer.leave_room(room);
        }
    }

    /// Puts them out of the namespace. They will not come back by themselves.
    pub fn disconnect(self) {
        for peer in self.peers() {
            peer.kick();
        }
    }

    /// Closes their connections. They will come back, to another server perhaps.
    pub fn close_transports(self) {
        for peer in self.peers() {
            if let Some(session) = peer.session() {
                session.close(CloseReason::ForcedClose);
            }
        }
    }

    /// The sockets themselves, for what must not be done while a room is being looked at.
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
                let mut seen = HashSet::new();
                for room in rooms {
                    self.visit_room(room, &mut |peer| {
                        if seen.insert(peer.key()) {
                            visit(peer);
                        }
                    });
                }
            }
        }
    }

    fn visit_room(&self, room: &str, visit: &mut dyn FnMut(&Arc<Peer>)) {
        self.hub.rooms.for_each(room, &mut *visit);
        let own = self.hub.peers.get(room).map(|peer| Arc::clone(&peer));
        // Unless a room of that name has been made of it.
        if let Some(peer) = own.filter(|peer| !peer.is_in(room)) {
            visit(&peer);
        }
    }
}
