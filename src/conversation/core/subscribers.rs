//! Subscribing in the middle of a conversation: a subscriber misses nothing and receives everything once, in order.
//!
//! A subscriber receives an event when the machine publishes it. One that joins later reads from the database what it
//! has missed, its backlog; but between that read and its first live event something could be published to others. So
//! the machine, which alone publishes, records what it publishes during the read, and then attaches the subscriber with
//! what it has read, followed by what it has not read of that. Publishing does not wait for the read, unless more is
//! published than is recorded: then the rest is held until the read ends. Subscribers that join at the same time read
//! together, a batch at a time.
//!
//! A subscriber may have read more than is published so far: an event of ours whose commit is not reported yet, or one
//! of another server. It is attached when everything it has read is published, so that it receives nothing twice;
//! events of another server are loaded for that.

use std::collections::VecDeque;
use std::sync::Arc;

use super::answer::CommandError;
use super::defect::{Defect, Defects};
use super::effect::{Backlog, Effect, Effects, Publication, SubscriberId};
use crate::domain::{Conversation, Event, Posted};

/// Subscribers that read at the same time.
const BATCH: usize = 32;

/// Events that are recorded for them while they read.
const RECORDED: usize = 64;

/// Subscribers that are not attached yet.
#[derive(Debug, Default)]
pub(super) struct PendingSubscribers {
    /// Each with the version that it knows.
    waiting: VecDeque<(SubscriberId, i64)>,
    reading: Option<Reading>,
    read: Option<ReadBatch>,
    recorded: Recorded,
    /// Events that a load has found; they are published before any event that is decided later.
    held: Vec<Publication>,
}

/// A batch that is reading.
#[derive(Debug)]
struct Reading {
    /// The latest version that one of them knows.
    version: i64,
}

/// A batch that has read and is to be attached.
#[derive(Debug)]
struct ReadBatch {
    backlogs: Vec<(SubscriberId, Result<Vec<Posted>, CommandError>)>,
    /// Everything up to this position must be published first.
    required_version: i64,
}

/// Events published from the start of a batch's read until it is attached.
#[derive(Debug, Default)]
struct Recorded {
    events: Vec<Event>,
    conversation: Option<Arc<Conversation>>,
}

impl Recorded {
    fn complete(&self, mut messages: Vec<Posted>, defects: Defects) -> Backlog {
        // A backlog is complete up to its last message, but its oldest messages may be left out.
        let mut last = messages.last().map_or(0, |posted| posted.position);
        if defects.has(Defect::DuplicateBacklog) {
            last = 0;
        }
        if !defects.has(Defect::IncompleteBacklog) {
            messages.extend(self.events.iter().filter_map(Event::posted).filter(|posted| posted.position > last));
        }
        Backlog { messages, conversation: self.conversation.clone() }
    }
}

impl PendingSubscribers {
    /// Whether nothing more may be published until the batch has read.
    pub(super) fn is_full(&self) -> bool {
        self.reading.is_some() && self.recorded.events.len() >= RECORDED
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reading.is_none() && self.read.is_none() && self.waiting.is_empty() && self.held.is_empty()
    }

    /// Adds one, unless `limit` are waiting.
    pub(super) fn add(&mut self, subscriber: SubscriberId, version: i64, limit: usize, effects: &mut Effects) {
        if self.waiting.len() >= limit {
            effects.push(Effect::Attach(subscriber, Err(CommandError::Overloaded)));
        } else {
            self.waiting.push_back((subscriber, version));
        }
    }

    /// The version that the first of the next batch knows, if that batch can read now.
    pub(super) fn next_version(&self) -> Option<i64> {
        if self.reading.is_some() || self.read.is_some() {
            return None;
        }
        self.waiting.front().map(|(_, version)| *version)
    }

    pub(super) fn begin_read(&mut self, effects: &mut Effects) {
        let batch = self.waiting.len().min(BATCH);
        let batch: Vec<(SubscriberId, i64)> = self.waiting.drain(..batch).collect();
        let version = batch.iter().map(|(_, version)| *version).max().unwrap_or(0);
        self.reading = Some(Reading { version });
        effects.push(Effect::ReadBacklogs(batch.into_iter().map(|(subscriber, _)| subscriber).collect()));
    }

    pub(super) fn end_read(&mut self, backlogs: Vec<(SubscriberId, Result<Vec<Posted>, CommandError>)>) {
        let version = self.reading.take().map_or(0, |reading| reading.version);
        let read = backlogs.iter().filter_map(|(_, backlog)| backlog.as_ref().ok()?.last());
        let last = read.map(|posted| posted.position).max().unwrap_or(0);
        self.read = Some(ReadBatch { backlogs, required_version: last.max(version) });
    }

    /// What must be published before the batch that has read is attached; `None` if there is no such batch.
    pub(super) fn required_version(&self) -> Option<i64> {
        self.read.as_ref().map(|batch| batch.required_version)
    }

    /// A load that began after the batch had read has found no later version, so a subscriber that claims one must not
    /// wait for it.
    pub(super) fn limit_required_version(&mut self, version: i64) {
        if let Some(batch) = &mut self.read {
            batch.required_version = batch.required_version.min(version);
        }
    }

    /// Attaches the batch that has read.
    pub(super) fn attach(&mut self, defects: Defects, effects: &mut Effects) {
        let recorded = std::mem::take(&mut self.recorded);
        for (subscriber, backlog) in self.read.take().into_iter().flat_map(|batch| batch.backlogs) {
            let backlog = backlog.map(|messages| recorded.complete(messages, defects));
            effects.push(Effect::Attach(subscriber, backlog));
        }
    }

    /// The batch that has read cannot be attached: what it waits for could not be loaded.
    pub(super) fn fail(&mut self, error: &CommandError, effects: &mut Effects) {
        let Some(batch) = self.read.take() else { return };
        self.recorded = Recorded::default();
        for (subscriber, _) in batch.backlogs {
            effects.push(Effect::Attach(subscriber, Err(error.clone())));
        }
    }

    /// Records a publication for the batch.
    pub(super) fn record(&mut self, publication: &Publication) {
        if self.reading.is_some() || self.read.is_some() {
            self.recorded.events.extend_from_slice(publication.events());
            self.recorded.conversation = Some(Arc::clone(&publication.conversation));
        }
    }

    /// Holds events that a load has found until they may be published.
    pub(super) fn hold(&mut self, publication: Publication) {
        self.held.push(publication);
    }

    pub(super) fn take_held(&mut self) -> Vec<Publication> {
        std::mem::take(&mut self.held)
    }
}
