//! The simulated journal of one server: what its machines append is committed batch after batch, and reported.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::script::Fault;
use super::server::SlotId;
use super::world::{Happening, World};
use crate::conversation::core::{AppendEvents, EpochNumber, Input};
use crate::domain::Event;

/// Appends that may wait.
const CAPACITY: usize = 16;

#[derive(Default)]
pub(super) struct Journal {
    queue: VecDeque<(SlotId, AppendEvents)>,
    batch: Option<Batch>,
    aborted: BTreeSet<(SlotId, EpochNumber)>,
}

/// Appends of one epoch that are stored together or not at all.
pub(super) struct Batch {
    appends: Vec<(SlotId, AppendEvents)>,
    fate: Fate,
}

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is given to the database, whose answer is reported.
    Answered,
    /// It takes effect, if the fence lets it, and is reported failed.
    Lost,
    /// It takes no effect and is reported failed.
    Failed,
    /// It is reported failed and given to the database later.
    Late,
    /// The database has stored it.
    Stored,
    /// The database has refused it.
    Fenced,
}

impl Journal {
    pub(super) fn abort(&mut self, slot: SlotId, epoch: EpochNumber) {
        self.aborted.insert((slot, epoch));
    }
}

impl World {
    /// A machine hands in an append.
    pub(super) fn append(&mut self, slot: SlotId, append: AppendEvents) -> Input {
        let server = self.slots[slot].server;
        let is_full = self.servers[server].journal.queue.len() >= CAPACITY
            || (self.strikes(Fault::FullQueues) && self.chance(1, 15));
        if is_full {
            return Input::QueueFull;
        }
        self.servers[server].journal.queue.push_back((slot, append));
        self.begin_commit(server);
        Input::Queued
    }

    fn begin_commit(&mut self, server: usize) {
        let journal = &mut self.servers[server].journal;
        if journal.batch.is_some() {
            return;
        }
        let Some((slot, append)) = journal.queue.pop_front() else { return };
        let epoch = append.epoch;
        let mut appends = vec![(slot, append)];
        while journal.queue.front().is_some_and(|(next, append)| (*next, append.epoch) == (slot, epoch)) {
            appends.extend(journal.queue.pop_front());
        }
        let fate = if journal.aborted.contains(&(slot, epoch)) { Fate::Fenced } else { self.fate() };
        self.servers[server].journal.batch = Some(Batch { appends, fate });
        let life = self.servers[server].life;
        let pause = self.commit_time();
        self.later(pause, Happening::CommitArrives(server, life));
    }

    fn fate(&mut self) -> Fate {
        let fates =
            [(Fault::LostAnswers, Fate::Lost), (Fault::FailedCommits, Fate::Failed), (Fault::LateCommits, Fate::Late)];
        for (fault, fate) in fates {
            if self.strikes(fault) && self.chance(1, 12) {
                return fate;
            }
        }
        Fate::Answered
    }

    /// The batch reaches the database.
    pub(super) fn commit_arrives(&mut self, server: usize, life: u64) {
        if self.servers[server].life != life {
            return;
        }
        let Some(mut batch) = self.servers[server].journal.batch.take() else { return };
        if matches!(batch.fate, Fate::Answered | Fate::Lost) {
            let is_stored = self.store(&batch);
            if batch.fate == Fate::Answered {
                batch.fate = if is_stored { Fate::Stored } else { Fate::Fenced };
            }
        }
        self.note(|| format!("server {server}: commit {:?}: {:?}", positions(&batch), batch.fate));
        self.servers[server].journal.batch = Some(batch);
        let pause = self.commit_time();
        self.later(pause, Happening::CommitReported(server, life));
    }

    fn store(&mut self, batch: &Batch) -> bool {
        let Some((_, first)) = batch.appends.first() else { return false };
        let Some((_, last)) = batch.appends.last() else { return false };
        let events: Vec<Event> = batch.appends.iter().flat_map(|(_, append)| append.events.iter().cloned()).collect();
        self.database.store(first.expected_version, &events, &Arc::clone(&last.state))
    }

    /// The machines hear what came of the batch.
    pub(super) fn commit_reported(&mut self, server: usize, life: u64) {
        if self.servers[server].life != life {
            return;
        }
        let Some(batch) = self.servers[server].journal.batch.take() else { return };
        for (slot, append) in &batch.appends {
            let (epoch, version) = (append.epoch, append.state.version);
            let input = match batch.fate {
                Fate::Stored => Input::Committed { epoch, version },
                Fate::Fenced | Fate::Answered => Input::Rejected { epoch },
                Fate::Lost | Fate::Failed | Fate::Late => Input::AppendFailed { epoch },
            };
            if batch.fate != Fate::Stored {
                self.servers[server].journal.abort(*slot, epoch);
            }
            if matches!(batch.fate, Fate::Lost | Fate::Late) {
                let ids = append.events.iter().map(|event| event.id);
                self.servers[server].in_doubt.extend(ids);
            }
            self.send(*slot, input);
        }
        if batch.fate == Fate::Late {
            let pause = self.number(1_000, 600_000);
            self.later(pause, Happening::LateCommit(batch));
        }
        self.begin_commit(server);
    }

    /// A batch that was reported failed, or whose server has crashed, reaches the database after all.
    pub(super) fn late_commit(&mut self, batch: &Batch) {
        let is_stored = self.store(batch);
        self.note(|| format!("late commit {:?}: {}", positions(batch), if is_stored { "stored" } else { "refused" }));
    }

    /// What the journal of a crashing server had sent may still arrive.
    pub(super) fn crash_journal(&mut self, server: usize) {
        let journal = std::mem::take(&mut self.servers[server].journal);
        if let Some(batch) = journal.batch
            && matches!(batch.fate, Fate::Answered | Fate::Lost)
            && self.chance(1, 2)
        {
            let pause = self.number(0, 20_000);
            self.later(pause, Happening::LateCommit(batch));
        }
    }
}

fn positions(batch: &Batch) -> Vec<i64> {
    batch.appends.iter().flat_map(|(_, append)| append.events.iter().map(|event| event.position)).collect()
}
