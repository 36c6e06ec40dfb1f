//! The task that commits batch after batch.

use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join;
use tokio::sync::mpsc;

use super::batch::{Batch, ConversationBatch, gather};
use super::portable::Numbering;
use super::postgres::KeptConnection;
use super::stats::Counters;
use super::{Append, AppendOutcome, QueueItem, portable, postgres};
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::ConversationId;

/// How often a transaction is tried again that lost a race against another server's and was rolled back for it: for a
/// `client_message_id`, which needs one sender who uses one id in two conversations at one moment; a second try sees
/// the winner.
const RACE_RETRIES: usize = 3;

/// Commits what comes in until every [`super::Journal`] is gone.
pub(super) async fn run(
    database: Database,
    mut queue: mpsc::Receiver<QueueItem>,
    batch_limit: usize,
    counters: Arc<Counters>,
    numbering: Numbering,
) {
    let mut writer =
        Writer { database, batch_limit, counters, numbering, kept: KeptConnection::default(), untold: None };
    let mut received = Vec::new();
    let mut waiting = VecDeque::new();
    loop {
        if queue.is_empty() {
            writer.tell();
        }
        if queue.recv_many(&mut received, batch_limit).await == 0 {
            break;
        }
        for item in received.drain(..) {
            match item {
                QueueItem::Append(append) => waiting.push_back(append),
                QueueItem::Flush(done) => {
                    writer.commit_all(&mut waiting).await;
                    writer.tell();
                    // Nobody waits any more, where this fails.
                    let _ = done.send(());
                }
            }
        }
        writer.commit_all(&mut waiting).await;
    }
}

/// What commits, one batch after the other.
struct Writer {
    database: Database,
    batch_limit: usize,
    counters: Arc<Counters>,
    numbering: Numbering,
    kept: KeptConnection,
    /// What was stored last, of which nobody has been told yet: they are told while the database is at work on the next
    /// batch, or at once where there is none. To wake a crowd takes as long as a tenth of a commit.
    untold: Option<(Batch, Stored)>,
}

impl Writer {
    async fn commit_all(&mut self, waiting: &mut VecDeque<Append>) {
        while !waiting.is_empty() {
            let mut batch = gather(waiting, self.batch_limit);
            for append in std::mem::take(&mut batch.broken) {
                append.done.tell(AppendOutcome::Conflict);
            }
            for batch in split(self.database.backend(), batch) {
                if !batch.parts.is_empty() {
                    self.commit(batch).await;
                }
            }
        }
    }

    async fn commit(&mut self, batch: Batch) {
        let before = self.untold.take();
        let telling = async {
            if let Some((batch, stored)) = before {
                report(batch, Ok(stored), &self.counters);
            }
        };
        // The commit first: the database has it then.
        let (outcome, ()) = join(commit(&self.database, &mut self.kept, &batch, &self.numbering), telling).await;
        match outcome {
            Ok(stored) if stored.len() == batch.parts.len() => self.untold = Some((batch, stored)),
            // At once: what rests on what came to nothing must not be gathered.
            outcome => report(batch, outcome, &self.counters),
        }
    }

    /// Tells of what was stored last.
    fn tell(&mut self) {
        if let Some((batch, stored)) = self.untold.take() {
            report(batch, Ok(stored), &self.counters);
        }
    }
}

/// SQLite takes all in one transaction. On PostgreSQL what touches further tables goes by itself, so that the many
/// messages beside it still go in one statement.
fn split(backend: Backend, batch: Batch) -> Vec<Batch> {
    match backend {
        Backend::Sqlite => vec![batch],
        Backend::Postgres => batch.split().into(),
    }
}

/// The conversations whose part is stored.
type Stored = HashSet<ConversationId>;

async fn commit(
    database: &Database,
    kept: &mut KeptConnection,
    batch: &Batch,
    numbering: &Numbering,
) -> Result<Stored, DatabaseError> {
    let is_plain = database.backend() == Backend::Postgres && batch.parts.values().all(ConversationBatch::is_plain);
    let mut tries = 0;
    loop {
        let committed = AssertUnwindSafe(async {
            if is_plain {
                postgres::commit(database, kept, batch).await
            } else {
                portable::commit(database, batch, numbering).await
            }
        });
        // A batch that panics must not take the writer with it.
        let outcome = committed
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(DatabaseError::Fault("the writer panicked over a batch".to_owned())));
        match outcome {
            Err(DatabaseError::Conflict(_)) if tries < RACE_RETRIES => tries += 1,
            other => return other,
        }
    }
}

/// Tells each caller what came of theirs. A lineage is broken before anything of it can be handed in again.
fn report(batch: Batch, outcome: Result<Stored, DatabaseError>, counters: &Counters) {
    if let Err(error) = &outcome {
        tracing::error!(%error, conversations = batch.parts.len(), "a commit failed");
    }
    if let Ok(stored) = &outcome {
        // Before anybody hears of it, so that who heard finds it counted.
        let parts = batch.parts.iter().filter(|(conversation, _)| stored.contains(conversation));
        counters.committed(parts.map(|(_, part)| part.appends.len()).sum());
    }
    for (conversation, part) in batch.parts {
        let outcome = match &outcome {
            Ok(stored) if stored.contains(&conversation) => AppendOutcome::Committed,
            Ok(_) => AppendOutcome::Conflict,
            Err(error) => AppendOutcome::Failed(error.clone()),
        };
        for append in part.appends {
            if !matches!(outcome, AppendOutcome::Committed) {
                append.epoch.abort();
            }
            append.done.tell(outcome.clone());
        }
    }
}
