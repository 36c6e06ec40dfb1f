//! Which sockets are in which room.
//!
//! An empty room is no room. Looking a room up by its name allocates nothing.

use std::collections::HashMap;
use std::sync::Arc;

use dashmap::DashMap;

use super::peer::{Peer, PeerKey};

/// The rooms of one namespace.
#[derive(Debug, Default)]
pub(crate) struct Rooms(DashMap<Arc<str>, HashMap<PeerKey, Arc<Peer>>>);

impl Rooms {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts a socket in and returns the room's name, shared by all who are in it.
    pub(crate) fn add(&self, room: Arc<str>, peer: Arc<Peer>) -> Arc<str> {
        let mut members = self.0.entry(room).or_default();
        members.insert(peer.key(), peer);
        Arc::clone(members.key())
    }

    /// Takes a socket out.
    pub(crate) fn remove(&self, room: &str, peer: PeerKey) {
        let Some(mut members) = self.0.get_mut(room) else {
            return;
        };
        members.remove(&peer);
        // A room that was large gives its places back when it is a quarter full.
        if members.len() * 4 < members.capacity() {
            members.shrink_to_fit();
        }
        let empty = members.is_empty();
        drop(members);
        if empty {
            self.0.remove_if(room, |_, members| members.is_empty());
        }
    }

    /// Visits every socket in a room. The visitor must not come back here.
    pub(crate) fn for_each(&self, room: &str, mut visit: impl FnMut(&Arc<Peer>)) {
        if let Some(members) = self.0.get(room) {
            for peer in members.values() {
                visit(peer);
            }
        }
    }
}
