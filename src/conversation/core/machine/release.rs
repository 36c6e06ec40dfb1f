//! What leaves the machine: answers, publications, and the backlogs of subscribers.

use std::sync::Arc;

use super::{Machine, Step};
use crate::conversation::core::answer::CommandError;
use crate::conversation::core::defect::Defect;
use crate::conversation::core::effect::{Effect, EpochNumber, Publication, Timer};
use crate::conversation::core::in_flight::{Basis, InFlightCommand};
use crate::conversation::core::read_barrier::{VERSION_CHECK_DELAY, VersionCheck};
use crate::conversation::core::state::{CachedState, ReadIndex};
use crate::domain::{Channel, Conversation, Event};

impl Machine {
    /// Releases every answer whose basis is stored and confirmed, and publishes what has happened; nothing while
    /// subscribers that read their backlog must not miss more.
    pub(super) fn release(&mut self, step: &mut Step<'_>) {
        if self.subscribers.is_full() {
            return;
        }
        self.publish_held(step);
        let CachedState::Loaded(speculation) = &self.state else { return };
        let read_index = speculation.read_index;
        let durable = if self.defects.has(Defect::ReplyBeforeCommit) { i64::MAX } else { speculation.durable };
        while let Some(command) = self.in_flight.release(durable, read_index, self.defects) {
            self.answer(command, step);
        }
        self.idempotency_cache.trim(self.id, self.limits.idempotency_cache, durable);
        self.check_version_if_unconfirmed(step);
    }

    fn answer(&mut self, command: InFlightCommand, step: &mut Step<'_>) {
        let InFlightCommand { pending, outcome, basis, .. } = command;
        let outcome = match (outcome, &basis) {
            (Err(refusal), Basis::StateUnlessRepeated) if !self.defects.has(Defect::SkipSendLookup) => {
                if let Some(key) = pending.command.idempotency_key() {
                    self.send_lookups.begin(key, pending, refusal, step.effects);
                    return;
                }
                Err(refusal)
            }
            (outcome, _) => outcome,
        };
        let outcome = outcome.map_err(CommandError::Refused);
        match basis {
            // Apps of the help center rely on it: a message's event reaches its sender before the acknowledgement.
            Basis::Appended(events, state) if state.channel == Channel::HelpCenter => {
                self.publish_appended(&state, &events, step);
                step.reply(pending.responder, outcome);
            }
            // Elsewhere the caller does not wait until the event is on its way to everyone else.
            Basis::Appended(events, state) => {
                step.reply(pending.responder, outcome);
                self.publish_appended(&state, &events, step);
            }
            _ => step.reply(pending.responder, outcome),
        }
    }

    pub(super) fn committed(&mut self, epoch: EpochNumber, version: i64, step: &mut Step<'_>) {
        self.panic_if_defective(version.unsigned_abs());
        let CachedState::Loaded(speculation) = &mut self.state else { return };
        if speculation.epoch == epoch {
            speculation.durable = version;
            self.release(step);
        }
    }

    /// Publishes events of ours.
    pub(super) fn publish_appended(&mut self, state: &Arc<Conversation>, events: &Arc<[Event]>, step: &mut Step<'_>) {
        // A load may have published them already: it reads what is stored, whether or not we know of its commit yet.
        let published = self.watermark.position().unwrap_or(0);
        let Some(publication) = Publication::after(published, state, events) else { return };
        if let Some(last) = events.last()
            && !self.defects.has(Defect::KeepWatermark)
        {
            self.watermark.set(last.position);
        }
        self.publish(publication, step);
    }

    /// Publishes what a load has found.
    pub(super) fn publish_held(&mut self, step: &mut Step<'_>) {
        for publication in self.subscribers.take_held() {
            self.publish(publication, step);
        }
    }

    fn publish(&mut self, publication: Publication, step: &mut Step<'_>) {
        self.subscribers.record(&publication);
        step.push(Effect::Publish(publication));
    }

    /// Attaches the subscribers that have read, once everything that they have read is published, and lets the next
    /// ones read. Follows every input.
    pub(super) fn attach_subscribers(&mut self, step: &mut Step<'_>) {
        if let Some(required) = self.subscribers.required_version() {
            let is_published = self.watermark.position().is_some_and(|position| position >= required);
            if !is_published && !self.defects.has(Defect::AttachEarly) {
                // An append in flight may be what is missing.
                if !matches!(self.state, CachedState::Loading(_)) && !self.in_flight.has_appends() {
                    self.rebase(step);
                }
                return;
            }
            self.subscribers.attach(self.defects, step.effects);
        }
        let Some(version) = self.subscribers.next_version() else { return };
        // From the first subscriber on the watermark is known: what is stored while it reads is found after that
        // position. What is in flight or in doubt sets the watermark as soon as it ends.
        if self.watermark.position().is_none() {
            let is_quiet = !self.in_flight.has_appends() && self.in_doubt.is_empty();
            if matches!(self.state, CachedState::Loading(_)) || !is_quiet {
                return;
            }
            self.watermark.set(version);
        }
        self.subscribers.begin_read(step.effects);
    }

    /// Reads the stored version if an answer needs it: at once if nothing else is awaited; next to an append in flight
    /// a little later, so that one check serves all who ask at the same time.
    fn check_version_if_unconfirmed(&mut self, step: &mut Step<'_>) {
        let CachedState::Loaded(speculation) = &self.state else { return };
        let Some(last) = self.in_flight.last_unconfirmed(speculation.read_index) else { return };
        if self.version_checks.is_in_progress() {
            return;
        }
        if !self.in_flight.has_appends() {
            self.check_version(step);
        } else if self.version_checks.schedule(speculation.epoch, last) {
            step.push(Effect::SetTimer(Timer::VersionCheck, VERSION_CHECK_DELAY));
        }
    }

    pub(super) fn check_version(&mut self, step: &mut Step<'_>) {
        let CachedState::Loaded(speculation) = &self.state else { return };
        let is_needed = self.in_flight.last_unconfirmed(speculation.read_index).is_some();
        if is_needed && !self.version_checks.is_in_progress() {
            let (epoch, expected) = (speculation.epoch, speculation.durable);
            self.version_checks.begin(VersionCheck { epoch, expected, commands: self.commands });
            step.push(Effect::ReadVersion);
        }
    }

    pub(super) fn version_read(&mut self, version: Result<i64, CommandError>, step: &mut Step<'_>) {
        let Some(mut check) = self.version_checks.end() else { return };
        if self.defects.has(Defect::ConfirmLateCommands) {
            check.commands = self.commands;
        }
        let CachedState::Loaded(speculation) = &mut self.state else { return };
        if speculation.epoch == check.epoch {
            self.version_checks.record(check);
            let durable = speculation.durable;
            match version {
                Ok(version) => {
                    // A database that was restored from a backup is older than what we know, and confirms nothing.
                    if version >= check.expected {
                        speculation.read_index = Some(ReadIndex { version, commands: check.commands });
                    }
                    // Up to what is durable by now it is ours, stored since the check began.
                    let is_ours = (check.expected..=durable).contains(&version);
                    if !is_ours && !self.in_flight.has_appends() {
                        self.rebase(step);
                        return;
                    }
                }
                Err(error) => self.in_flight.fail_unconfirmed(durable, check.commands, &error, step.effects),
            }
        }
        self.release(step);
    }
}
