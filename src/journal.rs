//! Makes events durable: group commit, a version fence, one transaction for many conversations.
//!
//! A conversation actor appends its events and continues without waiting. A writer commits everything that was appended
//! while its previous transaction was in progress: there is no timer, no delay when idle, and larger batches under load.
//!
//! Invariants:
//! - The events of one conversation are committed in the order they were appended. From the first that is not committed,
//!   none of its [`Epoch`] is.
//! - Each conversation of a batch is fenced by `version = expected`: one that another server has written to is left out,
//!   and the rest of the batch commits.
//! - If a transaction fails, everything in it fails, and whether it is stored is unknown until the next load. If the data of
//!   one conversation may be the cause, the others are committed in parts without it.
//!
//! The journal does not interpret events: `event_codec` turns them into rows.

mod batch;
mod epoch;
mod portable;
mod postgres;
mod search_indexer;
mod stats;
mod writer;

#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::config::{JournalSettings, TicketSettings};
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId, Event};

pub(crate) use epoch::Epoch;
pub(crate) use stats::JournalStats;

use portable::SharedCounters;
use stats::StatsCounter;

/// Events of one conversation, stored together or not at all.
pub struct Append {
    /// The conversation.
    pub conversation: ConversationId,
    /// The speculation that the events belong to.
    pub epoch: Epoch,
    /// The stored version that the events follow; 0 creates the conversation.
    pub expected_version: i64,
    /// The events in order; not empty.
    pub events: Arc<[Event]>,
    /// The conversation's state after the last event.
    pub state: Arc<Conversation>,
    /// Called once with the outcome, on the writer's thread; must not block.
    pub done: Completion,
}

/// A callback for the outcome of an append, called exactly once whatever happens.
pub struct Completion(Option<Box<dyn FnOnce(AppendOutcome) + Send + Sync>>);

impl Completion {
    /// Calls `callback` with the outcome.
    pub fn new(callback: impl FnOnce(AppendOutcome) + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(callback)))
    }

    /// Drops the callback: the append was refused.
    fn disarm(mut self) {
        self.0 = None;
    }

    fn complete(mut self, outcome: AppendOutcome) {
        if let Some(callback) = self.0.take() {
            callback(outcome);
        }
    }
}

impl Drop for Completion {
    /// Reports an append that a writer dropped without an outcome, as one whose runtime stops does.
    fn drop(&mut self) {
        if let Some(callback) = self.0.take() {
            callback(AppendOutcome::Failed(DatabaseError::Unavailable("the journal's writer has stopped".to_owned())));
        }
    }
}

/// The outcome of an [`Append`].
#[derive(Clone, Debug)]
pub enum AppendOutcome {
    /// It is durable.
    Committed,
    /// It is not stored: another server wrote to the conversation, or a `client_message_id` in it is already used.
    Conflict,
    /// The transaction failed. Whether it is stored is unknown.
    Failed(DatabaseError),
}

/// The queue is full: the server accepts more than the database commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal's queue is full")]
pub struct QueueFull;

/// Passes events to the writers. Cheap to clone; all clones share the same writers.
#[derive(Clone, Debug)]
pub struct Journal {
    writers: Arc<[mpsc::Sender<QueueItem>]>,
    stats: Arc<StatsCounter>,
}

/// An item of a writer's queue.
enum QueueItem {
    Append(Append),
    /// Answered after everything in front of it has its outcome.
    Flush(oneshot::Sender<()>),
}

impl Journal {
    /// Starts the writers on the database's runtime.
    #[must_use]
    pub fn start(database: &Database, settings: &JournalSettings, tickets: &TicketSettings) -> Self {
        let stats = Arc::new(StatsCounter::default());
        let writers = (0..settings.writers)
            .map(|_| {
                let (sender, receiver) = mpsc::channel(settings.queue_capacity);
                database.runtime().spawn(writer::run(
                    database.clone(),
                    receiver,
                    settings.batch,
                    Arc::clone(&stats),
                    SharedCounters::new(&tickets.prefix),
                ));
                sender
            })
            .collect();
        Self { writers, stats }
    }

    /// Starts the background search indexer, if the database supports one.
    pub async fn start_search_indexer(&self, database: &Database) {
        search_indexer::start_search_indexer(database, Arc::clone(&self.stats)).await;
    }

    /// Queues events; [`Append::done`] is called with the outcome.
    ///
    /// # Errors
    /// [`QueueFull`] when `journal.queue_capacity` appends are already waiting. Nothing is queued then, and `done` is not
    /// called.
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

    /// Waits until everything appended so far has its outcome.
    pub async fn flush(&self) {
        for writer in self.writers.iter() {
            let (done, flushed) = oneshot::channel();
            if writer.send(QueueItem::Flush(done)).await.is_ok() {
                // An error means that the writer has stopped, and has failed everything in its queue.
                let _ = flushed.await;
            }
        }
    }

    /// Whether every writer is running. A stopped one never restarts: the process must be replaced.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.writers.iter().all(|writer| !writer.is_closed())
    }

    /// Whether the database has just been unable to store a commit, and none since.
    #[must_use]
    pub fn cannot_store(&self) -> bool {
        self.stats.cannot_store()
    }

    /// What all writers have committed since the start.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        self.stats.read()
    }

    /// A conversation's writer: always the same one, which keeps its appends in order.
    fn writer_of(&self, conversation: ConversationId) -> Option<&mpsc::Sender<QueueItem>> {
        let mut hasher = DefaultHasher::new();
        conversation.hash(&mut hasher);
        let writers = u64::try_from(self.writers.len()).ok()?;
        let index = usize::try_from(hasher.finish().checked_rem(writers)?).ok()?;
        self.writers.get(index)
    }
}
