//! Beginning to listen to a conversation in the middle of it: nothing missed, nothing twice, everything in order.
//!
//! Whoever listens hears of an event when the actor announces it. Who begins later reads from the database what they have
//! missed; but between their reading and their first live event something could be announced to others. So the actor,
//! which alone announces, keeps what it announces while they read, and then hands them what they read, less what it is
//! itself about to announce, and behind it what they have not read of what was announced meanwhile. Nobody waits for
//! them: only where so much is announced that it is more than is kept for them, the rest is held until they have read.
//! Many who come at once read together, a batch at a time. Nobody reads for longer than they are waited for.

use std::collections::{HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{AsyncContext, Context, Handler, Message};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::actor::ConversationActor;
use super::command::CommandError;
use super::reading::caught;
use crate::database::DatabaseError;
use crate::domain::{Conversation, Event, EventId, Posted};

/// Listeners that read at once.
const BATCH: usize = 32;

/// Events that are kept for them while they read.
const KEPT: usize = 64;

/// What somebody missed who begins to listen.
#[derive(Debug)]
pub struct Missed {
    /// What they have read, oldest first, and behind it what was announced while they did: all of it, notes too.
    pub messages: Vec<Posted>,
    /// The conversation behind the last announcement that was made while they read; nothing where there was none.
    pub since: Option<Arc<Conversation>>,
}

/// What is read of it.
pub(super) type Read = Pin<Box<dyn Future<Output = Result<Vec<Posted>, DatabaseError>> + Send>>;

/// Asks an actor to let somebody begin.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Listen {
    pub(super) read: Read,
    /// Begins to listen, with what was missed; not called where there is an error.
    pub(super) begin: Box<dyn FnOnce(Result<Missed, CommandError>) + Send>,
}

/// Those who wait to begin, and those who are reading.
#[derive(Default)]
pub(super) struct Listeners {
    waiting: VecDeque<Listen>,
    reading: usize,
    /// What was announced while they read.
    announced: Announced,
    /// What a load found to be stored, and the state that it found; it may not be announced while it is too much either.
    found: Vec<(Arc<Conversation>, Vec<Event>)>,
}

/// What was announced while somebody read.
#[derive(Default)]
struct Announced {
    events: Vec<Event>,
    state: Option<Arc<Conversation>>,
}

impl Announced {
    /// What a reader has missed, less what is still `to_come`.
    fn complete(&self, mut messages: Vec<Posted>, to_come: &HashSet<EventId>) -> Missed {
        // What was read is whole up to its last message, though the first of it may have been left out.
        let last = messages.last().map_or(0, |posted| posted.position);
        messages.retain(|posted| !to_come.contains(&posted.id));
        messages.extend(self.events.iter().filter_map(Event::posted).filter(|posted| posted.position > last));
        Missed { messages, since: self.state.clone() }
    }
}

impl Listeners {
    /// Whether somebody reads and no more may be announced until they have.
    pub(super) fn are_full(&self) -> bool {
        self.reading > 0 && self.announced.events.len() >= KEPT
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reading == 0 && self.waiting.is_empty() && self.found.is_empty()
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
        if self.listeners.reading > 0 || self.listeners.waiting.is_empty() {
            return;
        }
        let batch = self.listeners.waiting.len().min(BATCH);
        let (reads, begins): (Vec<_>, Vec<_>) =
            self.listeners.waiting.drain(..batch).map(|listen| (caught(listen.read), listen.begin)).unzip();
        self.listeners.reading = batch;
        context.spawn(wrap_future(join_all(reads)).map(move |reads, actor: &mut Self, context: &mut Context<Self>| {
            let to_come = actor.still_to_announce();
            let announced = std::mem::take(&mut actor.listeners.announced);
            actor.listeners.reading = 0;
            actor.guarded(context, |actor, context| {
                for (read, begin) in reads.into_iter().zip(begins) {
                    begin(read.map_err(CommandError::from).map(|read| announced.complete(read, &to_come)));
                }
                actor.decide_waiting(context);
            });
            // Whatever became of those: the next ones must not wait for ever.
            actor.guarded(context, |actor, context| {
                actor.release(context);
                actor.read_next(context);
            });
        }));
    }

    /// Ids of the messages that are stored, or about to be, and not announced yet.
    fn still_to_announce(&self) -> HashSet<EventId> {
        let found = self.listeners.found.iter().flat_map(|(_, events)| events);
        found.chain(self.in_flight.events()).chain(self.unconfirmed.events()).map(|event| event.id).collect()
    }

    /// Tells of what has happened, those who are reading too.
    pub(super) fn announce(&mut self, conversation: &Arc<Conversation>, events: &[Event]) {
        if self.listeners.reading > 0 {
            self.listeners.announced.events.extend_from_slice(events);
            self.listeners.announced.state = Some(Arc::clone(conversation));
        }
        self.registry.announcer().announce(conversation, events);
    }

    /// Has events announced that turned out to be stored, in front of everything that is decided from now on.
    pub(super) fn announce_found(&mut self, conversation: Arc<Conversation>, events: Vec<Event>) {
        self.listeners.found.push((conversation, events));
    }

    /// What was found goes out.
    pub(super) fn release_found(&mut self) {
        for (conversation, events) in std::mem::take(&mut self.listeners.found) {
            self.announce(&conversation, &events);
        }
    }
}

impl Handler<Listen> for ConversationActor {
    type Result = ();

    fn handle(&mut self, listen: Listen, context: &mut Self::Context) {
        self.last_used = Instant::now();
        self.guarded(context, |actor, context| actor.listen(context, listen));
    }
}
