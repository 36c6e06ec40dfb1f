//! When an actor ends: nobody has needed it for a while, or it keeps nothing that would spare a look into the database.
//! Some time before, it comes to rest: it keeps the state, for whoever writes next, and nothing else.
//!
//! Both are exact, and no command costs a timer: a timer runs for as long as the actor would have to stay unused from
//! its last use on, and where it was used meanwhile, for the remainder.
//!
//! It leaves the registry first and goes once everything is done that was sent to it before: no command is lost with
//! it.

use std::collections::VecDeque;
use std::time::Duration;

use actix::{Addr, AsyncContext, Context, Handler, Message};
use tokio::time::Instant;

use super::actor::{Belief, ConversationActor};
use super::in_flight::InFlight;

/// How far an actor is on its way out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stay {
    /// It is in the registry.
    #[default]
    Registered,
    /// It is out of the registry; what was sent before is still before it.
    Retired,
    /// All that was sent has come: it goes as soon as it is done.
    Leaving,
}

impl ConversationActor {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty()
            && self.in_flight.is_empty()
            && self.unconfirmed.is_empty()
            && self.looking_up == 0
            && self.listeners.is_empty()
            && !matches!(self.belief, Belief::Loading)
    }

    /// Goes at once where it keeps nothing that spares a look into the database: of a conversation that nobody has
    /// written in, or of which it knows nothing, because somebody only began to listen to it.
    pub(super) fn retire_if_useless(&mut self, context: &mut Context<Self>) {
        let is_useless = match &self.belief {
            Belief::None => true,
            Belief::Loading => false,
            Belief::State(speculation) => {
                speculation.conversation.as_ref().is_none_or(|conversation| conversation.message_count == 0)
            }
        };
        if is_useless && self.is_idle() && self.stay == Stay::Registered {
            self.belief = Belief::None;
            self.retire(context);
        }
    }

    /// Looks at itself when, should it not be used until then, it is to rest or to retire.
    pub(super) fn look_when_unused(&mut self, context: &mut Context<Self>) {
        let settings = self.registry.settings();
        let (rest, idle) =
            (Duration::from_secs(settings.trim_after_seconds), Duration::from_secs(settings.passivate_after_seconds));
        let next = if self.last_used.elapsed() < rest { rest.min(idle) } else { idle };
        let pause = (self.last_used + next).saturating_duration_since(Instant::now());
        context.run_later(pause, move |actor, context| {
            // Whatever is under way uses it.
            if !actor.is_idle() {
                actor.last_used = Instant::now();
            }
            let unused = actor.last_used.elapsed();
            if unused >= idle {
                actor.retire(context);
                return;
            }
            if unused >= rest {
                actor.rest();
            }
            actor.look_when_unused(context);
        });
    }

    /// Lets go of all but the state. A send whose repeat comes yet stands in the database; queues that a rush has made
    /// large get small again.
    fn rest(&mut self) {
        self.remembered.clear();
        self.waiting = VecDeque::new();
        self.in_flight = InFlight::default();
    }

    /// Ends, once everything is done that was sent here before.
    ///
    /// Out of the registry first: from here on nobody sends here. What was sent before stands in the mailbox in front
    /// of the message to ourselves.
    pub(super) fn retire(&mut self, context: &mut Context<Self>) {
        self.stay = self.stay.max(Stay::Retired);
        self.registry.keep_told(self.id, &self.told);
        self.registry.forget(self.id, &context.address());
        let actor = context.address();
        actor.do_send(Leave { _actor: actor.clone() });
    }

    /// Stops, where it has nothing more to do.
    pub(super) fn leave_if_done(&mut self, context: &mut Context<Self>) {
        if self.stay == Stay::Leaving && self.is_idle() {
            self.registry.tidy_told(self.id, &self.told);
            actix::ActorContext::stop(context);
        }
    }
}

/// The last message that an actor gets, from itself.
///
/// It bears the actor's address: one to which nobody has an address any more, and that waits for nothing, ends at once,
/// whatever still stands in its mailbox.
#[derive(Message)]
#[rtype(result = "()")]
struct Leave {
    _actor: Addr<ConversationActor>,
}

impl Handler<Leave> for ConversationActor {
    type Result = ();

    fn handle(&mut self, _: Leave, context: &mut Self::Context) {
        self.stay = Stay::Leaving;
        self.leave_if_done(context);
    }
}

/// Nobody has used it for a while, says a test.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Unused;

#[cfg(test)]
impl Handler<Unused> for ConversationActor {
    type Result = ();

    fn handle(&mut self, Unused: Unused, context: &mut Self::Context) {
        if self.is_idle() {
            self.retire(context);
        }
    }
}
