//! Makes events durable: group commit, a version fence, one transaction for many conversations.
//!
//! Conversation actors hand their events in and go on; a writer gathers what came while its last transaction was under
//! way and commits it as one: no timer, no waiting when idle, larger batches under load. Every conversation's part is
//! fenced by `version = expected`: a part that another server overtook is left out, the rest commits. A transaction
//! that fails fails all that was in it, and whether it happened is then unknown: the next load tells.
//!
//! What always holds: the events of one conversation are committed in the order in which they were handed in, or from
//! some event on not at all ([`Epoch`]). What an event means is not looked at here.

mod batch;
mod epoch;
mod portable;
mod postgres;
mod search_indexer;
mod stats;
mod writer;

#[cfg(test)]
mod journal_tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::config::{JournalSettings, TicketSettings};
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId, Event};

pub use epoch::Epoch;
pub use stats::Tally;

use portable::Numbering;
use stats::Counters;

/// Events of one conversation, to be stored together or not at all.
pub struct Append {
    /// Whose events.
    pub conversation: ConversationId,
    /// The speculation that they belong to.
    pub epoch: Epoch,
    /// The position behind which they stand; 0 makes the conversation.
    pub expected_version: i64,
    /// What happened, in order, not empty.
    pub events: Arc<[Event]>,
    /// The conversation's state behind the last of them.
    pub state: Arc<Conversation>,
    /// Called once, on the writer's thread, when it is known what came of it; must not block.
    pub done: Completion,
}

/// Tells a caller what came of an append: whatever happens, once.
pub struct Completion(Option<Box<dyn FnOnce(AppendOutcome) + Send + Sync>>);

impl Completion {
    /// Will call this.
    pub fn new(tell: impl FnOnce(AppendOutcome) + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }

    /// Will call nothing: the append was not taken.
    fn disarm(mut self) {
        self.0 = None;
    }

    fn tell(mut self, outcome: AppendOutcome) {
        if let Some(tell) = self.0.take() {
            tell(outcome);
        }
    }
}

impl Drop for Completion {
    /// A writer that is gone has told nobody what it knew.
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(AppendOutcome::Failed(DatabaseError::Unavailable("the journal's writer is gone".to_owned())));
        }
    }
}

/// What came of an [`Append`].
#[derive(Clone, Debug)]
pub enum AppendOutcome {
    /// It is stored, and survives the server's death.
    Committed,
    /// It is not stored: another wrote to the conversation, or one of its `client_message_id`s is taken already.
    Conflict,
    /// The transaction failed; whether it is stored is not known.
    Failed(DatabaseError),
}

/// The queue is full: the server takes in more than the database takes off it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal's queue is full")]
pub struct QueueFull;

/// Hands events to the writers. Cheap to clone; all clones share the same writers.
#[derive(Clone, Debug)]
pub struct Journal {
    writers: Arc<[mpsc::Sender<QueueItem>]>,
    counters: Arc<Counters>,
}

/// What a writer is given.
enum QueueItem {
    Append(Append),
    /// Answered when all that came before has been dealt with.
    Flush(oneshot::Sender<()>),
}

impl Journal {
    /// Starts the writers on the database's runtime.
    #[must_use]
    pub fn start(database: &Database, settings: &JournalSettings, tickets: &TicketSettings) -> Self {
        let counters = Arc::new(Counters::default());
        let writers = (0..settings.writers)
            .map(|_| {
                let (sender, receiver) = mpsc::channel(settings.queue_capacity);
                database.runtime().spawn(writer::run(
                    database.clone(),
                    receiver,
                    settings.batch,
                    Arc::clone(&counters),
                    Numbering::new(&tickets.prefix),
                ));
                sender
            })
            .collect();
        Self { writers, counters }
    }

    /// Starts to make findable what is written, behind what is written, where the database has an index for that.
    pub fn start_search_indexer(&self, database: &Database) {
        search_indexer::start_search_indexer(database, Arc::clone(&self.counters));
    }

    /// Hands in events; [`Append::done`] says what came of them.
    ///
    /// # Errors
    /// [`QueueFull`] when as many appends as `journal.queue_capacity` wait already; nothing is handed in then, and `done` is
    /// not called.
    pub fn append(&self, append: Append) -> Result<(), QueueFull> {
        let writer = self.writer_of(append.conversation).ok_or(QueueFull)?;
        match writer.try_send(QueueItem::Append(append)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(refused) | TrySendError::Closed(refused)) => {
                if let QueueItem::Append(append) = refused {
                    append.done.disarm();
                }
                Err(QueueFull)
            }
        }
    }

    /// Waits until all that was handed in so far has been dealt with.
    pub async fn flush(&self) {
        for writer in self.writers.iter() {
            let (done, dealt_with) = oneshot::channel();
            if writer.send(QueueItem::Flush(done)).await.is_ok() {
                // An error means that the writer is gone, and with it everything that it had.
                let _ = dealt_with.await;
            }
        }
    }

    /// Whether every writer is at work; one that is not never will be again, and the process must be replaced.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.writers.iter().all(|writer| !writer.is_closed())
    }

    /// What all writers have stored so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.counters.tally()
    }

    /// Always the same one for a conversation, so that its appends stay in order.
    fn writer_of(&self, conversation: ConversationId) -> Option<&mpsc::Sender<QueueItem>> {
        let mut hasher = DefaultHasher::new();
        conversation.hash(&mut hasher);
        let writers = u64::try_from(self.writers.len()).ok()?;
        let index = usize::try_from(hasher.finish().checked_rem(writers)?).ok()?;
        self.writers.get(index)
    }
}
