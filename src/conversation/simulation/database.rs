//! The simulated database: the events of one conversation with a version fence.

use std::sync::Arc;

use crate::conversation::core::{EventsAfter, StoredSend};
use crate::domain::{Conversation, Event, IdempotencyKey, Posted};

#[derive(Default)]
pub(super) struct Database {
    events: Vec<Event>,
    state: Option<Arc<Conversation>>,
}

impl Database {
    pub(super) fn version(&self) -> i64 {
        self.events.len() as i64
    }

    pub(super) fn state(&self) -> Option<&Arc<Conversation>> {
        self.state.as_ref()
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Stores events that were decided on `expected`; `false`, and nothing is stored, if that is not the stored version
    /// or if one of them uses a key that is taken.
    pub(super) fn store(&mut self, expected: i64, events: &[Event], state: &Arc<Conversation>) -> bool {
        let is_taken = |event: &Event| key_of(event).is_some_and(|key| self.find(&key).is_some());
        if expected != self.version() || events.iter().any(is_taken) {
            return false;
        }
        self.events.extend_from_slice(events);
        self.state = Some(Arc::clone(state));
        true
    }

    /// The message that is stored under a key.
    fn find(&self, key: &IdempotencyKey) -> Option<Posted> {
        self.events.iter().find(|event| key_of(event).as_ref() == Some(key)).and_then(Event::posted)
    }

    pub(super) fn find_send(&self, key: &IdempotencyKey) -> Option<StoredSend> {
        let conversation = Conversation::clone(self.state.as_deref()?);
        Some(StoredSend { key: key.clone(), message: self.find(key)?, conversation })
    }

    /// The newest events after a position, up to `version`.
    pub(super) fn events_after(&self, after: EventsAfter, version: i64) -> Vec<Event> {
        let wanted = |event: &&Event| event.position > after.position && event.position <= version;
        let mut found: Vec<Event> = self.events.iter().filter(wanted).cloned().collect();
        let surplus = found.len().saturating_sub(usize::try_from(after.limit).unwrap_or(0));
        found.drain(..surplus);
        found
    }

    /// The messages and notes after a position.
    pub(super) fn messages_after(&self, position: i64) -> Vec<Posted> {
        self.events.iter().filter_map(Event::posted).filter(|posted| posted.position > position).collect()
    }
}

fn key_of(event: &Event) -> Option<IdempotencyKey> {
    let message = event.posted()?.message;
    let client_message_id = message.client_message_id.clone()?;
    Some(IdempotencyKey { sender: message.author.sender_key(), client_message_id })
}
