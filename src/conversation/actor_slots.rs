//! Room for actors: each running one has a slot, and when all slots are taken, the longest idle actor gives up its own.
//!
//! The idle actors are kept in the order in which they became idle, each at a constant cost: an actor is added when it
//! has nothing in progress, and removed when a message is sent to it. So the actor to give way is found without looking at
//! the others, however many there are.

use std::sync::Arc;

use hashlink::LinkedHashMap;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::ConversationId;

/// The place of one running actor; free for another when it is dropped.
#[derive(Debug)]
pub(super) struct ActorSlot {
    _permit: OwnedSemaphorePermit,
}

/// All slots, and the actors that may give up theirs.
#[derive(Debug)]
pub(super) struct ActorSlots {
    capacity: usize,
    free: Arc<Semaphore>,
    /// The longest idle first.
    idle: Mutex<LinkedHashMap<ConversationId, ()>>,
}

impl ActorSlots {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, free: Arc::new(Semaphore::new(capacity)), idle: Mutex::default() }
    }

    /// Takes a free slot.
    pub(super) fn take(&self) -> Option<ActorSlot> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(ActorSlot { _permit: permit })
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.capacity.saturating_sub(self.free.available_permits())
    }

    /// An actor has become idle.
    pub(super) fn add_idle(&self, id: ConversationId) {
        self.idle.lock().insert(id, ());
    }

    /// An actor is idle no longer, or no longer running.
    pub(super) fn remove_idle(&self, id: ConversationId) {
        self.idle.lock().remove(&id);
    }

    /// Removes the longest idle actor from the idle ones. It may have become busy meanwhile.
    pub(super) fn pop_longest_idle(&self) -> Option<ConversationId> {
        self.idle.lock().pop_front().map(|(id, ())| id)
    }

    /// How many actors are idle.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.idle.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u64) -> ConversationId {
        ConversationId(Uuid::from_u64_pair(0, number))
    }

    #[test]
    fn a_slot_is_free_again_when_it_is_dropped() {
        let slots = ActorSlots::new(2);
        let (one, two) = (slots.take().expect("free"), slots.take().expect("free"));
        assert!(slots.take().is_none());
        assert_eq!(slots.taken(), 2);
        drop(one);
        assert_eq!(slots.taken(), 1);
        let three = slots.take().expect("free again");
        assert!(slots.take().is_none());
        drop((two, three));
        assert_eq!(slots.taken(), 0);
    }

    #[test]
    fn the_actor_that_became_idle_first_gives_way_first() {
        let slots = ActorSlots::new(10);
        for number in 1..=4 {
            slots.add_idle(id(number));
        }
        // The first is used once more, and idle again; the third is in use.
        slots.remove_idle(id(1));
        slots.add_idle(id(1));
        slots.remove_idle(id(3));
        slots.remove_idle(id(7));
        let order: Vec<_> = std::iter::from_fn(|| slots.pop_longest_idle()).collect();
        assert_eq!(order, [id(2), id(4), id(1)]);
    }
}
