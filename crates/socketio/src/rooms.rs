//! Which members are in which room.
//!
//! Generic over the member, so that it does not depend on [`Peer`](crate::peer::Peer), which depends on it.
//!
//! Invariants: a room without members does not exist; a lookup by name allocates nothing.

use std::collections::HashMap;
use std::sync::Arc;

use dashmap::DashMap;

/// Identifies a member within its namespace. Cheaper to hash and compare than its public id.
pub(crate) type MemberKey = u64;

/// The rooms of one namespace.
#[derive(Debug)]
pub(crate) struct Rooms<M>(DashMap<Arc<str>, HashMap<MemberKey, Arc<M>>>);

impl<M> Default for Rooms<M> {
    fn default() -> Self {
        Self(DashMap::new())
    }
}

impl<M> Rooms<M> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a member and returns the room's name, shared by all its members.
    pub(crate) fn add(&self, room: Arc<str>, key: MemberKey, member: Arc<M>) -> Arc<str> {
        let mut members = self.0.entry(room).or_default();
        members.insert(key, member);
        Arc::clone(members.key())
    }

    /// Removes a member.
    pub(crate) fn remove(&self, room: &str, key: MemberKey) {
        let Some(mut members) = self.0.get_mut(room) else {
            return;
        };
        members.remove(&key);
        // A room that has shrunk to a quarter of its capacity returns the memory.
        if members.len() * 4 < members.capacity() {
            members.shrink_to_fit();
        }
        let empty = members.is_empty();
        drop(members);
        if empty {
            // Another thread may have joined since the guard was dropped.
            self.0.remove_if(room, |_, members| members.is_empty());
        }
    }

    /// Visits every member of a room. The visitor runs under the room's lock and must not call back into the rooms.
    pub(crate) fn for_each(&self, room: &str, mut visit: impl FnMut(&Arc<M>)) {
        if let Some(members) = self.0.get(room) {
            for member in members.values() {
                visit(member);
            }
        }
    }
}
