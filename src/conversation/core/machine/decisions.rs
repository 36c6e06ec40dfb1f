//! Decides commands, one after another, and hands the events to the journal.

use std::sync::Arc;

use super::{Machine, Step};
use crate::conversation::core::answer::{CachedSend, CommandError, Outcome};
use crate::conversation::core::defect::Defect;
use crate::conversation::core::effect::{AppendEvents, Effect};
use crate::conversation::core::in_flight::{Basis, InFlightCommand, Pending};
use crate::conversation::core::state::CachedState;
use crate::domain::{Conversation, Event, IdempotencyKey, decide, permit};

/// A decided command whose append the journal is taking.
pub(super) struct Queueing {
    pub(super) pending: Pending,
    key: Option<IdempotencyKey>,
    outcome: Outcome,
    pub(super) events: Arc<[Event]>,
    state: Arc<Conversation>,
}

impl Machine {
    pub(super) fn decide_waiting(&mut self, step: &mut Step<'_>) {
        // Before anything is decided: should that panic, this is published.
        if !self.subscribers.is_full() {
            self.publish_held(step);
        }
        while self.queueing.is_none() && matches!(self.state, CachedState::Loaded(_)) {
            let Some(pending) = self.waiting.pop_front() else { break };
            self.decide(pending, step);
        }
        if self.queueing.is_none() {
            self.release(step);
        }
    }

    fn decide(&mut self, pending: Pending, step: &mut Step<'_>) {
        self.panic_if_defective(pending.number);
        let CachedState::Loaded(speculation) = &self.state else { return };
        // Its caller was answered 503 and may send it again: decided now, it would be carried out twice.
        if pending.responder.is_closed() {
            return;
        }
        if !speculation.supports(&pending.command) {
            self.waiting.push_front(pending);
            self.load(step);
            return;
        }
        let state = speculation.conversation.as_deref();
        let required_version = speculation.version();
        if let Err(refusal) = permit(state, &pending.command) {
            let (outcome, basis) = (Err(refusal), Basis::State);
            self.in_flight.push(InFlightCommand { pending, outcome, basis, required_version });
            return;
        }
        let key = pending.command.idempotency_key();
        if let Some(send) = key.as_ref().and_then(|key| self.idempotency_cache.get(key)) {
            let (outcome, basis) = (send.repeat(&pending.command, self.id), Basis::Repeated);
            self.in_flight.push(InFlightCommand { pending, outcome, basis, required_version });
            return;
        }
        match decide(state, &pending.command) {
            Err(refusal) => {
                // What the state refuses may repeat what was carried out before.
                let basis = if refusal.precedes_repeat() { Basis::State } else { Basis::StateUnlessRepeated };
                self.in_flight.push(InFlightCommand { pending, outcome: Err(refusal), basis, required_version });
            }
            Ok(changes) => {
                let timestamp = self.environment.timestamp();
                let events = Event::in_sequence(self.id, state, timestamp, changes, || self.environment.event_id());
                self.append(pending, key, events, step);
            }
        }
    }

    /// Hands the events to the journal.
    fn append(&mut self, pending: Pending, key: Option<IdempotencyKey>, events: Vec<Event>, step: &mut Step<'_>) {
        let CachedState::Loaded(speculation) = &self.state else { return };
        let expected_version = speculation.version();
        let before = speculation.conversation.as_deref().cloned();
        let Some(state) = events.iter().fold(before, Conversation::apply).map(Arc::new) else {
            step.reply(pending.responder, Err(CommandError::Fault));
            return;
        };
        let outcome = Outcome::applied(Arc::clone(&state), &events);
        if events.is_empty() {
            let (outcome, basis) = (Ok(outcome), Basis::State);
            self.in_flight.push(InFlightCommand { pending, outcome, basis, required_version: expected_version });
            return;
        }
        let events: Arc<[Event]> = events.into();
        step.push(Effect::Append(AppendEvents {
            epoch: speculation.epoch,
            expected_version,
            events: Arc::clone(&events),
            state: Arc::clone(&state),
        }));
        self.queueing = Some(Queueing { pending, key, outcome, events, state });
    }

    pub(super) fn queued(&mut self, step: &mut Step<'_>) {
        let Some(Queueing { pending, key, outcome, events, state }) = self.queueing.take() else { return };
        if let CachedState::Loaded(speculation) = &mut self.state {
            speculation.conversation = Some(Arc::clone(&state));
        }
        if self.defects.has(Defect::PublishBeforeCommit) {
            self.publish_appended(&state, &events, step);
        }
        let message = outcome.message().map(Arc::clone);
        let basis = Basis::Appended(events, Arc::clone(&state));
        // First: whatever panics after this, the events are known to be in flight.
        let required_version = state.version;
        self.in_flight.push(InFlightCommand { pending, outcome: Ok(outcome), basis, required_version });
        if let Some(key) = key
            && let Some(message) = message
        {
            self.idempotency_cache.insert(key, CachedSend::new(message, &state));
        }
        self.decide_waiting(step);
    }

    pub(super) fn queue_full(&mut self, step: &mut Step<'_>) {
        let Some(queueing) = self.queueing.take() else { return };
        step.reply(queueing.pending.responder, Err(CommandError::Overloaded));
        self.decide_waiting(step);
    }
}
