//! Carries out the machine's effects.

use std::panic::{AssertUnwindSafe, catch_unwind};

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{AsyncContext, Context, SpawnHandle};

use super::ConversationActor;
use super::messages::Settled;
use crate::conversation::catch_panic::catch_panic;
use crate::conversation::core::{
    AppendEvents, CommandError, Effect, EpochNumber, Input, LoadQuery, LoadedState, Lookup, Publication, StoredSend,
    SubscriberId, Timer,
};
use crate::database::DatabaseError;
use crate::domain::IdempotencyKey;
use crate::journal::{self, Completion};
use crate::store::{self, EventRange};

/// The journal's epoch that belongs to the machine's present one.
#[derive(Default)]
pub(super) struct JournalEpoch(Option<(EpochNumber, journal::Epoch)>);

impl JournalEpoch {
    fn get(&mut self, epoch: EpochNumber) -> journal::Epoch {
        if let Some((current, journal)) = &self.0
            && *current == epoch
        {
            return journal.clone();
        }
        let journal = journal::Epoch::begin();
        self.0 = Some((epoch, journal.clone()));
        journal
    }

    fn abort(&self, epoch: EpochNumber) {
        if let Some((current, journal)) = &self.0
            && *current == epoch
        {
            journal.abort();
        }
    }
}

/// The machine's timers that are running.
#[derive(Default)]
pub(super) struct Timers {
    unused: Option<SpawnHandle>,
    in_doubt: Option<SpawnHandle>,
    version_check: Option<SpawnHandle>,
}

impl Timers {
    fn slot(&mut self, timer: Timer) -> &mut Option<SpawnHandle> {
        match timer {
            Timer::Unused => &mut self.unused,
            Timer::InDoubt => &mut self.in_doubt,
            Timer::VersionCheck => &mut self.version_check,
        }
    }
}

impl ConversationActor {
    /// Carries out an effect; gives the input that must follow at once, if there is one.
    pub(super) fn execute(&mut self, effect: Effect, context: &mut Context<Self>) -> Option<Input> {
        match effect {
            Effect::Append(append) => return Some(self.append(append, context)),
            Effect::AbortEpoch(epoch) => self.epoch.abort(epoch),
            Effect::Load(load) => self.load(load, context),
            Effect::ReadVersion => self.read_version(context),
            Effect::FindSend { lookup, key } => self.find_send(lookup, key, context),
            Effect::Reply(responder, outcome) => responder.respond(outcome),
            Effect::Publish(publication) => self.publish(&publication),
            Effect::ReadBacklogs(subscribers) => self.read_backlogs(subscribers, context),
            Effect::Attach(subscriber, backlog) => {
                let subscriptions = &mut self.subscriptions;
                let attach = AssertUnwindSafe(|| subscriptions.attach(subscriber, backlog));
                if catch_unwind(attach).is_err() {
                    tracing::error!(conversation = %self.id, "a subscriber panicked");
                }
            }
            Effect::SetTimer(timer, pause) => {
                let handle = context.run_later(pause, move |actor, context| {
                    *actor.timers.slot(timer) = None;
                    actor.input(Input::Tick(timer), context);
                });
                if let Some(replaced) = self.timers.slot(timer).replace(handle) {
                    context.cancel_future(replaced);
                }
            }
            Effect::Passivate => self.leave_registry(context.address()),
            Effect::Stop => self.stop(context),
        }
        None
    }

    /// Hands events to the journal; gives its answer.
    fn append(&mut self, append: AppendEvents, context: &mut Context<Self>) -> Input {
        let AppendEvents { epoch, expected_version, events, state } = append;
        let (actor, version) = (context.address(), state.version);
        let append = journal::Append {
            conversation: self.id,
            epoch: self.epoch.get(epoch),
            expected_version,
            events,
            state,
            // At most as many as are in flight, which is bounded: the mailbox's own limit must not delay them.
            done: Completion::new(move |outcome| actor.do_send(Settled { epoch, version, outcome })),
        };
        if self.services.parts.journal.append(append).is_ok() { Input::Queued } else { Input::QueueFull }
    }

    fn publish(&self, publication: &Publication) {
        let publish = || self.services.parts.publisher.publish(&publication.conversation, publication.events());
        if catch_unwind(AssertUnwindSafe(publish)).is_err() {
            tracing::error!(conversation = %self.id, "the publisher panicked; these events are not announced");
        }
    }

    fn load(&self, load: LoadQuery, context: &mut Context<Self>) {
        let (database, id, events) = (self.services.parts.database.clone(), self.id, load.events.map(EventRange::from));
        let read = async move { store::load(&database, id, load.keys, events).await };
        Self::read(context, read, |loaded| Input::Loaded(loaded.map(|loaded| Box::new(LoadedState::from(loaded)))));
    }

    fn read_version(&self, context: &mut Context<Self>) {
        let (database, id) = (self.services.parts.database.clone(), self.id);
        Self::read(context, async move { store::version(&database, id).await }, Input::VersionRead);
    }

    fn find_send(&self, lookup: Lookup, key: IdempotencyKey, context: &mut Context<Self>) {
        let database = self.services.parts.database.clone();
        Self::read(context, async move { store::find_send(&database, key).await }, move |found| {
            let found = found.map(|found| found.map(|found| Box::new(StoredSend::from(found))));
            Input::SendFound { lookup, found }
        });
    }

    fn read_backlogs(&mut self, subscribers: Vec<SubscriberId>, context: &mut Context<Self>) {
        let read = wrap_future(self.subscriptions.read(subscribers));
        context.spawn(read.map(|backlogs, actor: &mut Self, context: &mut Context<Self>| {
            actor.input(Input::BacklogsRead(backlogs), context);
        }));
    }

    /// Reads from the database; the result becomes an input.
    fn read<T: 'static>(
        context: &mut Context<Self>,
        read: impl Future<Output = Result<T, DatabaseError>> + 'static,
        input: impl FnOnce(Result<T, CommandError>) -> Input + 'static,
    ) {
        let read = wrap_future(catch_panic(read));
        context.spawn(read.map(move |read, actor: &mut Self, context: &mut Context<Self>| {
            actor.input(input(read.map_err(CommandError::from)), context);
        }));
    }
}
