//! What an actor does when what it believed is not so (`architecture.md`, "A message's way", 7 and 8).
//!
//! - Another server wrote to the conversation: load again, decide the unanswered commands anew, in order. Their callers
//!   notice nothing.
//! - A commit failed, or the actor panicked: every unanswered command gets an error and the belief is dropped. Whether
//!   the events are stored is not known; the next load tells.
//!
//! Whatever a load finds beyond what those who listen here have been told (`told`) is told them then, once and in
//! order, in front of all that is decided from then on: of another server's, of one that was killed, and of our own of
//! which it was not known whether they are stored.

use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{AsyncContext, Context};
use tokio::time::Instant;

use super::actor::{Belief, ConversationActor, Speculation};
use super::core::{CachedSend, CommandError};
use super::reading::caught;
use crate::database::DatabaseError;
use crate::domain::{Event, EventId};
use crate::failpoints;
use crate::store::{self, EventRange, Snapshot};

/// The shortest and the longest pause between two looks for unconfirmed events.
const RECHECK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// How often a command is decided anew before its caller is asked to come again.
const MOST_CONFLICTS: u32 = 100;

impl From<DatabaseError> for CommandError {
    fn from(error: DatabaseError) -> Self {
        if error.is_passing() {
            Self::Unavailable
        } else {
            tracing::error!(%error, "a conversation could not be read");
            Self::Fault
        }
    }
}

/// Events that were handed to the journal and of which it is not known whether they are stored: for how long a look for
/// them goes on.
#[derive(Debug, Default)]
pub(super) struct Unconfirmed {
    events: Vec<Lost>,
    pause: Option<Duration>,
}

/// One of them.
#[derive(Debug)]
struct Lost {
    since: Instant,
    id: EventId,
    /// Where it stands if it is stored.
    position: i64,
}

impl Unconfirmed {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn extend(&mut self, events: &[Event]) {
        let since = Instant::now();
        self.events.extend(events.iter().map(|event| Lost { since, id: event.id, position: event.position }));
        self.pause = None;
    }

    fn first_position(&self) -> Option<i64> {
        self.events.iter().map(|lost| lost.position).min()
    }

    /// Forgets those whose place is taken, by themselves or by something else. The rest may still come — a database
    /// that was halted finishes what it had begun — and are looked for until `patience` is over.
    fn resolve(&mut self, version: i64, patience: Duration) {
        self.events.retain(|lost| lost.position > version && lost.since.elapsed() < patience);
    }

    /// What of these is not told: everything from the first of ours on. Where it was not known up to where it had been
    /// told, we made the conversation as far as we knew; and what stood there before others have told.
    fn since_ours(&self, mut events: Vec<Event>) -> Vec<Event> {
        let first = events.iter().position(|event| self.events.iter().any(|lost| lost.id == event.id));
        events.split_off(first.unwrap_or(events.len()))
    }

    /// How long to wait before the next look.
    fn next_pause(&mut self) -> Duration {
        let (shortest, longest) = RECHECK;
        let pause = self.pause.map_or(shortest, |pause| (pause * 2).min(longest));
        self.pause = Some(pause);
        pause
    }
}

/// A load under way.
struct Load {
    /// Number of the last question that had come when it began.
    behind: u64,
    /// Up to where had been told then.
    told: Option<i64>,
    /// Whether those who wait to begin had read by then.
    is_behind_readers: bool,
}

impl ConversationActor {
    /// Loads the state, together with what is known of the waiting commands' names and what is to be told.
    pub(super) fn load(&mut self, context: &mut Context<Self>) {
        self.belief = Belief::Loading;
        let database = self.registry.database().clone();
        let id = self.id;
        let keys = self.waiting.iter().filter_map(|pending| pending.command.idempotency_key()).collect();
        let told = self.told.position();
        let most = self.registry.settings().catch_up_max_events;
        let after = told.or_else(|| self.unconfirmed.first_position().map(|first| first - 1));
        let behind = after.map(|position| EventRange { position, most });
        let load = Load { behind: self.asked, told, is_behind_readers: self.listeners.have_read() };
        let reading = caught(async move { store::load(&database, id, keys, behind).await });
        context.spawn(wrap_future(reading).map(move |loaded, actor: &mut Self, context: &mut Context<Self>| {
            actor.guarded(context, |actor, context| actor.loaded(context, loaded, &load));
        }));
    }

    fn loaded(&mut self, context: &mut Context<Self>, loaded: Result<Snapshot, DatabaseError>, load: &Load) {
        // Should this panic, nothing is under way any more.
        self.belief = Belief::None;
        match loaded {
            Err(error) => {
                let error = CommandError::from(error);
                for pending in std::mem::take(&mut self.waiting) {
                    pending.answer(Err(error.clone()));
                }
                self.listeners.give_up(&error);
                // Asked for while the database is away, it must not cost an actor for minutes.
                if self.unconfirmed.is_empty() {
                    self.retire(context);
                }
            }
            Ok(mut snapshot) => {
                self.hear_of(&mut snapshot, load);
                for send in snapshot.sends {
                    self.remembered.insert(send.key, CachedSend::new(Arc::new(send.message), &send.conversation));
                }
                let unknown = snapshot.conversation.is_none();
                let speculation = Speculation::stored(snapshot.conversation, load.behind);
                self.belief = Belief::State(speculation);
                self.decide_waiting(context);
                // An id that was asked for and names nothing must not cost an actor for minutes.
                if unknown && !self.has_begun() {
                    self.belief = Belief::None;
                    self.retire(context);
                }
            }
        }
        if !self.unconfirmed.is_empty() {
            self.look_again(context);
        }
    }

    /// Has told what is stored and was not told yet.
    fn hear_of(&mut self, snapshot: &mut Snapshot, load: &Load) {
        let version = snapshot.conversation.as_ref().map_or(0, |conversation| conversation.version);
        let events = std::mem::take(&mut snapshot.events);
        let news = match self.told.position() {
            Some(told) => events.into_iter().skip_while(|event| event.position <= told).collect(),
            None => self.unconfirmed.since_ours(events),
        };
        let news = failpoints::untold(news);
        // What was told is stored: where the database has less it was put back, and goes on from there. What was told
        // while it was read — by an actor that retires — may be more than was read.
        let was_put_back = load.told.is_some_and(|told| version < told);
        if was_put_back || self.told.position().is_none_or(|told| told < version) {
            self.told.set(version);
        }
        if let Some(conversation) = &snapshot.conversation
            && !news.is_empty()
        {
            self.announce_found(Arc::new(conversation.clone()), news);
        }
        if load.is_behind_readers {
            self.listeners.have_all_up_to(version);
        }
        self.unconfirmed.resolve(version, Duration::from_secs(self.registry.settings().in_doubt_seconds));
    }

    /// Looks for unconfirmed events once more, after a pause, unless a command causes a load before.
    fn look_again(&mut self, context: &mut Context<Self>) {
        if self.next_look.is_some() {
            return;
        }
        let pause = self.unconfirmed.next_pause();
        self.next_look = Some(context.run_later(pause, |actor, context| {
            actor.next_look = None;
            if actor.unconfirmed.is_empty() || matches!(actor.belief, Belief::Loading) {
                return;
            }
            if actor.has_in_flight() {
                // The journal is at work again; what it says of these comes first.
                actor.look_again(context);
            } else {
                actor.load(context);
            }
        }));
    }

    /// Another server wrote: what is undecided and what was decided on a false ground is decided anew.
    pub(super) fn start_over(&mut self, context: &mut Context<Self>) {
        let later = std::mem::take(&mut self.waiting);
        for pending in self.in_flight.take_back() {
            if pending.conflicts <= MOST_CONFLICTS {
                self.waiting.push_back(pending);
            } else {
                pending.answer(Err(CommandError::Overloaded));
            }
        }
        self.waiting.extend(later);
        self.remembered.clear();
        self.load(context);
    }

    /// Gives up what is under way: its callers get the error, and what may be stored of it is looked for.
    pub(super) fn abandon(&mut self, context: &mut Context<Self>, error: &CommandError) {
        if let Belief::State(speculation) = &self.belief {
            speculation.epoch.abort();
        }
        let events = self.in_flight.abandon(error);
        for pending in std::mem::take(&mut self.waiting) {
            pending.answer(Err(error.clone()));
        }
        self.unconfirmed.extend(&events);
        self.remembered.clear();
        // A load under way comes back, and there must not be a second one beside it.
        if !matches!(self.belief, Belief::Loading) {
            self.belief = Belief::None;
        }
        if !self.unconfirmed.is_empty() {
            self.look_again(context);
        }
    }

    /// Whether something stands or is about to: a state, or a first message in flight.
    fn has_begun(&self) -> bool {
        self.has_in_flight() || matches!(&self.belief, Belief::State(speculation) if speculation.conversation.is_some())
    }

    fn has_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }
}
