//! A conversation told in memory: what its actor does, without the actor and the disk.

use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use crate::domain::{Command, Conversation, ConversationId, Event, EventId, Refusal, Timestamp, decide};

/// A conversation, its whole history, and a clock to turn.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) id: ConversationId,
    pub(crate) state: Option<Conversation>,
    pub(crate) log: Vec<Event>,
    pub(crate) now: Timestamp,
}

impl Story {
    /// Nothing has happened yet.
    pub(crate) fn untold() -> Self {
        let now = DateTime::from_timestamp_millis(1_767_225_600_000).expect("a moment");
        Self { id: ConversationId(Uuid::now_v7()), state: None, log: Vec::new(), now }
    }

    /// A customer's first message has happened.
    pub(crate) fn opened(opening: &Command) -> Self {
        let mut story = Self::untold();
        story.tell(opening).expect("a first message is not refused");
        story
    }

    /// The state; something must have happened.
    pub(crate) fn conversation(&self) -> &Conversation {
        self.state.as_ref().expect("something has happened")
    }

    /// Lets it happen, if the rules allow it; gives what happened.
    pub(crate) fn tell(&mut self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let changes = decide(self.state.as_ref(), command)?;
        let events = Event::in_sequence(self.id, self.state.as_ref(), self.now, changes, || EventId(Uuid::now_v7()));
        self.state = events.iter().fold(self.state.take(), Conversation::apply);
        self.log.extend(events.iter().cloned());
        Ok(events)
    }

    /// Turns the clock, forwards or back.
    pub(crate) fn turn_clock(&mut self, milliseconds: i64) {
        self.now += TimeDelta::milliseconds(milliseconds);
    }
}
