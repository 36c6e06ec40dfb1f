//! Finds the actor of a conversation, or starts it.
//!
//! At most `conversation.max_actors` run. For another one the longest idle actor is passivated, and its slot handed to
//! the newcomer; a newcomer is refused only while no actor is idle.

use std::sync::Arc;

use actix::dev::SendError;
use actix::dev::channel::channel;
use actix::{Addr, Arbiter, ArbiterHandle, Context, Handler, Message};
use dashmap::{DashMap, Entry};
use tokio::sync::oneshot;

use super::actor::{ConversationActor, Execute, PassivateIfIdle, Peek, Registration, Subscribe};
use super::actor_slots::{ActorSlot, ActorSlots};
use super::core::{Backlog, CommandError, ConversationCommand, Opened, Responder};
use super::services::{ActorServices, RegistryParts};
use crate::database::DatabaseError;
use crate::domain::{Conversation, ConversationId, Open, Posted, UserId};

/// All live conversations of this server, and their threads.
pub struct Registry {
    actors: DashMap<ConversationId, Running>,
    slots: ActorSlots,
    arbiters: Vec<Arbiter>,
    handles: Vec<ArbiterHandle>,
    services: Arc<ActorServices>,
}

/// A running actor.
struct Running {
    actor: Addr<ConversationActor>,
    slot: ActorSlot,
}

/// Why a message is in no mailbox.
enum Undelivered<M> {
    /// The conversation has no actor, and all slots are taken.
    NoSlot(M),
    Failed(CommandError, M),
}

/// Idle actors that a newcomer asks to give way, one after another. Each can have become busy since it was chosen.
const ATTEMPTS: usize = 16;

impl Registry {
    /// Starts the threads. Must be called in an actix system.
    #[must_use]
    pub fn start(parts: RegistryParts) -> Arc<Self> {
        let arbiters: Vec<Arbiter> = (0..parts.settings.arbiter_threads()).map(|_| Arbiter::new()).collect();
        let handles = arbiters.iter().map(Arbiter::handle).collect();
        let services = Arc::new(ActorServices::new(parts));
        let slots = ActorSlots::new(services.parts.settings.max_actors);
        Arc::new(Self { actors: DashMap::new(), slots, arbiters, handles, services })
    }

    /// Opens a conversation with its first message, or finds the one that this message has opened before.
    ///
    /// # Errors
    /// As [`Registry::execute`].
    pub async fn open(self: &Arc<Self>, open: Open) -> Result<Opened, CommandError> {
        self.execute(self.services.parts.ids.for_opening(&open), open).await
    }

    /// The id that an account's conversation in the help center gets when it is created.
    #[must_use]
    pub fn help_center_id(&self, account: &UserId) -> ConversationId {
        self.services.parts.ids.for_help_center(account)
    }

    /// Gives a command to the conversation's actor, and waits until its result is durable.
    ///
    /// # Errors
    /// [`CommandError`]. After [`CommandError::Unavailable`] the command may have taken effect; a repeat with the same
    /// `client_message_id` finds out.
    pub async fn execute<C: ConversationCommand>(
        self: &Arc<Self>,
        id: ConversationId,
        command: C,
    ) -> Result<C::Answer, CommandError> {
        let (responder, answer) = Responder::new::<C>();
        self.deliver_or_make_room(id, Execute(command.into(), responder)).await.map_err(|(error, _)| error)?;
        match tokio::time::timeout(self.services.parts.request_timeout, answer).await {
            Ok(Ok(answer)) => answer,
            // The actor has dropped the command: it panicked over it.
            Ok(Err(_)) => Err(CommandError::Fault),
            Err(_) => Err(CommandError::Unavailable),
        }
    }

    /// Subscribes in the middle of a conversation that has had `version` before: `read` reads the messages that the
    /// subscriber has missed, up to the newest, oldest first, and `attach` gets the backlog and attaches the subscriber.
    /// Events published afterwards directly follow the backlog, whichever server has stored them. `attach` runs on the
    /// conversation's thread and must not block. A read times out after the request timeout.
    ///
    /// # Errors
    /// [`CommandError`]; `attach` is not called then.
    pub async fn subscribe_with_backlog<T: Send + 'static>(
        self: &Arc<Self>,
        id: ConversationId,
        version: i64,
        read: impl Future<Output = Result<Vec<Posted>, DatabaseError>> + Send + 'static,
        attach: impl FnOnce(Backlog) -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let (reply, attached) = oneshot::channel();
        let attach = move |backlog: Result<Backlog, CommandError>| {
            // A subscriber that has given up is not attached.
            if !reply.is_closed() {
                let _ = reply.send(backlog.map(attach));
            }
        };
        let limit = self.services.parts.request_timeout;
        let read =
            async move { tokio::time::timeout(limit, read).await.unwrap_or(Err(DatabaseError::TimedOut(limit))) };
        let subscriber = Subscribe { version, read: Box::pin(read), attach: Box::new(attach) };
        self.deliver_or_make_room(id, subscriber).await.map_err(|(error, _)| error)?;
        match tokio::time::timeout(self.services.parts.request_timeout, attached).await {
            Ok(Ok(attached)) => attached,
            Ok(Err(_)) => Err(CommandError::Fault),
            Err(_) => Err(CommandError::Unavailable),
        }
    }

    /// Subscribes without a backlog: what is stored after `version`, which the conversation has had before, is
    /// published to the subscriber, whichever server stores it. If less than `version` is published here so far, the
    /// rest is published first; nothing beyond it is looked for. `attach` must not block.
    ///
    /// # Errors
    /// As [`Registry::subscribe_with_backlog`].
    pub async fn subscribe<T: Send + 'static>(
        self: &Arc<Self>,
        id: ConversationId,
        version: i64,
        attach: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        // Most conversations that are joined are not being written to: that needs no actor. While the entry is held,
        // none starts.
        if let Entry::Vacant(_no_actor) = self.actors.entry(id) {
            let watermark = self.services.watermarks.get(id);
            let position = watermark.position();
            if position.is_none() {
                watermark.set(version);
                self.services.watermarks.keep(id, &watermark);
            }
            // Otherwise the present subscribers must receive first what they have missed.
            if position.is_none_or(|position| position >= version) {
                return Ok(attach());
            }
        }
        self.subscribe_with_backlog(id, version, async { Ok(Vec::new()) }, |_| attach()).await
    }

    /// The state that the running actor of a conversation has cached, if there is one, and the version that it knows to
    /// be stored, for [`Registry::subscribe`]. It saves a read, and is good for what never changes, such as the owner:
    /// the state may lack what another server has stored, and include what is just being stored, so nothing of it may
    /// be shown.
    pub async fn peek(&self, id: ConversationId) -> Option<(Arc<Conversation>, i64)> {
        let (reply, answer) = oneshot::channel();
        let actor = self.actors.get(&id)?.actor.clone();
        actor.try_send(Peek(reply)).ok()?;
        tokio::time::timeout(self.services.parts.request_timeout, answer).await.ok()?.ok()
    }

    /// Puts a message into the mailbox of the running actor, or of a new one, for which an idle actor may have to give
    /// way. On an error the message is returned.
    async fn deliver_or_make_room<M>(self: &Arc<Self>, id: ConversationId, message: M) -> Result<(), (CommandError, M)>
    where
        M: Message<Result = ()> + Send + 'static,
        ConversationActor: Handler<M>,
    {
        let message = match self.deliver(id, message, None) {
            Ok(()) => return Ok(()),
            Err(Undelivered::Failed(error, message)) => return Err((error, message)),
            Err(Undelivered::NoSlot(message)) => message,
        };
        let room = tokio::time::timeout(self.services.parts.request_timeout, self.make_room()).await;
        let Ok(Some(slot)) = room else { return Err((CommandError::Overloaded, message)) };
        self.deliver(id, message, Some(slot)).map_err(|undelivered| match undelivered {
            Undelivered::Failed(error, message) => (error, message),
            Undelivered::NoSlot(message) => (CommandError::Overloaded, message),
        })
    }

    /// A free slot, or that of the longest idle actor, which is passivated; `None` if every actor is busy.
    async fn make_room(&self) -> Option<ActorSlot> {
        for _ in 0..ATTEMPTS {
            if let Some(slot) = self.slots.take() {
                return Some(slot);
            }
            let idle = self.slots.pop_longest_idle()?;
            let (newcomer, slot) = oneshot::channel();
            if let Some(running) = self.actors.get(&idle) {
                running.actor.do_send(PassivateIfIdle(newcomer));
            }
            // An error means that it has become busy, or has ended.
            if let Ok(slot) = slot.await {
                return Some(slot);
            }
        }
        None
    }

    /// Puts a message into the mailbox of the running actor, or of a new one, which takes `slot` or a free one.
    ///
    /// The entry stays locked meanwhile: when an actor has removed itself from the registry, everything that was sent
    /// to it is in its mailbox.
    fn deliver<M>(
        self: &Arc<Self>,
        id: ConversationId,
        message: M,
        slot: Option<ActorSlot>,
    ) -> Result<(), Undelivered<M>>
    where
        M: Message<Result = ()> + Send + 'static,
        ConversationActor: Handler<M>,
    {
        let failed = |(error, message)| Undelivered::Failed(error, message);
        match self.actors.entry(id) {
            Entry::Occupied(mut running) => {
                // Before it is sent: the actor adds itself again when it has handled the message.
                self.slots.remove_idle(id);
                match running.get().actor.try_send(message) {
                    Ok(()) => Ok(()),
                    Err(SendError::Full(message)) => Err(failed((CommandError::Overloaded, message))),
                    Err(SendError::Closed(message)) => {
                        // Its thread has ended, or it has.
                        let actor = match self.start_actor(id) {
                            Ok(actor) => actor,
                            Err(error) => return Err(failed((error, message))),
                        };
                        let sent = send_first(&actor, message);
                        running.get_mut().actor = actor;
                        sent.map_err(failed)
                    }
                }
            }
            Entry::Vacant(free) => {
                let Some(slot) = slot.or_else(|| self.slots.take()) else {
                    return Err(Undelivered::NoSlot(message));
                };
                let actor = match self.start_actor(id) {
                    Ok(actor) => actor,
                    Err(error) => return Err(failed((error, message))),
                };
                let sent = send_first(&actor, message);
                free.insert(Running { actor, slot });
                sent.map_err(failed)
            }
        }
    }

    fn start_actor(self: &Arc<Self>, id: ConversationId) -> Result<Addr<ConversationActor>, CommandError> {
        // The low bytes are random in both kinds of id that we make.
        let [.., high, low] = *id.0.as_bytes();
        let index = usize::from(u16::from_be_bytes([high, low])).checked_rem(self.handles.len());
        let arbiter = index.and_then(|index| self.handles.get(index)).ok_or(CommandError::Fault)?;
        let services = Arc::clone(&self.services);
        let registration = Box::new(Registered { id, registry: Arc::clone(self) });
        // Actix's own starter gives a mailbox a capacity of 16 until the actor has run for the first time.
        let (sender, receiver) = channel(self.services.parts.settings.mailbox);
        let is_running = arbiter.spawn_fn(move || {
            Context::with_receiver(receiver).run(ConversationActor::new(id, services, registration));
        });
        if is_running { Ok(Addr::new(sender)) } else { Err(CommandError::Unavailable) }
    }

    /// Passivates an actor as if it had been unused for long, unless it is busy.
    #[cfg(test)]
    pub(super) fn passivate(&self, id: ConversationId) {
        if let Some(running) = self.actors.get(&id) {
            running.actor.do_send(PassivateIfIdle(oneshot::channel().0));
        }
    }

    /// Removes an actor, unless another has replaced it, and gives its slot.
    fn forget(&self, id: ConversationId, actor: &Addr<ConversationActor>) -> Option<ActorSlot> {
        let is_registered = |_: &ConversationId, running: &Running| {
            let is_registered = running.actor == *actor;
            if is_registered {
                // While the entry is locked: the conversation's next actor may become idle at once.
                self.slots.remove_idle(id);
            }
            is_registered
        };
        self.actors.remove_if(&id, is_registered).map(|(_, running)| running.slot)
    }

    /// Whether anything can be stored at all.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.services.parts.journal.is_running()
    }

    /// Whether the database has just been unable to store something: it is read-only or full.
    #[must_use]
    pub fn cannot_store(&self) -> bool {
        self.services.parts.journal.cannot_store()
    }

    /// How many conversations are live on this server.
    #[must_use]
    pub fn live(&self) -> usize {
        self.slots.taken()
    }

    /// How many of them are known to be idle.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.slots.idle()
    }

    /// Whether this one is live.
    #[cfg(test)]
    pub(super) fn is_live(&self, id: ConversationId) -> bool {
        self.actors.contains_key(&id)
    }

    /// Ends all actors and their threads. What is in flight there is lost: flush the journal first.
    pub fn stop(&self) {
        self.actors.clear();
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
    }
}

/// One actor's place in the registry.
struct Registered {
    id: ConversationId,
    registry: Arc<Registry>,
}

impl Registration for Registered {
    fn forget(&self, actor: &Addr<ConversationActor>) -> Option<ActorSlot> {
        self.registry.forget(self.id, actor)
    }

    fn idle(&self) {
        self.registry.slots.add_idle(self.id);
    }

    fn forward_command(&self, command: Execute) {
        self.forward(command, |error, Execute(_, responder)| responder.respond(Err(error)));
    }

    fn forward_subscriber(&self, subscriber: Subscribe) {
        self.forward(subscriber, |error, Subscribe { attach, .. }| attach(Err(error)));
    }
}

impl Registered {
    /// Forwards at once if there is an actor or room for one, and otherwise when there is.
    fn forward<M>(&self, message: M, fail: impl FnOnce(CommandError, M) + 'static)
    where
        M: Message<Result = ()> + Send + 'static,
        ConversationActor: Handler<M>,
    {
        match self.registry.deliver(self.id, message, None) {
            Ok(()) => {}
            Err(Undelivered::Failed(error, message)) => fail(error, message),
            Err(Undelivered::NoSlot(message)) => {
                let (id, registry) = (self.id, Arc::clone(&self.registry));
                actix::spawn(async move {
                    if let Err((error, message)) = registry.deliver_or_make_room(id, message).await {
                        fail(error, message);
                    }
                });
            }
        }
    }
}

/// A new mailbox is empty: it takes the message.
fn send_first<M>(actor: &Addr<ConversationActor>, message: M) -> Result<(), (CommandError, M)>
where
    M: Message<Result = ()> + Send + 'static,
    ConversationActor: Handler<M>,
{
    actor.try_send(message).map_err(|error| match error {
        SendError::Full(message) | SendError::Closed(message) => (CommandError::Overloaded, message),
    })
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registry").field("live", &self.live()).finish_non_exhaustive()
    }
}
