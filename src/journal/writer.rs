//! The task that commits batch after batch.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::batch::{Batch, gather};
use super::tally::Counters;
use super::{Append, AppendOutcome, Intake, postgres, sqlite};
use crate::database::{Backend, Database, DatabaseError};
use crate::domain::ConversationId;

/// How often a transaction is tried again that lost a race for a `client_message_id`. Each such race needs one sender
/// who uses one id in two conversations at one moment; a second try sees the winner.
const KEY_RACE_RETRIES: usize = 3;

/// Commits what comes in until every [`super::Journal`] is gone.
pub(super) async fn run(
    database: Database,
    mut intake: mpsc::Receiver<Intake>,
    batch_limit: usize,
    counters: Arc<Counters>,
) {
    let mut received = Vec::new();
    let mut waiting = VecDeque::new();
    while intake.recv_many(&mut received, batch_limit).await > 0 {
        for item in received.drain(..) {
            match item {
                Intake::Append(append) => waiting.push_back(append),
                Intake::Flush(done) => {
                    commit_all(&database, &mut waiting, batch_limit, &counters).await;
                    // Nobody waits any more, where this fails.
                    let _ = done.send(());
                }
            }
        }
        commit_all(&database, &mut waiting, batch_limit, &counters).await;
    }
}

async fn commit_all(database: &Database, waiting: &mut VecDeque<Append>, batch_limit: usize, counters: &Counters) {
    while !waiting.is_empty() {
        let mut batch = gather(waiting, batch_limit);
        for append in std::mem::take(&mut batch.broken) {
            (append.done)(AppendOutcome::Conflict);
        }
        if !batch.parts.is_empty() {
            let outcome = commit(database, &batch).await;
            report(batch, outcome, counters);
        }
    }
}

/// The conversations whose part is stored.
type Stored = HashSet<ConversationId>;

async fn commit(database: &Database, batch: &Batch) -> Result<Stored, DatabaseError> {
    let mut tries = 0;
    loop {
        let outcome = within(database.timeout(), async {
            match database.backend() {
                Backend::Postgres => postgres::commit(database.writes(), batch).await,
                Backend::Sqlite => sqlite::commit(database.writes(), batch).await,
            }
        })
        .await;
        match outcome {
            Err(DatabaseError::Conflict(_)) if tries < KEY_RACE_RETRIES => tries += 1,
            other => return other,
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
    timeout(limit, work).await.unwrap_or(Err(DatabaseError::TimedOut(limit)))
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
                append.lineage.break_off();
            }
            (append.done)(outcome.clone());
        }
    }
}
