//! The inputs of the machine, and what it asks its driver to do.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{CachedSend, CommandError, Outcome, Responder};
use crate::domain::{Command, Conversation, Event, EventId, IdempotencyKey, Posted, Timestamp};

/// Numbers a run of appends, each decided on the state that the one before it leaves. When one of them is not stored,
/// the driver must not store any later one of the same epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EpochNumber(pub(super) u64);

/// Numbers a lookup of a send by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lookup(pub(super) u64);

/// Numbers a subscriber, given by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberId(pub u64);

/// What a subscriber has missed.
#[derive(Debug)]
pub struct Backlog {
    /// What it has read, oldest first, followed by what was published meanwhile, notes included.
    pub messages: Vec<Posted>,
    /// The conversation after the last event that was published meanwhile; `None` if there was none.
    pub conversation: Option<Arc<Conversation>>,
}

/// A timer of the machine. Setting one again replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Time to trim or to passivate, if the machine is not used until then.
    Unused,
    /// Time to look for events that are in doubt.
    InDoubt,
    /// Time to read the stored version, for all who have asked by then.
    VersionCheck,
}

/// Something that happened outside of the machine. Inputs are moved several times on the way of each command, so what is
/// large and rare is boxed.
#[derive(Debug)]
pub enum Input {
    /// The machine starts. Comes once, first.
    Started,
    /// A caller gives a command.
    Command(Command, Responder),
    /// The [`Effect::Append`] of the last step was taken by the journal.
    Queued,
    /// It was not: the journal's queue is full.
    QueueFull,
    /// An append is stored, up to and including `version`.
    Committed {
        /// Of the append.
        epoch: EpochNumber,
        /// Position of its last event.
        version: i64,
    },
    /// An append is not stored: another server wrote to the conversation, or a send's key is taken.
    Rejected {
        /// Of the append.
        epoch: EpochNumber,
    },
    /// It is not known whether an append is stored.
    AppendFailed {
        /// Of the append.
        epoch: EpochNumber,
    },
    /// The result of [`Effect::Load`].
    Loaded(Result<Box<LoadedState>, CommandError>),
    /// The result of [`Effect::ReadVersion`]: the stored version, 0 if there is no conversation.
    VersionRead(Result<i64, CommandError>),
    /// The result of [`Effect::FindSend`].
    SendFound {
        /// Which one.
        lookup: Lookup,
        /// The send, if it is stored.
        found: Result<Option<Box<StoredSend>>, CommandError>,
    },
    /// A subscriber wants to begin, and knows that the conversation has had this version.
    Subscribe {
        /// Which one.
        subscriber: SubscriberId,
        /// The version that it knows.
        version: i64,
    },
    /// The result of [`Effect::ReadBacklogs`], in its order.
    BacklogsRead(Vec<(SubscriberId, Result<Vec<Posted>, CommandError>)>),
    /// A timer has elapsed.
    Tick(Timer),
    /// After [`Effect::Passivate`]: every input that was sent before has been handled, and no command or subscriber
    /// will follow.
    Drained,
    /// The machine panicked over the last input.
    Panicked,
    /// Another conversation needs the place: passivate as if unused for long, unless busy.
    Passivate,
}

/// Something that the driver does for the machine, in the order in which effects are given.
#[derive(Debug)]
pub enum Effect {
    /// Hand these events to the journal. The driver answers at once, before any other input, with [`Input::Queued`] or
    /// [`Input::QueueFull`]; if it was queued, later with `Committed`, `Rejected` or `AppendFailed`.
    Append(AppendEvents),
    /// Store nothing more of this epoch.
    AbortEpoch(EpochNumber),
    /// Read a [`LoadedState`]; answered with [`Input::Loaded`].
    Load(LoadQuery),
    /// Read the stored version; answered with [`Input::VersionRead`].
    ReadVersion,
    /// Look for a send in the database; answered with [`Input::SendFound`].
    FindSend {
        /// Which lookup.
        lookup: Lookup,
        /// Of which send.
        key: IdempotencyKey,
    },
    /// Answer a command.
    Reply(Responder, Result<Outcome, CommandError>),
    /// Announce events to all subscribers of this server.
    Publish(Publication),
    /// Read what these subscribers have missed; answered with [`Input::BacklogsRead`].
    ReadBacklogs(Vec<SubscriberId>),
    /// The subscriber begins with this backlog: it receives what is published from here on. On an error it does not
    /// begin.
    Attach(SubscriberId, Result<Backlog, CommandError>),
    /// Give [`Input::Tick`] after this time.
    SetTimer(Timer, Duration),
    /// Take the machine out of the registry, so that nothing more is sent to it, then give [`Input::Drained`]. Commands
    /// and subscribers that arrive from here on are forwarded to the conversation's next machine.
    Passivate,
    /// The machine has ended.
    Stop,
}

/// Events of one conversation, stored together or not at all.
#[derive(Clone, Debug)]
pub struct AppendEvents {
    /// The speculation that they belong to.
    pub epoch: EpochNumber,
    /// The stored version that they follow; 0 creates the conversation.
    pub expected_version: i64,
    /// Not empty, in order.
    pub events: Arc<[Event]>,
    /// The state after them.
    pub state: Arc<Conversation>,
}

/// What to load.
#[derive(Clone, Debug)]
pub struct LoadQuery {
    /// Sends to look for, in any conversation.
    pub keys: Vec<IdempotencyKey>,
    /// Events to read as well.
    pub events: Option<EventsAfter>,
}

/// The events after a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsAfter {
    /// Not that one, the next.
    pub position: i64,
    /// At most so many, the newest.
    pub limit: i64,
}

/// What is stored. The state is read first: up to its version the events are complete, but for the limit.
#[derive(Clone, Debug)]
pub struct LoadedState {
    /// `None` if there is no conversation.
    pub conversation: Option<Conversation>,
    /// Those of the sends that are stored.
    pub sends: Vec<StoredSend>,
    /// Up to the state's version, in order.
    pub events: Vec<Event>,
}

/// A send that is stored, and its conversation as of now.
#[derive(Clone, Debug)]
pub struct StoredSend {
    /// Its key.
    pub key: IdempotencyKey,
    /// The message.
    pub message: Posted,
    /// The conversation.
    pub conversation: Conversation,
}

impl From<StoredSend> for CachedSend {
    fn from(StoredSend { message, conversation, .. }: StoredSend) -> Self {
        Self::new(Arc::new(message), &conversation)
    }
}

/// Events to announce, and the state that they led to.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The state after the events, or a later one.
    pub conversation: Arc<Conversation>,
    events: Arc<[Event]>,
    /// So many of the events have been published before.
    published: usize,
}

impl Publication {
    /// Those of `events` that follow `position`; `None` if there are none.
    pub(super) fn after(position: i64, conversation: &Arc<Conversation>, events: &Arc<[Event]>) -> Option<Self> {
        let published = events.partition_point(|event| event.position <= position);
        (published < events.len()).then(|| Self {
            conversation: Arc::clone(conversation),
            events: Arc::clone(events),
            published,
        })
    }

    /// The events, in order, not empty.
    pub fn events(&self) -> &[Event] {
        self.events.get(self.published..).unwrap_or_default()
    }
}

/// What a machine takes from outside at the time it decides: both are part of what happens, so a simulation supplies
/// them.
pub trait ClockAndIds {
    /// The time of events, in whole milliseconds.
    fn timestamp(&self) -> Timestamp;
    /// A new id.
    fn event_id(&self) -> EventId;
}

/// Effects in order. The buffer is reused, so that a command allocates nothing here.
#[derive(Debug, Default)]
pub struct Effects(Vec<Effect>);

impl Effects {
    pub(super) fn push(&mut self, effect: Effect) {
        self.0.push(effect);
    }

    /// Gives memory back that a burst of effects has taken. Most inputs have a handful.
    pub fn shrink(&mut self) {
        const USUAL: usize = 16;
        if self.0.capacity() > 4 * USUAL {
            self.0.shrink_to(USUAL);
        }
    }

    /// Takes them out, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect> + '_ {
        self.0.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_and_effects_are_small_enough_to_be_moved_for_every_command() {
        assert_eq!(size_of::<Input>(), size_of::<(Command, Responder)>());
        assert!(size_of::<Effect>() <= 64, "{}", size_of::<Effect>());
    }
}
