//! Named sends that an actor knows without asking the database.

use std::collections::VecDeque;

use super::core::CachedSend;
use crate::domain::{ConversationId, IdempotencyKey};

/// The last named sends of a conversation: all that are not yet durable, and some that are.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    sends: VecDeque<(IdempotencyKey, CachedSend)>,
}

impl Remembered {
    pub(super) fn get(&self, key: &IdempotencyKey) -> Option<&CachedSend> {
        self.sends.iter().rev().find(|(known, _)| known == key).map(|(_, send)| send)
    }

    pub(super) fn insert(&mut self, key: IdempotencyKey, send: CachedSend) {
        self.sends.push_back((key, send));
    }

    /// Forgets the oldest beyond `keep`, but none of this conversation that stands behind `durable`, the last stored
    /// position. One of another conversation was found in the database: it is stored, whatever its position.
    pub(super) fn trim(&mut self, conversation: ConversationId, keep: usize, durable: i64) {
        let is_stored =
            |send: &CachedSend| send.message().conversation != conversation || send.message().position <= durable;
        while self.sends.len() > keep && self.sends.front().is_some_and(|(_, send)| is_stored(send)) {
            self.sends.pop_front();
        }
    }

    pub(super) fn clear(&mut self) {
        self.sends = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::{InMemoryConversation, customer, open, send_as};

    /// A conversation with this many named sends.
    fn sends(count: usize) -> InMemoryConversation {
        let mut story = InMemoryConversation::opened(&open(customer("ada"), "Hello", ""));
        for number in 0..count {
            story.execute(&send_as(customer("ada"), "x", &format!("{number} of {}", story.id))).unwrap();
        }
        story
    }

    fn remember(remembered: &mut Remembered, story: &InMemoryConversation) {
        for posted in story.log.iter().skip(2).filter_map(crate::domain::Event::posted) {
            let client_message_id = posted.message.client_message_id.clone().unwrap();
            let key = IdempotencyKey { sender: posted.message.author.sender_key(), client_message_id };
            remembered.insert(key, CachedSend::new(Arc::new(posted), story.conversation()));
        }
    }

    #[test]
    fn what_is_not_yet_durable_is_not_forgotten() {
        let story = sends(5);
        let mut remembered = Remembered::default();
        remember(&mut remembered, &story);
        remembered.trim(story.id, 1, 4);
        assert_eq!(remembered.sends.len(), 3);
        remembered.trim(story.id, 1, 7);
        assert_eq!(remembered.sends.len(), 1);
    }

    #[test]
    fn a_send_of_another_conversation_keeps_nothing_from_being_forgotten() {
        let (elsewhere, here) = (sends(50), sends(5));
        let mut remembered = Remembered::default();
        remember(&mut remembered, &elsewhere);
        remember(&mut remembered, &here);
        remembered.trim(here.id, 2, here.conversation().version);
        assert_eq!(remembered.sends.len(), 2);
    }
}
