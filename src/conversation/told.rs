//! Up to where those who listen on this server have been told what happened to a conversation.
//!
//! An actor tells of what it has made happen. What another server made happen, or one that was killed and whose last
//! statement came through after all, it finds when it loads: then that is told too, from here on and before anything
//! else. So what anybody is told has no hole, whoever wrote it.
//!
//! An actor goes and sockets stay. Where it has come is kept beyond it, for so many conversations as the configuration
//! says, those that were used last; for any other the next actor takes what it loads first for told. It is kept by
//! sharing: an actor that has left the registry and its successor, for a moment, are two, and neither may tell again
//! what the other has told. Both live on the same thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::domain::ConversationId;

/// That it is not known. A conversation's first event has position 1, and 0 is known: nothing has happened.
const UNKNOWN: i64 = -1;

/// Where it is with one conversation. All clones share it.
#[derive(Clone, Debug)]
pub(super) struct Told(Arc<AtomicI64>);

impl Told {
    fn unknown() -> Self {
        Self(Arc::new(AtomicI64::new(UNKNOWN)))
    }

    /// Position of the last event that need not be told any more; nothing where that is not known.
    pub(super) fn position(&self) -> Option<i64> {
        let position = self.0.load(Ordering::Relaxed);
        (position > UNKNOWN).then_some(position)
    }

    /// From now on it is this one.
    pub(super) fn set(&self, position: i64) {
        self.0.store(position, Ordering::Relaxed);
    }

    /// Whether the next actor would not know it any more.
    fn is_worth_keeping(&self) -> bool {
        self.position().is_some_and(|position| position > 0)
    }
}

/// The same for those whose actor has gone.
pub(super) struct Kept(Cache<ConversationId, Told>);

impl Kept {
    /// For so many conversations at most; of more, that one goes which was not used for longest.
    pub(super) fn new(capacity: u64) -> Self {
        Self(Cache::builder().max_capacity(capacity).eviction_policy(EvictionPolicy::lru()).build())
    }

    /// What a new actor begins with.
    pub(super) fn of(&self, id: ConversationId) -> Told {
        self.0.get(&id).unwrap_or_else(Told::unknown)
    }

    /// Keeps it for the next actor, which may begin from now on.
    pub(super) fn keep(&self, id: ConversationId, told: &Told) {
        self.0.insert(id, told.clone());
    }

    /// Its actor is gone. An id that names nothing must not take the place of one that does.
    pub(super) fn tidy(&self, id: ConversationId, told: &Told) {
        if !told.is_worth_keeping() {
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
    fn what_is_kept_is_shared_and_0_is_known() {
        let kept = Kept::new(10);
        let told = kept.of(id(1));
        assert_eq!(told.position(), None);
        kept.keep(id(1), &told);
        kept.of(id(1)).set(0);
        assert_eq!(told.position(), Some(0));
        told.set(7);
        assert_eq!(kept.of(id(1)).position(), Some(7));
    }

    #[test]
    fn the_one_that_was_not_used_for_longest_goes_and_one_that_names_nothing_at_once() {
        let kept = Kept::new(2);
        for number in 1..=3 {
            let told = kept.of(id(number));
            told.set(5);
            kept.keep(id(number), &told);
            kept.0.run_pending_tasks();
        }
        assert_eq!([1, 2, 3].map(|number| kept.of(id(number)).position()), [None, Some(5), Some(5)]);
        let nothing = kept.of(id(2));
        nothing.set(0);
        kept.tidy(id(2), &nothing);
        kept.tidy(id(3), &kept.of(id(3)));
        assert_eq!([2, 3].map(|number| kept.of(id(number)).position()), [None, Some(5)]);
    }
}
