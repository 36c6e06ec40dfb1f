//! What changes nothing is not answered from memory alone.
//!
//! What changes something meets the fence: the database takes it only on the state on which it was decided. A refusal,
//! or "it is yours already", is stored nowhere, and with several servers the state that it rests on may long be another
//! one's past. So such an answer leaves only once it is known that its state was the stored one at a moment behind the
//! question:
//!
//! - the state was read behind the question; or
//! - a later append of ours was taken: the fence has said so; or
//! - a look at the stored version, begun behind the question, finds that very version, or one from which appends of
//!   ours lead to it that were taken since.
//!
//! One look serves all who have asked by then, and goes on beside the appends under way: of sixteen agents who claim at
//! once, fifteen are refused as soon as the winner's claim is stored. Where the look finds a version that is not ours,
//! everything is decided anew on what is stored, and those who listen here are told of it; if an append of ours is
//! under way then, the fence says so.

use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{AsyncContext, Context, SpawnHandle};

use super::actor::{Belief, ConversationActor};
use super::core::CommandError;
use super::reading::caught;
use crate::database::DatabaseError;
use crate::journal::Epoch;
use crate::store;

/// How long a look beside an append waits for others who ask; a commit takes longer.
const GATHERING: Duration = Duration::from_millis(1);

/// That the stored version was this at some moment behind the arrival of every question up to this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) version: i64,
    /// Number of the last question that had arrived when the read began.
    pub(super) behind: u64,
}

/// How far an actor is with looking.
#[derive(Debug, Default)]
pub(super) struct Looks {
    is_under_way: bool,
    /// One that is to come.
    later: Option<SpawnHandle>,
    /// The last one that has ended, whatever it found: what it was about, and its [`Seen::behind`].
    last: Option<(Epoch, u64)>,
}

impl Looks {
    /// Whether one at this state has ended that began behind this question.
    fn has_looked(&self, epoch: &Epoch, question: u64) -> bool {
        self.last.as_ref().is_some_and(|(looked_at, behind)| looked_at.is(epoch) && *behind >= question)
    }
}

/// A look under way.
struct Look {
    /// Of the state that it is about.
    epoch: Epoch,
    /// The version that it should find.
    expected: i64,
    /// See [`Seen::behind`].
    behind: u64,
}

impl ConversationActor {
    /// Looks at the stored version, where an answer needs it: at once where nothing else is waited for; beside an
    /// append under way a moment later, so that one look serves all who ask at the same time.
    pub(super) fn look_if_unsure(&mut self, context: &mut Context<Self>) {
        let Belief::State(speculation) = &self.belief else { return };
        let Some(last) = self.in_flight.last_unsure(speculation.seen) else { return };
        if self.looks.is_under_way {
            return;
        }
        if !self.in_flight.has_appends() {
            self.look_at_version(context);
        } else if self.looks.later.is_none() && !self.looks.has_looked(&speculation.epoch, last) {
            // What a look behind the question could not say, the append under way will.
            self.looks.later = Some(context.run_later(GATHERING, |actor, context| {
                actor.looks.later = None;
                actor.guarded(context, Self::look_at_version);
            }));
        }
    }

    fn look_at_version(&mut self, context: &mut Context<Self>) {
        if let Some(later) = self.looks.later.take() {
            context.cancel_future(later);
        }
        let Belief::State(speculation) = &self.belief else { return };
        if self.looks.is_under_way || self.in_flight.last_unsure(speculation.seen).is_none() {
            return;
        }
        self.looks.is_under_way = true;
        let (database, id) = (self.registry.database().clone(), self.id);
        let look = Look { epoch: speculation.epoch.clone(), expected: speculation.durable, behind: self.asked };
        let reading = caught(async move { store::version(&database, id).await });
        context.spawn(wrap_future(reading).map(move |found, actor: &mut Self, context: &mut Context<Self>| {
            actor.looks.is_under_way = false;
            actor.guarded(context, |actor, context| actor.looked(context, &look, found));
        }));
    }

    fn looked(&mut self, context: &mut Context<Self>, look: &Look, found: Result<i64, DatabaseError>) {
        let Belief::State(speculation) = &mut self.belief else { return };
        if speculation.epoch.is(&look.epoch) {
            let durable = speculation.durable;
            self.looks.last = Some((look.epoch.clone(), look.behind));
            match found {
                Ok(version) => {
                    // A database that was put back is behind us, and shows nothing.
                    if version >= look.expected {
                        speculation.seen = Some(Seen { version, behind: look.behind });
                    }
                    // What lies between is ours, stored meanwhile.
                    let is_ours = (look.expected..=durable).contains(&version);
                    if !is_ours && !self.in_flight.has_appends() {
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
