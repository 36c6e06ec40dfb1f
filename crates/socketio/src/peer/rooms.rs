//! The rooms that one peer is in.

use std::collections::HashSet;
use std::sync::Arc;

use super::Peer;

/// The rooms of one peer, and whether it may join more.
#[derive(Debug)]
pub(super) struct RoomSet {
    pub(super) is_open: bool,
    names: HashSet<Arc<str>>,
}

impl RoomSet {
    pub(super) fn open() -> Self {
        Self { is_open: true, names: HashSet::new() }
    }
}

impl Peer {
    /// Joins a room. `false` if the peer is not connected or is in the maximum number of rooms.
    pub(crate) fn join(self: &Arc<Self>, room: Arc<str>) -> bool {
        let Some(hub) = self.hub.upgrade() else {
            return false;
        };
        let mut rooms = self.rooms.lock();
        if rooms.names.contains(&room) {
            return rooms.is_open;
        }
        if !rooms.is_open || rooms.names.len() >= hub.config.max_rooms {
            return false;
        }
        let room = hub.rooms.add(room, self.key, Arc::clone(self));
        rooms.names.insert(room);
        true
    }

    /// Leaves a room.
    pub(crate) fn leave_room(&self, room: &str) {
        let mut rooms = self.rooms.lock();
        if rooms.names.remove(room)
            && let Some(hub) = self.hub.upgrade()
        {
            hub.rooms.remove(room, self.key);
        }
    }

    /// Leaves all rooms.
    pub(crate) fn leave_all_rooms(&self) {
        let mut rooms = self.rooms.lock();
        let names = std::mem::take(&mut rooms.names);
        if let Some(hub) = self.hub.upgrade() {
            for room in names {
                hub.rooms.remove(&room, self.key);
            }
        }
    }

    pub(crate) fn is_in(&self, room: &str) -> bool {
        self.rooms.lock().names.contains(room)
    }

    pub(crate) fn room_names(&self) -> Vec<Arc<str>> {
        self.rooms.lock().names.iter().cloned().collect()
    }

    /// Refuses further joins.
    pub(super) fn close_rooms(&self) {
        self.rooms.lock().is_open = false;
    }
}
