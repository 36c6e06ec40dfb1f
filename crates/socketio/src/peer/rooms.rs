//! The rooms that one peer is in.

use std::collections::HashSet;
use std::sync::Arc;

use super::Peer;

/// The rooms that a peer is in, and whether it may join more.
#[derive(Debug)]
pub(super) struct RoomSet {
    pub(super) open: bool,
    rooms: HashSet<Arc<str>>,
}

impl RoomSet {
    pub(super) fn open() -> Self {
        Self { open: true, rooms: HashSet::new() }
    }
}

impl Peer {
    /// Puts it into a room. `false` where it is not connected, or in too many.
    pub(crate) fn join(self: &Arc<Self>, room: Arc<str>) -> bool {
        let Some(hub) = self.hub.upgrade() else {
            return false;
        };
        let mut places = self.places.lock();
        if places.rooms.contains(&room) {
            return places.open;
        }
        if !places.open || places.rooms.len() >= hub.limits.max_rooms {
            return false;
        }
        let room = hub.rooms.add(room, Arc::clone(self));
        places.rooms.insert(room);
        true
    }

    /// Takes it out of a room.
    pub(crate) fn leave_room(&self, room: &str) {
        let mut places = self.places.lock();
        if places.rooms.remove(room)
            && let Some(hub) = self.hub.upgrade()
        {
            hub.rooms.remove(room, self.key);
        }
    }

    /// Takes it out of all rooms.
    pub(crate) fn leave_all(&self) {
        let mut places = self.places.lock();
        let rooms = std::mem::take(&mut places.rooms);
        if let Some(hub) = self.hub.upgrade() {
            for room in rooms {
                hub.rooms.remove(&room, self.key);
            }
        }
    }

    pub(crate) fn is_in(&self, room: &str) -> bool {
        self.places.lock().rooms.contains(room)
    }

    pub(crate) fn rooms(&self) -> Vec<Arc<str>> {
        self.places.lock().rooms.iter().cloned().collect()
    }

    pub(super) fn close_rooms(&self) {
        self.places.lock().open = false;
    }
}
