//! The task that commits one batch after another.

use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join;
use tokio::sync::mpsc;

use super::batch::{Batch, ConversationBatch, gather};
use super::portable::SharedCounters;
use super::postgres::ConnectionCache;
use super::stats::StatsCounter;
use super::{Append, AppendOutcome, QueueItem, portable, postgres};
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::ConversationId;

/// How often a transaction is repeated that was rolled back because of another server's. That takes one sender who uses
/// one `client_message_id` in two conversations at once; the second attempt sees the other message.
const CONFLICT_RETRIES: usize = 3;

/// Transactions that commit the parts of one batch at most; what is left then fails. One conversation of 1024 that cannot
/// be stored takes 20.
const MAX_PARTS: usize = 64;

/// Commits what is queued until every [`super::Journal`] is dropped.
pub(super) async fn run(
    database: Database,
    mut queue: mpsc::Receiver<QueueItem>,
    batch_limit: usize,
    stats: Arc<StatsCounter>,
    counters: SharedCounters,
) {
    let connection = ConnectionCache::default();
    let mut writer = Writer { database, batch_limit, stats, counters, connection, unreported: None };
    let mut received = Vec::new();
    let mut waiting = VecDeque::new();
    loop {
        if queue.is_empty() {
            writer.report_last();
        }
        if queue.recv_many(&mut received, batch_limit).await == 0 {
            break;
        }
        for item in received.drain(..) {
            match item {
                QueueItem::Append(append) => waiting.push_back(append),
                QueueItem::Flush(done) => {
                    writer.commit_all(&mut waiting).await;
                    writer.report_last();
                    // An error means that the caller no longer waits.
                    let _ = done.send(());
                }
            }
        }
        writer.commit_all(&mut waiting).await;
    }
}

/// Commits batches in sequence.
struct Writer {
    database: Database,
    batch_limit: usize,
    stats: Arc<StatsCounter>,
    counters: SharedCounters,
    connection: ConnectionCache,
    /// The last batch that was committed, not yet reported. It is reported while the database works on the next batch,
    /// or at once if there is none: waking many actors takes as long as a tenth of a commit.
    unreported: Option<(Batch, CommittedIds)>,
}

impl Writer {
    async fn commit_all(&mut self, waiting: &mut VecDeque<Append>) {
        while !waiting.is_empty() {
            let mut batch = gather(waiting, self.batch_limit);
            for append in std::mem::take(&mut batch.aborted) {
                append.done.complete(AppendOutcome::Conflict);
            }
            for batch in split(self.database.backend(), batch) {
                if !batch.conversations.is_empty() {
                    self.commit(batch).await;
                }
            }
        }
    }

    async fn commit(&mut self, batch: Batch) {
        let previous = self.unreported.take();
        let report_previous = async {
            if let Some((batch, committed)) = previous {
                report(batch, Ok(committed), &self.stats);
            }
        };
        // The commit is polled first, so that the database has the statement before the report begins.
        let commit = commit(&self.database, &mut self.connection, &batch, &self.counters);
        let (outcome, ()) = join(commit, report_previous).await;
        match outcome {
            Ok(committed) if committed.len() == batch.conversations.len() => {
                self.stats.observe::<()>(&Ok(()));
                self.unreported = Some((batch, committed));
            }
            Err(error) if error.may_be_caused_by_data() && batch.conversations.len() > 1 => {
                tracing::warn!(%error, conversations = batch.conversations.len(), "a commit failed; committing in parts");
                self.commit_in_parts(batch, error).await;
            }
            // At once: what was decided on a failed append must not get into the next batch.
            outcome => report(batch, outcome, &self.stats),
        }
    }

    /// Commits the two halves of a batch that failed, and the halves of those that fail, until the conversation that
    /// cannot be stored is alone. Each transaction is reported at once.
    async fn commit_in_parts(&mut self, batch: Batch, mut error: DatabaseError) {
        let mut parts = Vec::from(batch.halves());
        for _ in 0..MAX_PARTS {
            let Some(part) = parts.pop() else { return };
            let outcome = commit(&self.database, &mut self.connection, &part, &self.counters).await;
            match outcome {
                Err(again) if again.may_be_caused_by_data() && part.conversations.len() > 1 => {
                    error = again;
                    parts.extend(part.halves());
                }
                Err(other) if !other.may_be_caused_by_data() => {
                    // No other part would fare better now.
                    report(part, Err(other.clone()), &self.stats);
                    error = other;
                    break;
                }
                outcome => report(part, outcome, &self.stats),
            }
        }
        for part in parts {
            report(part, Err(error.clone()), &self.stats);
        }
    }

    /// Reports the last committed batch, if it is not reported yet.
    fn report_last(&mut self) {
        if let Some((batch, committed)) = self.unreported.take() {
            report(batch, Ok(committed), &self.stats);
        }
    }
}

/// SQLite commits everything in one transaction. On PostgreSQL, conversations that write further tables get a
/// transaction of their own, so that the many messages still go in one statement.
fn split(backend: Backend, batch: Batch) -> Vec<Batch> {
    match backend {
        Backend::Sqlite => vec![batch],
        Backend::Postgres => batch.split().into(),
    }
}

/// The conversations of a batch that were committed.
type CommittedIds = HashSet<ConversationId>;

async fn commit(
    database: &Database,
    connection: &mut ConnectionCache,
    batch: &Batch,
    counters: &SharedCounters,
) -> Result<CommittedIds, DatabaseError> {
    let is_plain =
        database.backend() == Backend::Postgres && batch.conversations.values().all(ConversationBatch::is_plain);
    let mut retries = 0;
    loop {
        let committed = AssertUnwindSafe(async {
            if is_plain {
                postgres::commit(database, connection, batch).await
            } else {
                portable::commit(database, batch, counters).await
            }
        });
        // A batch that panics must not stop the writer.
        let outcome = committed
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(DatabaseError::Fault("the writer panicked in a commit".to_owned())));
        match outcome {
            Err(DatabaseError::Conflict(_)) if retries < CONFLICT_RETRIES => retries += 1,
            other => return other,
        }
    }
}

/// Completes every append with its outcome. An epoch is aborted before its actor can append again.
fn report(batch: Batch, outcome: Result<CommittedIds, DatabaseError>, stats: &StatsCounter) {
    stats.observe(&outcome);
    if let Err(error) = &outcome {
        tracing::error!(%error, conversations = batch.conversations.len(), "a commit failed");
    }
    if let Ok(committed) = &outcome {
        // Before the callbacks: an actor that knows of its commit finds it counted.
        let stored = batch.conversations.iter().filter(|(conversation, _)| committed.contains(conversation));
        stats.count(stored.map(|(_, batch)| batch.appends.len()).sum());
    }
    for (conversation, batch) in batch.conversations {
        let outcome = match &outcome {
            Ok(committed) if committed.contains(&conversation) => AppendOutcome::Committed,
            Ok(_) => AppendOutcome::Conflict,
            Err(error) => AppendOutcome::Failed(error.clone()),
        };
        for append in batch.appends {
            if !matches!(outcome, AppendOutcome::Committed) {
                append.epoch.abort();
            }
            append.done.complete(outcome.clone());
        }
    }
}
