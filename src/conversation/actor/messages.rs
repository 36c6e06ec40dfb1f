//! Messages to a conversation's actor.

use std::pin::Pin;
use std::sync::Arc;

use actix::{Addr, Message};
use tokio::sync::oneshot;

use super::ConversationActor;
use crate::conversation::actor_slots::ActorSlot;
use crate::conversation::core::{Backlog, CommandError, EpochNumber, Responder};
use crate::database::DatabaseError;
use crate::domain::{Command, Conversation, Posted};
use crate::journal::AppendOutcome;

/// Executes a command; the responder gets the answer.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::conversation) struct Execute(pub(in crate::conversation) Command, pub(in crate::conversation) Responder);

/// Reads the messages that a subscriber has missed.
pub(in crate::conversation) type Read = Pin<Box<dyn Future<Output = Result<Vec<Posted>, DatabaseError>> + Send>>;

/// Attaches a subscriber.
pub(in crate::conversation) type Attach = Box<dyn FnOnce(Result<Backlog, CommandError>) + Send>;

/// Subscribes: reads the backlog and attaches the subscriber.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::conversation) struct Subscribe {
    /// A version that the conversation has had before anything of it is read.
    pub(in crate::conversation) version: i64,
    pub(in crate::conversation) read: Read,
    /// Gets the backlog, or the error because of which the subscriber is not attached.
    pub(in crate::conversation) attach: Attach,
}

/// Asks for the cached state, and the version of it that is stored; not answered if the actor would have to load it.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::conversation) struct Peek(pub(in crate::conversation) oneshot::Sender<(Arc<Conversation>, i64)>);

/// The journal's answer to an append.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::conversation) struct Settled {
    pub(in crate::conversation) epoch: EpochNumber,
    /// Position of the append's last event.
    pub(in crate::conversation) version: i64,
    pub(in crate::conversation) outcome: AppendOutcome,
}

/// The last message that an actor gets, from itself, when it has left the registry.
///
/// It holds the actor's address: an actor without any address that waits for nothing ends at once, whatever is in its
/// mailbox.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Drained {
    pub(super) _actor: Addr<ConversationActor>,
}

/// Passivates the actor as if it had been unused for long, and gives its slot to a newcomer, unless it is busy.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::conversation) struct PassivateIfIdle(pub(in crate::conversation) oneshot::Sender<ActorSlot>);
