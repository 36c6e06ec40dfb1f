//! Beginning to listen to a conversation in the middle of it: nothing missed, nothing twice, everything in order.
//!
//! Whoever listens hears of an event when the actor announces it. Who begins later reads from the database what they
//! have missed; but between their reading and their first live event something could be announced to others. So the
//! actor, which alone announces, keeps what it announces while they read, and then hands them what they read, and
//! behind it what they have not read of what was announced meanwhile. Nobody waits for them: only where so much is
//! announced that it is more than is kept for them, the rest is held until they have read. Many who come at once read
//! together, a batch at a time. Nobody reads for longer than they are waited for.
//!
//! What they have read may be more than those who listen already have been told: something of ours of which the journal
//! has not yet said that it is stored, or something of another server's. They begin when the others have been told as
//! much, so that nothing comes to them a second time; what is another server's is loaded for that.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{AsyncContext, Context, Handler, Message};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::actor::{Belief, ConversationActor};
use super::core::CommandError;
use super::reading::caught;
use crate::database::DatabaseError;
use crate::domain::{Conversation, Event, Posted};

/// Listeners that read at once.
const BATCH: usize = 32;

/// Events that are kept for them while they read.
const KEPT: usize = 64;

/// What somebody missed who begins to listen.
#[derive(Debug)]
pub struct Backlog {
    /// What they have read, oldest first, and behind it what was announced while they did: all of it, notes too.
    pub messages: Vec<Posted>,
    /// The conversation behind the last announcement that was made while they read; nothing where there was none.
    pub since: Option<Arc<Conversation>>,
}

/// What is read of it.
pub(super) type Read = Pin<Box<dyn Future<Output = Result<Vec<Posted>, DatabaseError>> + Send>>;

type Begin = Box<dyn FnOnce(Result<Backlog, CommandError>) + Send>;

/// Asks an actor to let somebody begin.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Listen {
    /// The version that the conversation had before anything of it is read.
    pub(super) version: i64,
    pub(super) read: Read,
    /// Begins to listen, with what was missed; not called where there is an error.
    pub(super) begin: Begin,
}

/// Those who have read together and are about to begin.
struct Readers {
    readings: Vec<(Result<Vec<Posted>, DatabaseError>, Begin)>,
    /// Begin when those who listen already have been told so much.
    up_to: i64,
}

/// Those who wait to begin, and those who are reading.
#[derive(Default)]
pub(super) struct Listeners {
    waiting: VecDeque<Listen>,
    reading: usize,
    have_read: Option<Readers>,
    /// What was announced while they read and until they begin.
    announced: Announced,
    /// What a load found to be stored, and the state that it found; it may not be announced while it is too much
    /// either.
    found: Vec<(Arc<Conversation>, Vec<Event>)>,
}

/// What was announced while somebody read.
#[derive(Default)]
struct Announced {
    events: Vec<Event>,
    state: Option<Arc<Conversation>>,
}

impl Announced {
    /// What a reader has missed.
    fn complete(&self, mut messages: Vec<Posted>) -> Backlog {
        // What was read is whole up to its last message, though the first of it may have been left out.
        let last = messages.last().map_or(0, |posted| posted.position);
        messages.extend(self.events.iter().filter_map(Event::posted).filter(|posted| posted.position > last));
        Backlog { messages, since: self.state.clone() }
    }
}

impl Listeners {
    /// Whether somebody reads and no more may be announced until they have.
    pub(super) fn are_full(&self) -> bool {
        self.reading > 0 && self.announced.events.len() >= KEPT
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reading == 0 && self.have_read.is_none() && self.waiting.is_empty() && self.found.is_empty()
    }

    /// Whether somebody has read and is about to begin.
    pub(super) fn have_read(&self) -> bool {
        self.have_read.is_some()
    }

    /// A load behind their reading has found no more than this: whatever they say, there is nothing more to wait for.
    pub(super) fn have_all_up_to(&mut self, version: i64) {
        if let Some(readers) = &mut self.have_read {
            readers.up_to = readers.up_to.min(version);
        }
    }

    /// Those who have read cannot begin: what they wait for could not be loaded.
    pub(super) fn give_up(&mut self, error: &CommandError) {
        let Some(readers) = self.have_read.take() else { return };
        self.announced = Announced::default();
        readers.readings.into_iter().for_each(|(_, begin)| begin(Err(error.clone())));
    }
}

impl ConversationActor {
    fn listen(&mut self, listen: Listen) {
        if self.listeners.waiting.len() >= self.registry.settings().in_flight {
            (listen.begin)(Err(CommandError::Overloaded));
            return;
        }
        self.listeners.waiting.push_back(listen);
        // They read as soon as nobody else does: see `Self::begin_those_who_have_read`, which follows.
    }

    /// Lets the next of those who wait read.
    fn read_next(&mut self, context: &mut Context<Self>) {
        let listeners = &self.listeners;
        let Some(first) = listeners.waiting.front() else { return };
        if listeners.reading > 0 || listeners.have_read.is_some() {
            return;
        }
        // From the first reader on it is known up to where they have been told: what is stored while they read is found
        // behind that. What is under way already says it as soon as it has ended.
        if self.told.position().is_none() {
            let is_quiet = !self.in_flight.has_appends() && self.unconfirmed.is_empty();
            if matches!(self.belief, Belief::Loading) || !is_quiet {
                return;
            }
            self.told.set(first.version);
        }
        self.read_batch(context);
    }

    fn read_batch(&mut self, context: &mut Context<Self>) {
        let batch = self.listeners.waiting.len().min(BATCH);
        let listens: Vec<Listen> = self.listeners.waiting.drain(..batch).collect();
        let version = listens.iter().map(|listen| listen.version).max().unwrap_or(0);
        let (reads, begins): (Vec<_>, Vec<_>) =
            listens.into_iter().map(|listen| (caught(listen.read), listen.begin)).unzip();
        self.listeners.reading = batch;
        context.spawn(wrap_future(join_all(reads)).map(move |reads, actor: &mut Self, context: &mut Context<Self>| {
            let last = reads.iter().flatten().filter_map(|read| read.last()).map(|posted| posted.position).max();
            let up_to = last.unwrap_or(0).max(version);
            let readings = reads.into_iter().zip(begins).collect();
            actor.listeners.reading = 0;
            actor.listeners.have_read = Some(Readers { readings, up_to });
            // What was held for them goes out.
            actor.guarded(context, Self::decide_waiting);
        }));
    }

    /// Lets those who have read begin, once the others have been told as much, and the next ones read. Called behind
    /// everything that happens here.
    pub(super) fn begin_those_who_have_read(&mut self, context: &mut Context<Self>) {
        let Some(up_to) = self.listeners.have_read.as_ref().map(|readers| readers.up_to) else {
            self.read_next(context);
            return;
        };
        if self.told.position().is_none_or(|told| told < up_to) {
            // What is under way may be it.
            if !matches!(self.belief, Belief::Loading) && !self.in_flight.has_appends() {
                self.start_over(context);
            }
            return;
        }
        let announced = std::mem::take(&mut self.listeners.announced);
        let readings = self.listeners.have_read.take().map(|readers| readers.readings).unwrap_or_default();
        // Whatever becomes of those: the next ones must not wait for ever.
        self.read_next(context);
        for (reading, begin) in readings {
            begin(reading.map_err(CommandError::from).map(|messages| announced.complete(messages)));
        }
    }

    /// Tells of what we have made happen.
    pub(super) fn announce(&mut self, conversation: &Arc<Conversation>, events: &[Event]) {
        // An actor that retires and its successor may both come to tell of the same.
        let told = self.told.position().unwrap_or(0);
        let news = events.partition_point(|event| event.position <= told);
        let Some(news @ [.., last]) = events.get(news..) else { return };
        self.told.set(last.position);
        self.tell(conversation, news);
    }

    /// Has events told that turned out to be stored, in front of everything that is decided from now on.
    pub(super) fn announce_found(&mut self, conversation: Arc<Conversation>, events: Vec<Event>) {
        self.listeners.found.push((conversation, events));
    }

    /// Tells all who listen, and those who are about to.
    fn tell(&mut self, conversation: &Arc<Conversation>, events: &[Event]) {
        if self.listeners.reading > 0 || self.listeners.have_read.is_some() {
            self.listeners.announced.events.extend_from_slice(events);
            self.listeners.announced.state = Some(Arc::clone(conversation));
        }
        self.registry.publisher().announce(conversation, events);
    }

    /// What was found goes out.
    pub(super) fn release_found(&mut self) {
        for (conversation, events) in std::mem::take(&mut self.listeners.found) {
            self.tell(&conversation, &events);
        }
    }
}

impl Handler<Listen> for ConversationActor {
    type Result = ();

    fn handle(&mut self, listen: Listen, context: &mut Self::Context) {
        self.last_used = Instant::now();
        self.guarded(context, |actor, _| actor.listen(listen));
    }
}
