//! When an actor ends: nobody has needed it for a while, or it keeps nothing that would spare a look into the database.
//!
//! It leaves the registry first and goes once everything is done that was sent to it before: no command is lost with it.

use actix::{AsyncContext, Context, Handler, Message};

use super::actor::{Belief, ConversationActor};

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

    /// Retires unless something was asked since the last tick.
    pub(super) fn tick(&mut self, context: &mut Context<Self>) {
        if std::mem::take(&mut self.was_used) || !self.is_idle() {
            return;
        }
        self.retire(context);
    }

    /// Ends, once everything is done that was sent here before.
    ///
    /// Out of the registry first: from here on nobody sends here. What was sent before stands in the mailbox in front of
    /// the message to ourselves.
    pub(super) fn retire(&mut self, context: &mut Context<Self>) {
        self.stay = self.stay.max(Stay::Retired);
        self.registry.keep_told(self.id, &self.told);
        self.registry.forget(self.id, &context.address());
        context.address().do_send(Leave);
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
#[derive(Message)]
#[rtype(result = "()")]
struct Leave;

impl Handler<Leave> for ConversationActor {
    type Result = ();

    fn handle(&mut self, Leave: Leave, context: &mut Self::Context) {
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
        self.was_used = false;
        self.tick(context);
    }
}
