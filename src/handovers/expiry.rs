//! Ends handovers that were not answered in time, whether or not an actor of their conversation runs.
//!
//! Every server looks for them and asks the conversation to end each. The conversation's version fence makes it happen
//! once: for all but one server the handover has ended already, which changes nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinHandle;

use crate::conversation::{Clock, CommandError, Registry};
use crate::database::{Database, DatabaseError};
use crate::domain::ExpireHandover;
use crate::store::{self, DueHandover};

/// How often a server looks for them. The query reads an index of the pending handovers only.
const INTERVAL: Duration = Duration::from_secs(1);

/// Handovers in one query.
const PAGE: u64 = 256;

/// Failures in a row after which a warning is logged again.
const FAILURES_PER_WARNING: u32 = 60;

/// The task that ends handovers. Dropped, it stops.
#[derive(Debug)]
pub(crate) struct HandoverExpiry(JoinHandle<()>);

impl HandoverExpiry {
    /// Starts ending handovers that are older than `expire_after`. Must be called in an actix system.
    pub(crate) fn start(
        registry: Arc<Registry>,
        database: Database,
        clock: Arc<dyn Clock>,
        expire_after: TimeDelta,
    ) -> Self {
        Self(actix_web::rt::spawn(async move {
            let sweep = Sweep { registry, database, clock, expire_after };
            let mut failures = 0_u32;
            loop {
                tokio::time::sleep(INTERVAL).await;
                match sweep.run().await {
                    Ok(()) => failures = 0,
                    Err(error) => {
                        if failures.is_multiple_of(FAILURES_PER_WARNING) {
                            tracing::warn!(%error, "handovers that are due to expire could not be read");
                        }
                        failures = failures.saturating_add(1);
                    }
                }
            }
        }))
    }
}

impl Drop for HandoverExpiry {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Sweep {
    registry: Arc<Registry>,
    database: Database,
    clock: Arc<dyn Clock>,
    expire_after: TimeDelta,
}

impl Sweep {
    /// Ends all that are due. One that fails is tried again by the next run, and holds up no other.
    async fn run(&self) -> Result<(), DatabaseError> {
        let before = self.clock.now() - self.expire_after;
        let mut last: Option<DueHandover> = None;
        loop {
            let due = store::due_handovers(&self.database, before, last.take(), PAGE).await?;
            for handover in &due {
                let expire = ExpireHandover { handover: handover.id };
                match self.registry.execute(handover.conversation, expire).await {
                    Ok(()) | Err(CommandError::Unavailable | CommandError::Overloaded) => {}
                    Err(error) => {
                        tracing::warn!(conversation = %handover.conversation, %error, "a handover could not be ended");
                    }
                }
            }
            if (due.len() as u64) < PAGE {
                return Ok(());
            }
            last = due.last().copied();
        }
    }
}
