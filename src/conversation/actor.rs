//! The actor of one conversation.
//!
//! It decides a command on what it believes to be the state, hands the events to the journal, and goes on: it never
//! waits for the disk. Answers and announcements are held until everything that they rest on is durable, and leave in
//! order; what changes nothing is looked at once more, see `overtaken`. When the belief turns out wrong — another
//! server wrote, a commit failed, something panicked — it is dropped and loaded again: see `recovery`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, AsyncContext, Context, Handler, Message, SpawnHandle};
use tokio::time::Instant;

use super::command::{Execute, Pending};
use super::core::{CachedSend, CommandError, Outcome};
use super::in_flight::{Decided, Ground, InFlight};
use super::listening::Listeners;
use super::overtaken::{Looks, Seen};
use super::reading::caught;
use super::recovery::Unconfirmed;
use super::registry::Registry;
use super::remembered::Remembered;
use super::retiring::Stay;
use super::told::Told;
use crate::domain::{Command, Conversation, ConversationId, Event, EventId, IdempotencyKey, Refusal, decide, permit};
use crate::failpoints;
use crate::journal::{Append, AppendOutcome, Completion, Epoch};

/// What the actor holds true of its conversation.
#[derive(Debug)]
pub(super) enum Belief {
    /// Nothing: it must be loaded before anything is decided.
    None,
    /// Nothing yet: it is being loaded.
    Loading,
    /// This.
    State(Speculation),
}

/// The state as of the last decided event, and how much of it is stored.
#[derive(Debug)]
pub(super) struct Speculation {
    /// `None` before the first event.
    pub(super) conversation: Option<Arc<Conversation>>,
    /// Position of the last stored event.
    pub(super) durable: i64,
    pub(super) epoch: Epoch,
    /// That there is no conversation is not known but taken for granted, to spare a first message the look. Only the
    /// fence can be relied on then, so nothing but a first message is decided on it.
    pub(super) is_assumed: bool,
    /// The last that is known of what is stored, whoever wrote it.
    pub(super) seen: Option<Seen>,
}

impl Speculation {
    /// What a read found that began behind so many questions.
    pub(super) fn stored(conversation: Option<Conversation>, behind: u64) -> Self {
        let version = conversation.as_ref().map_or(0, |conversation| conversation.version);
        // Read one after the other, these may be newer than the version that was read with them.
        let is_of_one_moment = conversation
            .as_ref()
            .is_none_or(|conversation| conversation.ticket.is_none() && conversation.pending_handover.is_none());
        Self {
            conversation: conversation.map(Arc::new),
            durable: version,
            epoch: Epoch::begin(),
            is_assumed: false,
            seen: is_of_one_moment.then_some(Seen { version, behind }),
        }
    }

    fn assumed_absent() -> Self {
        Self { conversation: None, durable: 0, epoch: Epoch::begin(), is_assumed: true, seen: None }
    }

    /// Whether this command may be decided on it.
    fn bears(&self, command: &Command) -> bool {
        !self.is_assumed || self.conversation.is_some() || command.creates_conversation()
    }

    fn version(&self) -> i64 {
        self.conversation.as_ref().map_or(0, |conversation| conversation.version)
    }
}

/// One conversation.
pub(super) struct ConversationActor {
    pub(super) id: ConversationId,
    pub(super) registry: Arc<Registry>,
    pub(super) belief: Belief,
    /// Not yet decided; empty while there is a belief.
    pub(super) waiting: std::collections::VecDeque<Pending>,
    pub(super) in_flight: InFlight,
    pub(super) remembered: Remembered,
    pub(super) unconfirmed: Unconfirmed,
    pub(super) told: Told,
    /// Commands whose name is being looked for in the database, see [`Self::refuse_unless_repeated`].
    pub(super) looking_up: usize,
    pub(super) next_look: Option<SpawnHandle>,
    pub(super) listeners: Listeners,
    pub(super) last_used: Instant,
    pub(super) stay: Stay,
    /// How many commands have come.
    pub(super) asked: u64,
    pub(super) looks: Looks,
}

impl ConversationActor {
    pub(super) fn new(id: ConversationId, registry: Arc<Registry>) -> Self {
        let told = registry.told(id);
        Self {
            id,
            registry,
            told,
            belief: Belief::None,
            waiting: std::collections::VecDeque::new(),
            in_flight: InFlight::default(),
            remembered: Remembered::default(),
            unconfirmed: Unconfirmed::default(),
            looking_up: 0,
            next_look: None,
            listeners: Listeners::default(),
            last_used: Instant::now(),
            stay: Stay::default(),
            asked: 0,
            looks: Looks::default(),
        }
    }

    /// Does something that may panic. A panic costs the commands under way, not the actor and not the server.
    pub(super) fn guarded(&mut self, context: &mut Context<Self>, work: impl FnOnce(&mut Self, &mut Context<Self>)) {
        self.caught(context, work);
        self.caught(context, Self::begin_those_who_have_read);
        self.retire_if_useless(context);
        self.leave_if_done(context);
    }

    fn caught(&mut self, context: &mut Context<Self>, work: impl FnOnce(&mut Self, &mut Context<Self>)) {
        if catch_unwind(AssertUnwindSafe(|| work(self, context))).is_err() {
            tracing::error!(conversation = %self.id, "a conversation's actor panicked; its state is loaded again");
            self.abandon(context, &CommandError::Fault);
        }
    }

    fn take(&mut self, context: &mut Context<Self>, mut pending: Pending) {
        failpoints::forget_name(&mut pending.command);
        self.asked += 1;
        pending.number = self.asked;
        if self.waiting.len() + self.in_flight.len() + self.looking_up >= self.registry.settings().in_flight {
            pending.answer(Err(CommandError::Overloaded));
            return;
        }
        // A conversation that is just being made needs no look into the database: should it be there after all, the
        // fence says so.
        if matches!(self.belief, Belief::None) && pending.command.creates_conversation() && pending.conflicts == 0 {
            self.belief = Belief::State(Speculation::assumed_absent());
        }
        self.waiting.push_back(pending);
        match self.belief {
            Belief::None => self.load(context),
            Belief::Loading => {}
            Belief::State(_) => self.decide_waiting(context),
        }
    }

    pub(super) fn decide_waiting(&mut self, context: &mut Context<Self>) {
        // In front of what is decided now: should that panic, it is out.
        if !self.listeners.are_full() {
            self.release_found();
        }
        while matches!(self.belief, Belief::State(_)) {
            let Some(pending) = self.waiting.pop_front() else { break };
            self.decide_one(context, pending);
        }
        self.release(context);
    }

    fn decide_one(&mut self, context: &mut Context<Self>, pending: Pending) {
        failpoints::panic_now_and_then();
        let Belief::State(speculation) = &mut self.belief else { return };
        // Its caller was told 503 and may send it again: done now, it would be done twice.
        if pending.responder.is_closed() {
            return;
        }
        if !speculation.bears(&pending.command) {
            self.waiting.push_front(pending);
            self.load(context);
            return;
        }
        let state = speculation.conversation.as_deref();
        let rests_on = speculation.version();
        if let Err(refusal) = permit(state, &pending.command) {
            self.in_flight.push(Decided { pending, answer: Err(refusal), ground: Ground::State, rests_on });
            return;
        }
        if let Some(known) = pending.command.idempotency_key().and_then(|key| self.remembered.get(&key)) {
            let answer = known.repeat(&pending.command, self.id);
            self.in_flight.push(Decided { pending, answer, ground: Ground::Repeated, rests_on });
            return;
        }
        match decide(state, &pending.command) {
            Err(refusal) => {
                // What the state refuses may be the repeat of what it once took.
                let is_final = refusal.precedes_repeat();
                let ground = if is_final { Ground::State } else { Ground::StateUnlessRepeated };
                self.in_flight.push(Decided { pending, answer: Err(refusal), ground, rests_on });
            }
            Ok(changes) => {
                let events = Event::in_sequence(self.id, state, self.registry.clock().now(), changes, || {
                    EventId(uuid::Uuid::now_v7())
                });
                self.happen(context, pending, events);
            }
        }
    }

    /// Believes in the events and hands them to the journal.
    fn happen(&mut self, context: &mut Context<Self>, pending: Pending, events: Vec<Event>) {
        let Belief::State(speculation) = &mut self.belief else { return };
        let expected_version = speculation.version();
        let before = speculation.conversation.as_deref().cloned();
        let Some(after) = events.iter().fold(before, Conversation::apply).map(Arc::new) else {
            pending.answer(Err(CommandError::Fault));
            return;
        };
        let outcome = Outcome::applied(Arc::clone(&after), &events);
        let message = outcome.message().cloned();
        let answer = Ok(outcome);
        if events.is_empty() {
            let ground = Ground::State;
            self.in_flight.push(Decided { pending, answer, ground, rests_on: expected_version });
            return;
        }
        let events: Arc<[Event]> = events.into();
        let actor = actix::AsyncContext::address(context);
        let epoch = speculation.epoch.clone();
        let settled_lineage = epoch.clone();
        let version = after.version;
        let append = Append {
            conversation: self.id,
            epoch,
            expected_version,
            events: Arc::clone(&events),
            state: Arc::clone(&after),
            // At most as many as are in flight, which is bounded: the mailbox's own limit need not hold them up.
            done: Completion::new(move |outcome| actor.do_send(Settled { epoch: settled_lineage, version, outcome })),
        };
        if self.registry.journal().append(append).is_err() {
            pending.answer(Err(CommandError::Overloaded));
            return;
        }
        if let Some(key) = pending.command.idempotency_key()
            && let Some(message) = message
        {
            self.remembered.insert(key, CachedSend::new(message, &after));
        }
        speculation.conversation = Some(Arc::clone(&after));
        let ground = Ground::Made(events, after);
        self.in_flight.push(Decided { pending, answer, ground, rests_on: version });
    }

    /// Lets out every answer whose ground is durable, and tells of what has happened; not where those who read what
    /// they have missed must not be told of more.
    pub(super) fn release(&mut self, context: &mut Context<Self>) {
        if self.listeners.are_full() {
            return;
        }
        self.release_found();
        let Belief::State(speculation) = &self.belief else { return };
        let (durable, seen) = (failpoints::settled(speculation.durable), speculation.seen);
        while let Some(Decided { pending, answer, ground, .. }) = self.in_flight.release(durable, seen) {
            match (ground, answer, pending.command.idempotency_key()) {
                (Ground::Made(events, conversation), answer, _) => {
                    // The caller hears first: should telling the others go wrong, the answer is out.
                    pending.answer(answer.map_err(CommandError::Refused));
                    self.announce(&conversation, &events);
                }
                (Ground::StateUnlessRepeated, Err(refusal), Some(key)) => {
                    self.refuse_unless_repeated(context, pending, key, refusal);
                }
                (_, answer, _) => pending.answer(answer.map_err(CommandError::Refused)),
            }
        }
        self.remembered.trim(self.id, self.registry.settings().idempotency_cache_size, durable);
        self.look_if_unsure(context);
    }

    /// Looks for the command's name in the database before it is refused: what once succeeded is answered as it was
    /// then. The others do not wait for this.
    fn refuse_unless_repeated(
        &mut self,
        context: &mut Context<Self>,
        pending: Pending,
        key: IdempotencyKey,
        refusal: Refusal,
    ) {
        self.looking_up += 1;
        let (database, id) = (self.registry.database().clone(), self.id);
        let look = async move {
            let answer = match caught(crate::store::find_send(&database, key)).await {
                Ok(Some(found)) => CachedSend::new(Arc::new(found.message), &found.conversation)
                    .repeat(&pending.command, id)
                    .map_err(CommandError::Refused),
                Ok(None) => Err(CommandError::Refused(refusal)),
                Err(error) => Err(CommandError::from(error)),
            };
            pending.answer(answer);
        };
        context.spawn(wrap_future(look).map(|(), actor: &mut Self, context: &mut Context<Self>| {
            actor.looking_up -= 1;
            actor.leave_if_done(context);
        }));
    }

    fn settled(&mut self, context: &mut Context<Self>, settled: Settled) {
        failpoints::panic_now_and_then();
        let Belief::State(speculation) = &mut self.belief else { return };
        if !speculation.epoch.is(&settled.epoch) {
            return;
        }
        match settled.outcome {
            AppendOutcome::Committed => {
                speculation.durable = settled.version;
                self.release(context);
            }
            AppendOutcome::Conflict => self.start_over(context),
            AppendOutcome::Failed(_) => self.abandon(context, &CommandError::Unavailable),
        }
    }
}

impl Actor for ConversationActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.look_when_unused(context);
    }
}

impl Handler<Execute> for ConversationActor {
    type Result = ();

    fn handle(&mut self, Execute(pending): Execute, context: &mut Self::Context) {
        self.last_used = Instant::now();
        self.guarded(context, |actor, context| actor.take(context, pending));
    }
}

/// The journal's word on an append.
#[derive(Message)]
#[rtype(result = "()")]
struct Settled {
    epoch: Epoch,
    /// Position of its last event.
    version: i64,
    outcome: AppendOutcome,
}

impl Handler<Settled> for ConversationActor {
    type Result = ();

    fn handle(&mut self, settled: Settled, context: &mut Self::Context) {
        self.guarded(context, |actor, context| actor.settled(context, settled));
    }
}
