//! Commands that are decided and wait for the disk, in the order in which they were decided.

use std::collections::VecDeque;
use std::sync::Arc;

use super::command::Pending;
use super::core::{CommandError, Outcome};
use super::overtaken::Seen;
use crate::domain::{Conversation, Event, Refusal};
use crate::failpoints;

/// A decided command.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) pending: Pending,
    pub(super) answer: Result<Outcome, Refusal>,
    pub(super) ground: Ground,
    /// The position that must be stored before anybody hears of the answer. A refusal too rests on what came before
    /// it: "already assigned" must not be said of a claim that the disk then never takes.
    pub(super) rests_on: i64,
}

/// What makes an answer true.
#[derive(Debug)]
pub(super) enum Ground {
    /// That this has happened, with the state behind it: the fence stands for it.
    Made(Arc<[Event]>, Arc<Conversation>),
    /// That it was done before: what is written stays so.
    Repeated,
    /// What the state is; nothing has happened.
    State,
    /// The same, unless the database knows the command's name: then it is a repeat.
    StateUnlessRepeated,
}

impl Decided {
    /// Whether nothing but the state speaks for the answer.
    fn is_of_state(&self) -> bool {
        matches!(self.ground, Ground::State | Ground::StateUnlessRepeated)
    }

    /// Whether its state, once it is durable, was the stored one at some moment behind the question. A later append of
    /// ours that was taken shows it. So does a read behind the question: if it found this very version, or an earlier
    /// one, from which only appends of ours have led here, which then were taken behind the read.
    fn is_sure(&self, durable: i64, seen: Option<Seen>) -> bool {
        failpoints::is_sure(!self.is_of_state() || self.rests_on < durable || self.is_seen(seen))
    }

    fn is_seen(&self, seen: Option<Seen>) -> bool {
        seen.is_some_and(|seen| seen.version <= self.rests_on && seen.behind >= self.pending.number)
    }

    fn made(&self) -> Option<&Arc<[Event]>> {
        match &self.ground {
            Ground::Made(events, _) => Some(events),
            _ => None,
        }
    }
}

/// The queue of them.
#[derive(Debug, Default)]
pub(super) struct InFlight(VecDeque<Decided>);

impl InFlight {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, decided: Decided) {
        self.0.push_back(decided);
    }

    /// Whether any of them is at the journal.
    pub(super) fn has_appends(&self) -> bool {
        self.0.iter().any(|decided| decided.made().is_some())
    }

    /// The next whose answer may leave, now that everything up to `durable` is stored, and so much is known of the
    /// rest.
    pub(super) fn release(&mut self, durable: i64, seen: Option<Seen>) -> Option<Decided> {
        self.0.pop_front_if(|decided| decided.rests_on <= durable && decided.is_sure(durable, seen))
    }

    /// Number of the last question whose answer waits, or will, to know whether its state is still the stored one.
    pub(super) fn last_unsure(&self, seen: Option<Seen>) -> Option<u64> {
        let last = self.0.iter().rev().find(|decided| decided.is_of_state())?;
        (!last.is_seen(seen)).then_some(last.pending.number)
    }

    /// Answers those with an error whose state could not be looked at, up to the question of that number.
    pub(super) fn give_up_unsure(&mut self, durable: i64, up_to: u64, error: &CommandError) {
        let is_unsure = |decided: &mut Decided| {
            decided.rests_on <= durable && !decided.is_sure(durable, None) && decided.pending.number <= up_to
        };
        while let Some(decided) = self.0.pop_front_if(is_unsure) {
            decided.pending.answer(Err(error.clone()));
        }
    }

    /// Takes everything back to be decided anew, in order.
    pub(super) fn take_back(&mut self) -> impl Iterator<Item = Pending> {
        std::mem::take(&mut self.0).into_iter().map(|mut decided| {
            decided.pending.conflicts += 1;
            decided.pending
        })
    }

    /// Answers everything with an error; gives the events of which it is not known whether they are stored.
    pub(super) fn abandon(&mut self, error: &CommandError) -> Vec<Event> {
        let mut events = Vec::new();
        for decided in std::mem::take(&mut self.0) {
            events.extend(decided.made().into_iter().flat_map(|made| made.iter().cloned()));
            decided.pending.answer(Err(error.clone()));
        }
        events
    }
}
