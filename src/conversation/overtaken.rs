//! What changes nothing is not answered from memory alone.
//!
//! What changes something meets the fence: the database takes it only on the state on which it was decided. A refusal, or
//! "it is yours already", is stored nowhere, and with several servers the state that it rests on may long be another
//! one's past. So such an answer leaves only once it is known that its state was the stored one at a moment behind the
//! question:
//!
//! - the state was read behind the question; or
//! - a later append of ours was taken: the fence has said so; or
//! - a look at the stored version, begun behind the question, finds that very version.
//!
//! One look serves all who have asked by then, and none is made while an append is under way, whose outcome will tell.
//! Where the look finds another version, everything is decided anew on what is stored.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{AsyncContext, Context};

use super::actor::{Belief, ConversationActor};
use super::command::CommandError;
use crate::database::DatabaseError;
use crate::journal::Lineage;
use crate::store;

/// That the stored version was this at some moment behind the arrival of every question up to this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) version: i64,
    /// Number of the last question that had arrived when the read began.
    pub(super) behind: u64,
}

/// A look under way.
struct Look {
    /// Of the state that it is about.
    lineage: Lineage,
    /// The version that it should find.
    expected: i64,
    /// See [`Seen::behind`].
    behind: u64,
}

impl ConversationActor {
    /// Looks at the stored version, where an answer waits for nothing else.
    pub(super) fn look_if_unsure(&mut self, context: &mut Context<Self>) {
        let Belief::State(speculation) = &self.belief else { return };
        if self.is_looking_at_version || self.in_flight.has_appends() || !self.in_flight.is_unsure(speculation.durable)
        {
            return;
        }
        self.is_looking_at_version = true;
        let (database, id) = (self.registry.database().clone(), self.id);
        let look = Look { lineage: speculation.lineage.clone(), expected: speculation.durable, behind: self.asked };
        let reading = async move { store::version(&database, id).await };
        context.spawn(wrap_future(reading).map(move |found, actor: &mut Self, context: &mut Context<Self>| {
            actor.is_looking_at_version = false;
            actor.guarded(context, |actor, context| actor.looked(context, &look, found));
        }));
    }

    fn looked(&mut self, context: &mut Context<Self>, look: &Look, found: Result<i64, DatabaseError>) {
        let Belief::State(speculation) = &mut self.belief else { return };
        if speculation.lineage.is(&look.lineage) {
            let durable = speculation.durable;
            match found {
                Ok(version) => {
                    speculation.seen = Some(Seen { version, behind: look.behind });
                    // What lies between is ours, stored meanwhile. A database that was put back is behind us.
                    let is_ours = (look.expected..=durable).contains(&version);
                    if !is_ours && !self.in_flight.has_appends() && self.in_flight.is_unsure(durable) {
                        self.start_over(context);
                        return;
                    }
                }
                Err(error) => self.in_flight.give_up_unsure(durable, look.behind, &CommandError::from(error)),
            }
        }
        self.release(context);
    }
}
