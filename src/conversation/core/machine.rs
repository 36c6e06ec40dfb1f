//! The machine: what happens to a conversation happens here, one input after another.
//!
//! It decides a command on its speculative state, hands the events to the journal, and does not wait for it. Answers
//! and publications are held until everything that they depend on is stored, and leave in order; read-only answers are
//! confirmed first (`read_barrier`). When the state turns out wrong, it is dropped and loaded again (`reload`).

mod decisions;
mod release;
mod reload;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use self::decisions::Queueing;
use super::answer::{CommandError, Outcome, Responder};
use super::defect::{Defect, Defects};
use super::effect::{ClockAndIds, Effect, Effects, EpochNumber, Input, Timer};
use super::idempotency_cache::IdempotencyCache;
use super::in_doubt::InDoubt;
use super::in_flight::{InFlight, Pending};
use super::lifecycle::{Lifecycle, Unused};
use super::limits::MachineLimits;
use super::read_barrier::VersionChecks;
use super::send_lookups::SendLookups;
use super::state::{CachedState, Speculation};
use super::subscribers::PendingSubscribers;
use super::watermark::Watermark;
use crate::domain::{Command, Conversation, ConversationId};

/// With [`Defect::Panic`], one in so many decisions and commits panics.
const PANICS: u64 = 30;

/// One conversation.
pub struct Machine {
    id: ConversationId,
    limits: MachineLimits,
    environment: Box<dyn ClockAndIds>,
    defects: Defects,
    state: CachedState,
    epoch: EpochNumber,
    /// Commands that are not decided; empty while a state is loaded.
    waiting: VecDeque<Pending>,
    /// The decided command whose append the journal is taking.
    queueing: Option<Queueing>,
    in_flight: InFlight,
    idempotency_cache: IdempotencyCache,
    send_lookups: SendLookups,
    version_checks: VersionChecks,
    in_doubt: InDoubt,
    watermark: Watermark,
    subscribers: PendingSubscribers,
    lifecycle: Lifecycle,
    /// How many have arrived.
    commands: u64,
}

/// One call of [`Machine::handle`].
struct Step<'a> {
    now: Instant,
    effects: &'a mut Effects,
}

impl Step<'_> {
    fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn reply(&mut self, responder: Responder, outcome: Result<Outcome, CommandError>) {
        self.push(Effect::Reply(responder, outcome));
    }
}

impl Machine {
    /// A machine that knows nothing yet. Give it [`Input::Started`] first.
    #[must_use]
    pub fn new(
        id: ConversationId,
        limits: MachineLimits,
        watermark: Watermark,
        environment: Box<dyn ClockAndIds>,
        defects: Defects,
        now: Instant,
    ) -> Self {
        Self {
            id,
            limits,
            environment,
            defects,
            state: CachedState::Absent,
            epoch: EpochNumber(0),
            waiting: VecDeque::new(),
            queueing: None,
            in_flight: InFlight::default(),
            idempotency_cache: IdempotencyCache::default(),
            send_lookups: SendLookups::default(),
            version_checks: VersionChecks::default(),
            in_doubt: InDoubt::default(),
            watermark,
            subscribers: PendingSubscribers::default(),
            lifecycle: Lifecycle::new(now),
            commands: 0,
        }
    }

    /// Handles one input; what is to be done about it is added to `effects`.
    ///
    /// # Panics
    /// If the rules or the environment do. The effects given by then are to be carried out; then the machine gets
    /// [`Input::Panicked`] and continues.
    pub fn handle(&mut self, input: Input, now: Instant, effects: &mut Effects) {
        let step = &mut Step { now, effects };
        // What a machine was started for follows; until then it looks useless.
        let is_start = matches!(input, Input::Started);
        self.input(input, step);
        // The journal's answer to an append comes first.
        if self.queueing.is_none() && !is_start {
            self.attach_subscribers(step);
            self.passivate_if_useless(step);
            self.stop_if_done(step);
        }
    }

    fn input(&mut self, input: Input, step: &mut Step<'_>) {
        match input {
            Input::Started => self.start(step),
            Input::Command(command, responder) => self.receive(command, responder, step),
            Input::Queued => self.queued(step),
            Input::QueueFull => self.queue_full(step),
            Input::Committed { epoch, version } => self.committed(epoch, version, step),
            Input::Rejected { epoch } => self.rejected(epoch, step),
            Input::AppendFailed { epoch } => self.append_failed(epoch, step),
            Input::Loaded(loaded) => self.loaded(loaded, step),
            Input::VersionRead(version) => self.version_read(version, step),
            Input::SendFound { lookup, found } => self.send_lookups.end(lookup, found, self.id, step.effects),
            Input::Subscribe { subscriber, version } => {
                self.lifecycle.used(step.now);
                // It reads as soon as no other batch does: `attach_subscribers` follows.
                self.subscribers.add(subscriber, version, self.limits.in_flight, step.effects);
            }
            Input::BacklogsRead(backlogs) => {
                self.subscribers.end_read(backlogs);
                // What was held for them can be published.
                self.decide_waiting(step);
            }
            Input::Tick(Timer::Unused) => self.check_use(step),
            Input::Tick(Timer::InDoubt) => self.look_for_in_doubt(step),
            Input::Tick(Timer::VersionCheck) => {
                if self.version_checks.elapsed() {
                    self.check_version(step);
                }
            }
            Input::Drained => self.lifecycle.drained(),
            Input::Panicked => self.fail_in_flight(&CommandError::Fault, step),
            Input::Passivate => {
                if self.is_idle() && self.lifecycle.is_registered() {
                    self.passivate(step);
                }
            }
        }
    }

    fn start(&self, step: &mut Step<'_>) {
        let pause = self.limits.trim_after.min(self.limits.passivate_after);
        step.push(Effect::SetTimer(Timer::Unused, pause));
    }

    /// The conversation as of the last decided event, and the version that is stored, if the machine holds them. Other
    /// servers may have written since.
    #[must_use]
    pub fn peek(&self) -> Option<(Arc<Conversation>, i64)> {
        let CachedState::Loaded(speculation) = &self.state else { return None };
        Some((Arc::clone(speculation.conversation.as_ref()?), speculation.durable))
    }

    /// Whether it has left the registry: commands and subscribers are for its successor then.
    #[must_use]
    pub fn is_passivated(&self) -> bool {
        !self.lifecycle.is_registered()
    }

    /// The watermark of this conversation.
    #[must_use]
    pub fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    fn receive(&mut self, mut command: Command, responder: Responder, step: &mut Step<'_>) {
        self.lifecycle.used(step.now);
        if self.defects.has(Defect::ForgetIdempotencyKey) {
            command.forget_idempotency_key();
        }
        self.commands += 1;
        let pending = Pending { command, responder, conflicts: 0, number: self.commands };
        if self.waiting.len() + self.in_flight.len() + self.send_lookups.len() >= self.limits.in_flight {
            step.reply(pending.responder, Err(CommandError::Overloaded));
            return;
        }
        // A conversation that is being created is not read first: should it exist, the version fence reports that.
        if matches!(self.state, CachedState::Absent) && pending.command.creates_conversation() {
            let epoch = self.next_epoch();
            self.state = CachedState::Loaded(Speculation::assumed_absent(epoch));
        }
        self.waiting.push_back(pending);
        match self.state {
            CachedState::Absent => self.load(step),
            CachedState::Loading(_) => {}
            CachedState::Loaded(_) => self.decide_waiting(step),
        }
    }

    fn next_epoch(&mut self) -> EpochNumber {
        self.epoch = EpochNumber(self.epoch.0 + 1);
        self.epoch
    }

    /// Whether nothing is in progress.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
            && self.queueing.is_none()
            && self.in_flight.is_empty()
            && self.in_doubt.is_empty()
            && self.send_lookups.len() == 0
            // Its result may lead to a load, which publishes.
            && !self.version_checks.is_in_progress()
            && self.subscribers.is_empty()
            && !matches!(self.state, CachedState::Loading(_))
    }

    fn check_use(&mut self, step: &mut Step<'_>) {
        let is_idle = self.is_idle() || self.defects.has(Defect::StopBusy);
        match self.lifecycle.check(is_idle, &self.limits, step.now) {
            Unused::Passivate => self.passivate(step),
            Unused::Trim(pause) => {
                if self.is_idle() {
                    self.trim();
                }
                step.push(Effect::SetTimer(Timer::Unused, pause));
            }
            Unused::Wait(pause) => step.push(Effect::SetTimer(Timer::Unused, pause)),
        }
    }

    /// Drops everything but the state. A send that is repeated later is found in the database; queues that a burst has
    /// made large become small again.
    fn trim(&mut self) {
        self.idempotency_cache.clear();
        self.waiting = VecDeque::new();
        self.in_flight.shrink();
    }

    /// Ends a machine that saves no read: nothing is written in its conversation, or it holds no state because it was
    /// started for a subscriber only.
    fn passivate_if_useless(&mut self, step: &mut Step<'_>) {
        let is_useless = match &self.state {
            CachedState::Absent => true,
            CachedState::Loading(_) => false,
            CachedState::Loaded(speculation) => {
                speculation.conversation.as_ref().is_none_or(|conversation| conversation.message_count == 0)
            }
        };
        if is_useless && self.is_idle() && self.lifecycle.is_registered() {
            self.state = CachedState::Absent;
            self.passivate(step);
        }
    }

    fn passivate(&mut self, step: &mut Step<'_>) {
        self.lifecycle.passivated();
        step.push(Effect::Passivate);
    }

    fn stop_if_done(&mut self, step: &mut Step<'_>) {
        if self.lifecycle.is_drained() && (self.is_idle() || self.defects.has(Defect::StopBusy)) {
            step.push(Effect::Stop);
        }
    }

    #[expect(clippy::panic, reason = "the defect")]
    fn panic_if_defective(&self, number: u64) {
        let (_, seed) = self.id.0.as_u64_pair();
        if self.defects.has(Defect::Panic) && seed.wrapping_add(number).is_multiple_of(PANICS) {
            panic!("the defect");
        }
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Machine")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("waiting", &self.waiting)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
