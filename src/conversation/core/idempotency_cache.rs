//! Sends with an idempotency key whose repeats are answered without the database: all sends that are not stored yet, and
//! the newest stored ones.

use std::collections::VecDeque;

use super::answer::CachedSend;
use crate::domain::{ConversationId, IdempotencyKey};

#[derive(Debug, Default)]
pub(super) struct IdempotencyCache {
    sends: VecDeque<(IdempotencyKey, CachedSend)>,
}

impl IdempotencyCache {
    pub(super) fn get(&self, key: &IdempotencyKey) -> Option<&CachedSend> {
        self.sends.iter().rev().find(|(known, _)| known == key).map(|(_, send)| send)
    }

    pub(super) fn insert(&mut self, key: IdempotencyKey, send: CachedSend) {
        self.sends.push_back((key, send));
    }

    /// Drops the oldest beyond `capacity`, but none of this conversation after `durable`, the last stored position: the
    /// database would not find it. One of another conversation was found in the database, whatever its position.
    pub(super) fn trim(&mut self, conversation: ConversationId, capacity: usize, durable: i64) {
        let is_stored =
            |send: &CachedSend| send.message().conversation != conversation || send.message().position <= durable;
        while self.sends.len() > capacity && self.sends.front().is_some_and(|(_, send)| is_stored(send)) {
            self.sends.pop_front();
        }
    }

    /// Drops every entry and releases the memory.
    pub(super) fn clear(&mut self) {
        self.sends = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::Event;
    use crate::testing::{InMemoryConversation, customer, open, send_as};

    /// A conversation with this many sends that have a key.
    fn story(count: usize) -> InMemoryConversation {
        let mut story = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
        for number in 0..count {
            story.execute(&send_as(customer("ada"), "x", &format!("{number} of {}", story.id))).unwrap();
        }
        story
    }

    fn insert(cache: &mut IdempotencyCache, story: &InMemoryConversation) {
        for posted in story.log.iter().skip(2).filter_map(Event::posted) {
            let client_message_id = posted.message.client_message_id.clone().unwrap();
            let key = IdempotencyKey { sender: posted.message.author.sender_key(), client_message_id };
            cache.insert(key, CachedSend::new(Arc::new(posted), story.conversation()));
        }
    }

    #[test]
    fn a_send_that_is_not_stored_yet_is_kept() {
        let story = story(5);
        let mut cache = IdempotencyCache::default();
        insert(&mut cache, &story);
        cache.trim(story.id, 1, 4);
        assert_eq!(cache.sends.len(), 3);
        cache.trim(story.id, 1, 7);
        assert_eq!(cache.sends.len(), 1);
    }

    #[test]
    fn a_send_of_another_conversation_can_always_be_dropped() {
        let (elsewhere, here) = (story(50), story(5));
        let mut cache = IdempotencyCache::default();
        insert(&mut cache, &elsewhere);
        insert(&mut cache, &here);
        cache.trim(here.id, 2, here.conversation().version);
        assert_eq!(cache.sends.len(), 2);
    }
}
