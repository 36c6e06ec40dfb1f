//! What the machine does when its state is not what is stored (`architecture.md`, "A message, step by step", 6 and 7).
//!
//! - Another server wrote: the state is loaded, and the commands that are not answered are decided again, in order.
//!   Their callers do not notice.
//! - A commit failed, or the machine panicked: every command that is not answered fails and the state is dropped.
//!   Whether the events are stored is not known; the next load tells.
//!
//! Whatever a load finds after the watermark is published then, once and in order, before anything that is decided from
//! then on: events of another server, of a process that was killed, and our own that were in doubt.

use std::sync::Arc;
use std::time::Instant;

use super::{Machine, Step};
use crate::conversation::core::answer::{CachedSend, CommandError};
use crate::conversation::core::defect::Defect;
use crate::conversation::core::effect::{
    Effect, EpochNumber, EventsAfter, LoadQuery, LoadedState, Publication, StoredSend, Timer,
};
use crate::conversation::core::state::{CachedState, LoadInProgress, Speculation};
use crate::domain::{Conversation, Event};

/// How often a command is decided again before its caller is asked to retry.
const MOST_CONFLICTS: u32 = 100;

impl Machine {
    /// Loads the state, the sends that waiting commands may repeat, and what is not published yet.
    pub(super) fn load(&mut self, step: &mut Step<'_>) {
        let watermark = self.watermark.position();
        self.state = CachedState::Loading(LoadInProgress {
            commands: self.commands,
            watermark,
            follows_backlogs: self.subscribers.required_version().is_some(),
        });
        let position = watermark.or_else(|| self.in_doubt.first_position().map(|first| first - 1));
        let limit = self.limits.catch_up_events;
        step.push(Effect::Load(LoadQuery {
            keys: self.waiting.iter().filter_map(|pending| pending.command.idempotency_key()).collect(),
            events: position.map(|position| EventsAfter { position, limit }),
        }));
    }

    pub(super) fn loaded(&mut self, loaded: Result<Box<LoadedState>, CommandError>, step: &mut Step<'_>) {
        // Should this panic, no load is in progress any more.
        let CachedState::Loading(load) = std::mem::replace(&mut self.state, CachedState::Absent) else { return };
        match loaded {
            Ok(snapshot) => self.restore(*snapshot, load, step),
            Err(error) => {
                for pending in std::mem::take(&mut self.waiting) {
                    step.reply(pending.responder, Err(error.clone()));
                }
                self.subscribers.fail(&error, step.effects);
            }
        }
        self.schedule_in_doubt(step);
    }

    fn restore(&mut self, snapshot: LoadedState, load: LoadInProgress, step: &mut Step<'_>) {
        let LoadedState { conversation, sends, events } = snapshot;
        let conversation = conversation.map(Arc::new);
        self.catch_up(conversation.as_ref(), events, load, step.now);
        for StoredSend { key, message, conversation } in sends {
            self.idempotency_cache.insert(key, CachedSend::new(Arc::new(message), &conversation));
        }
        let epoch = self.next_epoch();
        self.state = CachedState::Loaded(Speculation::stored(conversation, load.commands, epoch));
        self.decide_waiting(step);
    }

    /// Has everything published that is stored and not published yet.
    fn catch_up(
        &mut self,
        conversation: Option<&Arc<Conversation>>,
        events: Vec<Event>,
        load: LoadInProgress,
        now: Instant,
    ) {
        let version = conversation.map_or(0, |conversation| conversation.version);
        let events: Arc<[Event]> = match self.watermark.position() {
            Some(_) => events.into(),
            None => self.in_doubt.since_first_own(events).into(),
        };
        // The load may have read events that are published already.
        let published = self.watermark.position().unwrap_or(0);
        // What was published is stored: a database that has less was restored from a backup, and continues from there.
        let was_restored = load.watermark.is_some_and(|watermark| version < watermark);
        let is_behind = self.watermark.position().is_none_or(|watermark| watermark < version);
        if was_restored || (is_behind && !self.defects.has(Defect::KeepWatermark)) {
            self.watermark.set(version);
        }
        if let Some(conversation) = conversation
            && !self.defects.has(Defect::DropFoundEvents)
            && let Some(publication) = Publication::after(published, conversation, &events)
        {
            self.subscribers.hold(publication);
        }
        if load.follows_backlogs {
            self.subscribers.limit_required_version(version);
        }
        self.in_doubt.resolve(version, self.limits.in_doubt, now);
    }

    pub(super) fn rejected(&mut self, epoch: EpochNumber, step: &mut Step<'_>) {
        let CachedState::Loaded(speculation) = &mut self.state else { return };
        if speculation.epoch != epoch {
            return;
        }
        if self.defects.has(Defect::AcceptRejected) {
            speculation.durable = speculation.version();
            self.release(step);
        } else {
            self.rebase(step);
        }
    }

    pub(super) fn append_failed(&mut self, epoch: EpochNumber, step: &mut Step<'_>) {
        let CachedState::Loaded(speculation) = &self.state else { return };
        if speculation.epoch != epoch {
            return;
        }
        if self.defects.has(Defect::KeepStateAfterFailure) {
            self.in_flight.fail(&CommandError::Unavailable, step.effects);
        } else {
            self.fail_in_flight(&CommandError::Unavailable, step);
        }
    }

    /// Another server wrote: loads, then decides again what is not answered.
    pub(super) fn rebase(&mut self, step: &mut Step<'_>) {
        let later = std::mem::take(&mut self.waiting);
        for pending in self.in_flight.take() {
            if pending.conflicts <= MOST_CONFLICTS {
                self.waiting.push_back(pending);
            } else {
                step.reply(pending.responder, Err(CommandError::Overloaded));
            }
        }
        if self.defects.has(Defect::DropOnRebase) {
            self.waiting.pop_front();
        }
        self.waiting.extend(later);
        self.idempotency_cache.clear();
        self.load(step);
    }

    /// Fails what is in flight and waiting, and looks for what may be stored of it.
    pub(super) fn fail_in_flight(&mut self, error: &CommandError, step: &mut Step<'_>) {
        if let CachedState::Loaded(speculation) = &self.state {
            step.push(Effect::AbortEpoch(speculation.epoch));
        }
        let mut in_doubt = self.in_flight.fail(error, step.effects);
        if let Some(queueing) = self.queueing.take() {
            in_doubt.extend_from_slice(&queueing.events);
            step.reply(queueing.pending.responder, Err(error.clone()));
        }
        for pending in std::mem::take(&mut self.waiting) {
            step.reply(pending.responder, Err(error.clone()));
        }
        if !self.defects.has(Defect::IgnoreInDoubt) {
            self.in_doubt.add(&in_doubt, step.now);
        }
        self.idempotency_cache.clear();
        // A load in progress will end, and there must not be a second one.
        if !matches!(self.state, CachedState::Loading(_)) {
            self.state = CachedState::Absent;
        }
        self.schedule_in_doubt(step);
    }

    /// Looks for events in doubt after a pause, unless a command causes a load before.
    fn schedule_in_doubt(&mut self, step: &mut Step<'_>) {
        if !self.in_doubt.is_empty()
            && let Some(pause) = self.in_doubt.schedule()
        {
            step.push(Effect::SetTimer(Timer::InDoubt, pause));
        }
    }

    pub(super) fn look_for_in_doubt(&mut self, step: &mut Step<'_>) {
        self.in_doubt.elapsed();
        if self.in_doubt.is_empty() || matches!(self.state, CachedState::Loading(_)) {
            return;
        }
        if self.in_flight.is_empty() {
            self.load(step);
        } else {
            // The journal is at work again; its answer comes first.
            self.schedule_in_doubt(step);
        }
    }
}
