//! The actor of one conversation: it drives the conversation machine.
//!
//! Every message becomes an [`Input`]; the machine's effects are carried out in order before the next message. A panic of
//! the machine fails the commands in flight, but the actor continues; a panic of the publisher loses that publication, and
//! a panic of a subscriber that subscription.

mod effects;
mod messages;
mod subscriptions;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler};
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use self::effects::{JournalEpoch, Timers};
use self::messages::Drained;
pub(super) use self::messages::{Execute, PassivateIfIdle, Peek, Settled, Subscribe};
use self::subscriptions::Subscriptions;
use super::actor_slots::ActorSlot;
use super::core::{ClockAndIds, Defects, Effects, Input, Machine};
use super::services::ActorServices;
use crate::domain::{ConversationId, EventId, Timestamp};
use crate::journal::AppendOutcome;

/// The registry, as one of its actors uses it.
pub(super) trait Registration: Send {
    /// Removes this actor, unless another has replaced it, and gives its slot.
    fn forget(&self, actor: &Addr<ConversationActor>) -> Option<ActorSlot>;

    /// This actor has nothing in progress. Called once after each message that was sent to it through the registry.
    fn idle(&self);

    /// Gives the conversation's present actor a command that was sent to this one.
    fn forward_command(&self, command: Execute);

    /// Gives it a subscriber.
    fn forward_subscriber(&self, subscriber: Subscribe);
}

/// One conversation.
pub(super) struct ConversationActor {
    id: ConversationId,
    services: Arc<ActorServices>,
    registration: Box<dyn Registration>,
    machine: Machine,
    effects: Effects,
    epoch: JournalEpoch,
    timers: Timers,
    subscriptions: Subscriptions,
    /// Whether the registry knows that it is idle.
    is_listed_idle: bool,
    /// Gets the slot of this actor if it is passivated now.
    newcomer: Option<oneshot::Sender<ActorSlot>>,
}

/// Supplies the machine with this server's clock and with random ids.
struct ServerClockAndIds(Arc<ActorServices>);

impl ClockAndIds for ServerClockAndIds {
    fn timestamp(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    fn event_id(&self) -> EventId {
        EventId(Uuid::now_v7())
    }
}

impl ConversationActor {
    pub(super) fn new(id: ConversationId, services: Arc<ActorServices>, registration: Box<dyn Registration>) -> Self {
        let environment = Box::new(ServerClockAndIds(Arc::clone(&services)));
        let (limits, watermark, now) = (services.limits(), services.watermarks.get(id), Instant::now().into_std());
        Self {
            id,
            machine: Machine::new(id, limits, watermark, environment, Defects::from_environment(), now),
            services,
            registration,
            effects: Effects::default(),
            epoch: JournalEpoch::default(),
            timers: Timers::default(),
            subscriptions: Subscriptions::default(),
            is_listed_idle: false,
            newcomer: None,
        }
    }

    /// Gives the machine an input and carries out the resulting effects.
    fn input(&mut self, input: Input, context: &mut Context<Self>) {
        let now = Instant::now().into_std();
        // What it was started for follows.
        let is_start = matches!(input, Input::Started);
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let is_recovery = matches!(input, Input::Panicked);
            let (machine, effects) = (&mut self.machine, &mut self.effects);
            let handled = catch_unwind(AssertUnwindSafe(|| machine.handle(input, now, effects)));
            // What the machine had decided before a panic is carried out too.
            let mut effects = std::mem::take(&mut self.effects);
            let mut has_panicked = handled.is_err();
            for effect in effects.drain() {
                match catch_unwind(AssertUnwindSafe(|| self.execute(effect, context))) {
                    Ok(input) => next = input.or(next),
                    Err(_) => has_panicked = true,
                }
            }
            effects.shrink();
            self.effects = effects;
            if has_panicked {
                tracing::error!(conversation = %self.id, "a conversation's actor panicked; its state is loaded again");
                if is_recovery {
                    self.services.watermarks.keep(self.id, self.machine.watermark());
                    self.registration.forget(&context.address());
                    context.stop();
                    return;
                }
                next = Some(Input::Panicked);
            }
        }
        if !is_start && !self.is_listed_idle && self.machine.is_idle() && !self.machine.is_passivated() {
            self.is_listed_idle = true;
            self.registration.idle();
        }
    }

    /// Leaves the registry. What was sent before is in the mailbox before the message to ourselves.
    fn leave_registry(&mut self, address: Addr<Self>) {
        self.services.watermarks.keep(self.id, self.machine.watermark());
        let slot = self.registration.forget(&address);
        if let (Some(slot), Some(newcomer)) = (slot, self.newcomer.take()) {
            // An error means that the newcomer has given up: the slot is free.
            let _ = newcomer.send(slot);
        }
        address.do_send(Drained { _actor: address.clone() });
    }

    fn stop(&self, context: &mut Context<Self>) {
        self.services.watermarks.tidy(self.id, self.machine.watermark());
        context.stop();
    }
}

impl Actor for ConversationActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.input(Input::Started, context);
    }
}

impl Handler<Execute> for ConversationActor {
    type Result = ();

    fn handle(&mut self, execute: Execute, context: &mut Self::Context) {
        // Two machines at work would publish past each other's subscribers: see `core::lifecycle`.
        if self.machine.is_passivated() {
            self.registration.forward_command(execute);
            return;
        }
        self.is_listed_idle = false;
        let Execute(command, responder) = execute;
        self.input(Input::Command(command, responder), context);
    }
}

impl Handler<Settled> for ConversationActor {
    type Result = ();

    fn handle(&mut self, Settled { epoch, version, outcome }: Settled, context: &mut Self::Context) {
        let input = match outcome {
            AppendOutcome::Committed => Input::Committed { epoch, version },
            AppendOutcome::Conflict => Input::Rejected { epoch },
            AppendOutcome::Failed(_) => Input::AppendFailed { epoch },
        };
        self.input(input, context);
    }
}

impl Handler<Subscribe> for ConversationActor {
    type Result = ();

    fn handle(&mut self, subscribe: Subscribe, context: &mut Self::Context) {
        if self.machine.is_passivated() {
            self.registration.forward_subscriber(subscribe);
            return;
        }
        self.is_listed_idle = false;
        let version = subscribe.version;
        let subscriber = self.subscriptions.add(subscribe);
        self.input(Input::Subscribe { subscriber, version }, context);
    }
}

impl Handler<Peek> for ConversationActor {
    type Result = ();

    fn handle(&mut self, Peek(answer): Peek, _: &mut Self::Context) {
        if let Some(peeked) = self.machine.peek() {
            // An error means that the caller has given up.
            let _ = answer.send(peeked);
        }
    }
}

impl Handler<Drained> for ConversationActor {
    type Result = ();

    fn handle(&mut self, _: Drained, context: &mut Self::Context) {
        self.input(Input::Drained, context);
    }
}

impl Handler<PassivateIfIdle> for ConversationActor {
    type Result = ();

    fn handle(&mut self, PassivateIfIdle(newcomer): PassivateIfIdle, context: &mut Self::Context) {
        // The registry has taken it off its list.
        self.is_listed_idle = false;
        self.newcomer = Some(newcomer);
        self.input(Input::Passivate, context);
        self.newcomer = None;
    }
}
