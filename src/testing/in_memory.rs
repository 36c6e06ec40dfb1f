//! A conversation in memory: commands are decided and applied without an actor, a journal or a database.

use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use crate::domain::{Command, Conversation, ConversationId, Event, EventId, Refusal, Timestamp, decide};

/// A conversation, its events, and the clock that they are stamped by.
#[derive(Clone, Debug)]
pub(crate) struct InMemoryConversation {
    pub(crate) id: ConversationId,
    pub(crate) state: Option<Conversation>,
    pub(crate) log: Vec<Event>,
    pub(crate) now: Timestamp,
}

impl InMemoryConversation {
    /// A conversation without an event.
    pub(crate) fn empty() -> Self {
        let now = DateTime::from_timestamp_millis(1_767_225_600_000).expect("a valid timestamp");
        Self { id: ConversationId(Uuid::now_v7()), state: None, log: Vec::new(), now }
    }

    /// A conversation opened by this command.
    pub(crate) fn opened(opening: &Command) -> Self {
        let mut conversation = Self::empty();
        conversation.execute(opening).expect("a first message is not refused");
        conversation
    }

    /// Its state; there must be an event.
    pub(crate) fn conversation(&self) -> &Conversation {
        self.state.as_ref().expect("an event")
    }

    /// Decides a command and applies its events, which are returned.
    pub(crate) fn execute(&mut self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let changes = decide(self.state.as_ref(), command)?;
        let events = Event::in_sequence(self.id, self.state.as_ref(), self.now, changes, || EventId(Uuid::now_v7()));
        self.state = events.iter().fold(self.state.take(), Conversation::apply);
        self.log.extend(events.iter().cloned());
        Ok(events)
    }

    /// Moves the clock, forwards or backwards.
    pub(crate) fn move_clock(&mut self, milliseconds: i64) {
        self.now += TimeDelta::milliseconds(milliseconds);
    }
}
