//! Beginning to listen to a conversation in the middle of it: nothing missed, nothing twice, everything in order.
//!
//! Whoever listens hears of an event when the actor announces it. Who begins later reads from the database what they have
//! missed; but between their reading and their first live event something could be announced to others. So the actor,
//! which alone announces, holds its announcements and answers while they read, hands them what they read less what it is
//! itself about to announce, and goes on. Many who come at once read together, a batch at a time, and what was held goes
//! out between two batches.

use std::collections::{HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{AsyncContext, Context, Handler, Message};
use futures_util::future::join_all;

use super::actor::ConversationActor;
use super::command::CommandError;
use crate::database::DatabaseError;
use crate::domain::{Conversation, Event, Posted};

/// Listeners that read at once: what is announced meanwhile waits for them.
const BATCH: usize = 32;

/// What was missed, oldest first.
pub(super) type Missed = Pin<Box<dyn Future<Output = Result<Vec<Posted>, DatabaseError>> + Send>>;

/// Asks an actor to let somebody begin.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Listen {
    pub(super) missed: Missed,
    /// Begins to listen, with what was missed; not called where there is an error.
    pub(super) begin: Box<dyn FnOnce(Result<Vec<Posted>, CommandError>) + Send>,
}

/// Those who wait to begin, and those who are reading.
#[derive(Default)]
pub(super) struct Listeners {
    waiting: VecDeque<Listen>,
    reading: usize,
    /// What a load has found stored while somebody read: their reading may have been too early for it.
    found: Vec<(Arc<Conversation>, Vec<Event>)>,
}

impl Listeners {
    /// Whether somebody reads: nothing may be announced.
    pub(super) fn are_reading(&self) -> bool {
        self.reading > 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reading == 0 && self.waiting.is_empty()
    }
}

impl ConversationActor {
    fn listen(&mut self, context: &mut Context<Self>, listen: Listen) {
        if self.listeners.waiting.len() >= self.registry.settings().in_flight {
            (listen.begin)(Err(CommandError::Overloaded));
            return;
        }
        self.listeners.waiting.push_back(listen);
        self.read_next(context);
    }

    /// Lets the next of those who wait read.
    fn read_next(&mut self, context: &mut Context<Self>) {
        if self.listeners.are_reading() || self.listeners.waiting.is_empty() {
            return;
        }
        let batch = self.listeners.waiting.len().min(BATCH);
        let (reads, begins): (Vec<_>, Vec<_>) =
            self.listeners.waiting.drain(..batch).map(|listen| (listen.missed, listen.begin)).unzip();
        self.listeners.reading = batch;
        context.spawn(wrap_future(join_all(reads)).map(move |reads, actor: &mut Self, context: &mut Context<Self>| {
            let to_come = actor.still_to_announce();
            actor.listeners.reading = 0;
            actor.guarded(context, |actor, context| {
                for (read, begin) in reads.into_iter().zip(begins) {
                    begin(read.map_err(CommandError::from).map(|mut missed| {
                        missed.retain(|posted| !to_come.contains(&posted.id));
                        missed
                    }));
                }
                actor.announce_what_was_found();
                actor.decide_waiting(context);
                actor.read_next(context);
            });
        }));
    }

    /// Tells of what was unconfirmed and a load has found stored; behind those who read, where somebody does.
    pub(super) fn announce_found(&mut self, conversation: &Conversation, events: Vec<Event>) {
        self.listeners.found.push((Arc::new(conversation.clone()), events));
        if !self.listeners.are_reading() {
            self.announce_what_was_found();
        }
    }

    fn announce_what_was_found(&mut self) {
        for (conversation, events) in std::mem::take(&mut self.listeners.found) {
            self.registry.announcer().announce(&conversation, &events);
        }
    }

    /// Ids of the messages that are stored, or about to be, and not announced yet.
    fn still_to_announce(&self) -> HashSet<crate::domain::EventId> {
        let found = self.listeners.found.iter().flat_map(|(_, events)| events);
        self.in_flight.events().chain(self.unconfirmed.events()).chain(found).map(|event| event.id).collect()
    }
}

impl Handler<Listen> for ConversationActor {
    type Result = ();

    fn handle(&mut self, listen: Listen, context: &mut Self::Context) {
        self.was_used = true;
        self.guarded(context, |actor, context| actor.listen(context, listen));
    }
}
