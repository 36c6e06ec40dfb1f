//! What a running actor knows of its conversation: for a question that would otherwise cost a look into the database.
//!
//! It may lack what another server has stored meanwhile, and have what is just being stored. So it is good for what
//! never changes, whose a conversation is; nothing that anybody is shown comes from here. Whoever joins by it has
//! looked at nothing: what another server has stored is told, to them too, when something else makes this one look.

use std::sync::Arc;

use actix::{Context, Handler, Message};
use tokio::sync::oneshot;

use super::actor::{Belief, ConversationActor};
use crate::domain::Conversation;

/// Asks an actor for what it holds true, and the version of it that is stored; it answers nothing where it would have
/// to load it.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Known(pub(super) oneshot::Sender<(Arc<Conversation>, i64)>);

impl Handler<Known> for ConversationActor {
    type Result = ();

    fn handle(&mut self, Known(answer): Known, _: &mut Context<Self>) {
        if let Belief::State(speculation) = &self.belief
            && let Some(conversation) = &speculation.conversation
        {
            // Whoever asked may have given up.
            let _ = answer.send((Arc::clone(conversation), speculation.durable));
        }
    }
}
