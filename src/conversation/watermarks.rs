//! The watermark of every conversation: the position of the last event announced to this server's subscribers.
//!
//! Sockets outlive actors, so the watermark is kept after an actor stops, for a configurable number of conversations,
//! those used last. For any other conversation, the next actor treats its first load as already announced.

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::core::Watermark;
use crate::domain::ConversationId;

/// Watermarks of conversations whose actor has stopped.
pub(super) struct Watermarks(Cache<ConversationId, Watermark>);

impl Watermarks {
    /// A cache for this many conversations; beyond that the least recently used one is evicted.
    pub(super) fn new(capacity: u64) -> Self {
        Self(Cache::builder().max_capacity(capacity).eviction_policy(EvictionPolicy::lru()).build())
    }

    /// What a new actor starts with.
    pub(super) fn get(&self, id: ConversationId) -> Watermark {
        self.0.get(&id).unwrap_or_else(Watermark::unknown)
    }

    /// Keeps the watermark for the next actor, which may start at any time after this call.
    pub(super) fn keep(&self, id: ConversationId, watermark: &Watermark) {
        self.0.insert(id, watermark.clone());
    }

    /// Drops the watermark of a stopped actor if its conversation has no events: unknown ids must not evict real ones.
    pub(super) fn tidy(&self, id: ConversationId, watermark: &Watermark) {
        if !watermark.is_worth_keeping() {
            self.0.invalidate(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> ConversationId {
        ConversationId(Uuid::from_u128(number))
    }

    #[test]
    fn a_kept_watermark_is_shared_and_position_0_counts_as_known() {
        let watermarks = Watermarks::new(10);
        let watermark = watermarks.get(id(1));
        assert_eq!(watermark.position(), None);
        watermarks.keep(id(1), &watermark);
        watermarks.get(id(1)).set(0);
        assert_eq!(watermark.position(), Some(0));
        watermark.set(7);
        assert_eq!(watermarks.get(id(1)).position(), Some(7));
    }

    #[test]
    fn the_least_recently_used_watermark_is_evicted_and_that_of_an_unknown_id_is_dropped() {
        let watermarks = Watermarks::new(2);
        for number in 1..=3 {
            let watermark = watermarks.get(id(number));
            watermark.set(5);
            watermarks.keep(id(number), &watermark);
            watermarks.0.run_pending_tasks();
        }
        assert_eq!([1, 2, 3].map(|number| watermarks.get(id(number)).position()), [None, Some(5), Some(5)]);
        let nothing = watermarks.get(id(2));
        nothing.set(0);
        watermarks.tidy(id(2), &nothing);
        watermarks.tidy(id(3), &watermarks.get(id(3)));
        assert_eq!([2, 3].map(|number| watermarks.get(id(number)).position()), [None, Some(5)]);
    }
}
