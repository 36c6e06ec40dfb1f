//! Finds the actor of a conversation: the running one, or a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix::dev::SendError;
use actix::dev::channel::channel;
use actix::{Addr, Arbiter, ArbiterHandle, Context, Handler, Message};
use dashmap::{DashMap, Entry};
use tokio::sync::oneshot;

use super::actor::ConversationActor;
use super::announce::EventPublisher;
use super::clock::Clock;
use super::command::{Execute, Pending};
use super::core::{CommandError, ConversationCommand, Opened, Responder};
use super::identity::ConversationIds;
use super::known::Known;
use super::listening::{Backlog, Listen};
use super::told::{Kept, Told};
use crate::config::ConversationSettings;
use crate::database::{Database, DatabaseError};
use crate::domain::{Conversation, ConversationId, Open, Posted, UserId};
use crate::journal::Journal;

/// What actors work with.
pub struct RegistryParts {
    /// Where they read.
    pub database: Database,
    /// Where they write.
    pub journal: Journal,
    /// Who hears of what is stored.
    pub publisher: Arc<dyn EventPublisher>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of conversations that begin.
    pub ids: ConversationIds,
    /// Limits and times.
    pub settings: ConversationSettings,
    /// How long a caller waits for an answer.
    pub request_timeout: Duration,
}

/// All live conversations of this server, and the threads that they live on.
pub struct Registry {
    actors: DashMap<ConversationId, Addr<ConversationActor>>,
    /// Counted apart: the map's own count takes every one of its locks.
    live: AtomicUsize,
    /// Up to where those who listen have been told, beyond the actors.
    told: Kept,
    arbiters: Vec<Arbiter>,
    handles: Vec<ArbiterHandle>,
    parts: RegistryParts,
}

impl Registry {
    /// Starts the threads. Must be called in an actix system.
    #[must_use]
    pub fn start(parts: RegistryParts) -> Arc<Self> {
        let arbiters: Vec<Arbiter> = (0..parts.settings.arbiter_threads()).map(|_| Arbiter::new()).collect();
        let handles = arbiters.iter().map(Arbiter::handle).collect();
        let told = Kept::new(parts.settings.watermark_cache_size);
        Arc::new(Self { actors: DashMap::new(), live: AtomicUsize::new(0), told, arbiters, handles, parts })
    }

    /// Begins a conversation with a first message, or meets the one that a repeated first message made.
    ///
    /// # Errors
    /// As [`Registry::execute`].
    pub async fn open(self: &Arc<Self>, open: Open) -> Result<Opened, CommandError> {
        self.execute(self.parts.ids.for_opening(&open), open).await
    }

    /// The id that an account's conversation in the help center gets, where there is none yet.
    #[must_use]
    pub fn help_center_id(&self, account: &UserId) -> ConversationId {
        self.parts.ids.for_help_center(account)
    }

    /// Has a conversation's actor decide a command, and waits until what comes of it is durable.
    ///
    /// # Errors
    /// [`CommandError`]: refused by the rules, not now, or a defect. After [`CommandError::Unavailable`] what was asked
    /// may have happened; a repeat under the same `client_message_id` finds out.
    pub async fn execute<C: ConversationCommand>(
        self: &Arc<Self>,
        id: ConversationId,
        command: C,
    ) -> Result<C::Answer, CommandError> {
        let (responder, answer) = Responder::new::<C>();
        self.deliver(id, Execute(Pending { command: command.into(), responder, conflicts: 0, number: 0 }))?;
        match tokio::time::timeout(self.parts.request_timeout, answer).await {
            Ok(Ok(answer)) => answer,
            // The actor dropped the command: it panicked over it.
            Ok(Err(_)) => Err(CommandError::Fault),
            Err(_) => Err(CommandError::Unavailable),
        }
    }

    /// Lets somebody begin to listen to a conversation that goes on, and that has had `version` at some moment before:
    /// `read` finds what they have missed of it up to its newest message, oldest first, and `begin` gets that with what
    /// was announced meanwhile, and joins them. What is announced afterwards is what comes next, whichever server has
    /// stored it. `begin` runs on the conversation's thread and must not block. A read that takes longer than its
    /// caller waits for is given up.
    ///
    /// # Errors
    /// [`CommandError`]: not now, or the read failed; then `begin` was not called.
    pub async fn listen<T: Send + 'static>(
        self: &Arc<Self>,
        id: ConversationId,
        version: i64,
        read: impl Future<Output = Result<Vec<Posted>, DatabaseError>> + Send + 'static,
        begin: impl FnOnce(Backlog) -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let (reply, begun) = oneshot::channel();
        let begin = move |missed: Result<Backlog, CommandError>| {
            // Whoever has given up is not joined.
            if !reply.is_closed() {
                let _ = reply.send(missed.map(begin));
            }
        };
        let patience = self.parts.request_timeout;
        let read =
            async move { tokio::time::timeout(patience, read).await.unwrap_or(Err(DatabaseError::TimedOut(patience))) };
        self.deliver(id, Listen { version, read: Box::pin(read), begin: Box::new(begin) })?;
        match tokio::time::timeout(self.parts.request_timeout, begun).await {
            Ok(Ok(begun)) => begun,
            Ok(Err(_)) => Err(CommandError::Fault),
            Err(_) => Err(CommandError::Unavailable),
        }
    }

    /// What the running actor of a conversation holds true of it, where there is one that does, and the version that it
    /// knows to be stored, for [`Registry::join`]. Others may have written since: it is good for what never changes.
    pub async fn known(&self, id: ConversationId) -> Option<(Arc<Conversation>, i64)> {
        let (reply, answer) = oneshot::channel();
        let actor = self.actors.get(&id)?.clone();
        actor.try_send(Known(reply)).ok()?;
        tokio::time::timeout(self.parts.request_timeout, answer).await.ok()?.ok()
    }

    /// Lets somebody begin to listen who does not ask for what they have missed: what is stored behind `version`, which
    /// the conversation has had at some moment before, comes to them, whichever server stores it. Where those who
    /// listen here have been told less than `version`, they are told the rest first; beyond it nothing is looked for.
    /// `begin` must not block.
    ///
    /// # Errors
    /// As [`Registry::listen`].
    pub async fn join<T: Send + 'static>(
        self: &Arc<Self>,
        id: ConversationId,
        version: i64,
        begin: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        // Most conversations that are opened are not being written in: that costs no actor. While the entry is held
        // none begins.
        if let Entry::Vacant(_nobody) = self.actors.entry(id) {
            let told = self.told(id);
            let position = told.position();
            if position.is_none() {
                told.set(version);
                self.keep_told(id, &told);
            }
            // Otherwise those who are there must be told first what they have missed.
            if position.is_none_or(|position| position >= version) {
                return Ok(begin());
            }
        }
        self.listen(id, version, async { Ok(Vec::new()) }, |_| begin()).await
    }

    /// Puts a message into the mailbox of the running actor, or of a new one.
    ///
    /// The entry stays locked meanwhile: an actor that takes itself out of the registry has got, by then, everything
    /// that was sent to it.
    fn deliver<M>(self: &Arc<Self>, id: ConversationId, message: M) -> Result<(), CommandError>
    where
        M: Message<Result = ()> + Send + 'static,
        ConversationActor: Handler<M>,
    {
        match self.actors.entry(id) {
            Entry::Occupied(mut running) => match running.get().try_send(message) {
                Ok(()) => Ok(()),
                Err(SendError::Full(_)) => Err(CommandError::Overloaded),
                Err(SendError::Closed(message)) => {
                    // Its thread is gone, or it died beyond what it guards against.
                    let actor = self.start_actor(id)?;
                    let sent = send_first(&actor, message);
                    running.insert(actor);
                    sent
                }
            },
            Entry::Vacant(free) => {
                if self.live.load(Ordering::Relaxed) >= self.parts.settings.max_actors {
                    return Err(CommandError::Overloaded);
                }
                let actor = self.start_actor(id)?;
                let sent = send_first(&actor, message);
                free.insert(actor);
                self.live.fetch_add(1, Ordering::Relaxed);
                sent
            }
        }
    }

    fn start_actor(self: &Arc<Self>, id: ConversationId) -> Result<Addr<ConversationActor>, CommandError> {
        // The low bytes are random in both kinds of id that we make.
        let [.., high, low] = *id.0.as_bytes();
        let index = usize::from(u16::from_be_bytes([high, low])).checked_rem(self.handles.len());
        let arbiter = index.and_then(|index| self.handles.get(index)).ok_or(CommandError::Fault)?;
        let registry = Arc::clone(self);
        // The mailbox is made here and not by actix's own starter, which would give it room for 16 until the actor has
        // run for the first time.
        let (sender, receiver) = channel(self.parts.settings.mailbox);
        let is_running = arbiter.spawn_fn(move || {
            Context::with_receiver(receiver).run(ConversationActor::new(id, registry));
        });
        if is_running { Ok(Addr::new(sender)) } else { Err(CommandError::Unavailable) }
    }

    /// Has an actor retire as if nobody had used it for a while, unless it has something to do.
    #[cfg(test)]
    pub(super) fn let_go(&self, id: ConversationId) {
        if let Some(actor) = self.actors.get(&id) {
            actor.do_send(super::retiring::Unused);
        }
    }

    /// Takes an actor out, unless another has taken its place.
    pub(super) fn forget(&self, id: ConversationId, actor: &Addr<ConversationActor>) {
        if self.actors.remove_if(&id, |_, registered| registered == actor).is_some() {
            self.live.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether what is asked can be stored at all.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.parts.journal.is_running()
    }

    /// How many conversations are live on this server.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Whether this one is.
    #[cfg(test)]
    pub(super) fn is_live(&self, id: ConversationId) -> bool {
        self.actors.contains_key(&id)
    }

    /// Ends all actors and their threads. What is still under way there is lost: flush first.
    pub fn stop(&self) {
        self.actors.clear();
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
    }

    /// Up to where those who listen have been told, as far as it is known.
    pub(super) fn told(&self, id: ConversationId) -> Told {
        self.told.of(id)
    }

    /// An actor is about to leave the registry.
    pub(super) fn keep_told(&self, id: ConversationId, told: &Told) {
        self.told.keep(id, told);
    }

    /// An actor that has left the registry ends.
    pub(super) fn tidy_told(&self, id: ConversationId, told: &Told) {
        self.told.tidy(id, told);
    }

    pub(super) fn database(&self) -> &Database {
        &self.parts.database
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.parts.journal
    }

    pub(super) fn publisher(&self) -> &dyn EventPublisher {
        self.parts.publisher.as_ref()
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.parts.clock.as_ref()
    }

    pub(super) fn settings(&self) -> &ConversationSettings {
        &self.parts.settings
    }
}

/// A new mailbox takes its first message.
fn send_first<M>(actor: &Addr<ConversationActor>, message: M) -> Result<(), CommandError>
where
    M: Message<Result = ()> + Send + 'static,
    ConversationActor: Handler<M>,
{
    actor.try_send(message).map_err(|_| CommandError::Overloaded)
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registry").field("live", &self.live()).finish_non_exhaustive()
    }
}
