//! What an actor does when what it believed is not so (`architecture.md`, "A message's way", 7 and 8).
//!
//! - Another server wrote to the conversation: load again, decide the unanswered commands anew, in order. Their callers
//!   notice nothing.
//! - A commit failed, or the actor panicked: every unanswered command gets an error and the belief is dropped. Whether
//!   the events are stored is not known; the next load tells, and what is stored of them is announced then, once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{AsyncContext, Context};
use tokio::time::Instant;

use super::actor::{Belief, ConversationActor, Speculation};
use super::command::CommandError;
use super::reading::caught;
use super::remembered::KnownSend;
use crate::database::DatabaseError;
use crate::domain::Event;
use crate::store::{self, Snapshot};

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

/// Events that were handed to the journal and of which it is not known whether they are stored.
#[derive(Debug, Default)]
pub(super) struct Unconfirmed {
    events: VecDeque<(Instant, Event)>,
    pause: Option<Duration>,
}

impl Unconfirmed {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().map(|(_, event)| event)
    }

    fn extend(&mut self, events: Vec<Event>) {
        let now = Instant::now();
        self.events.extend(events.into_iter().map(|event| (now, event)));
        self.pause = None;
    }

    /// The positions at which they would stand.
    fn positions(&self) -> Option<std::ops::RangeInclusive<i64>> {
        let positions = self.events.iter().map(|(_, event)| event.position);
        Some(positions.clone().min()?..=positions.max()?)
    }

    /// Sorts them by what a load found: those that are stored are given back, in order; those whose place something
    /// else took are forgotten; the rest may still come — a database that was halted finishes what it had begun —
    /// and are kept until `patience` is over.
    fn resolve(&mut self, snapshot: &Snapshot, patience: Duration) -> Vec<Event> {
        let version = snapshot.conversation.as_ref().map_or(0, |conversation| conversation.version);
        let (mut stored, mut open) = (Vec::new(), VecDeque::new());
        for (since, event) in std::mem::take(&mut self.events) {
            // One that landed behind the state that was read is told of when the state is read that has it.
            if event.position <= version && snapshot.events.contains(&event.id) {
                stored.push(event);
            } else if event.position > version && since.elapsed() < patience {
                open.push_back((since, event));
            }
        }
        self.events = open;
        stored.sort_by_key(|event| event.position);
        stored
    }

    /// How long to wait before the next look.
    fn next_pause(&mut self) -> Duration {
        let (shortest, longest) = RECHECK;
        let pause = self.pause.map_or(shortest, |pause| (pause * 2).min(longest));
        self.pause = Some(pause);
        pause
    }
}

impl ConversationActor {
    /// Loads the state, together with what is known of the waiting commands' names and of unconfirmed events.
    pub(super) fn load(&mut self, context: &mut Context<Self>) {
        self.belief = Belief::Loading;
        let database = self.registry.database().clone();
        let id = self.id;
        let keys = self.waiting.iter().filter_map(|pending| pending.command.send_key()).collect();
        let positions = self.unconfirmed.positions();
        let behind = self.asked;
        let load = caught(async move { store::load(&database, id, keys, positions).await });
        context.spawn(wrap_future(load).map(move |loaded, actor: &mut Self, context: &mut Context<Self>| {
            actor.guarded(context, |actor, context| actor.loaded(context, loaded, behind));
        }));
    }

    fn loaded(&mut self, context: &mut Context<Self>, loaded: Result<Snapshot, DatabaseError>, behind: u64) {
        // Should this panic, nothing is under way any more.
        self.belief = Belief::None;
        match loaded {
            Err(error) => {
                let error = CommandError::from(error);
                for pending in std::mem::take(&mut self.waiting) {
                    pending.answer(Err(error.clone()));
                }
                // Asked for while the database is away, it must not cost an actor for minutes.
                if self.unconfirmed.is_empty() {
                    self.retire(context);
                }
            }
            Ok(snapshot) => {
                let patience = Duration::from_secs(self.registry.settings().unconfirmed_seconds);
                let stored = self.unconfirmed.resolve(&snapshot, patience);
                for send in snapshot.sends {
                    self.remembered.insert(send.key, KnownSend::new(Arc::new(send.message), &send.conversation));
                }
                let unknown = snapshot.conversation.is_none();
                let speculation = Speculation::stored(snapshot.conversation, behind);
                if let Some(conversation) = &speculation.conversation
                    && !stored.is_empty()
                {
                    self.announce_found(Arc::clone(conversation), stored);
                }
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
            speculation.lineage.break_off();
        }
        let events = self.in_flight.abandon(error);
        for pending in std::mem::take(&mut self.waiting) {
            pending.answer(Err(error.clone()));
        }
        self.unconfirmed.extend(events);
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
