//! Commands that are decided and wait for the disk, in the order in which they were decided.

use std::collections::VecDeque;
use std::sync::Arc;

use super::command::{CommandError, Outcome, Pending};
use crate::domain::{Conversation, Event, Refusal};

/// A decided command.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) pending: Pending,
    pub(super) answer: Result<Outcome, Refusal>,
    /// What it made happen, and the state behind it; nothing where it changed nothing.
    pub(super) made: Option<(Arc<[Event]>, Arc<Conversation>)>,
    /// The position that must be stored before anybody hears of the answer. A refusal too rests on what came before
    /// it: "already assigned" must not be said of a claim that the disk then never takes.
    pub(super) rests_on: i64,
    /// Nothing in the database can change the answer: only a refusal by the state may turn out a repeat.
    pub(super) is_final: bool,
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

    /// What they made happen.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.0.iter().filter_map(|decided| decided.made.as_ref()).flat_map(|(events, _)| events.iter())
    }

    /// The next whose answer may leave, now that everything up to `durable` is stored.
    pub(super) fn release(&mut self, durable: i64) -> Option<Decided> {
        self.0.pop_front_if(|decided| decided.rests_on <= durable)
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
            decided.pending.answer(Err(error.clone()));
            if let Some((made, _)) = decided.made {
                events.extend(made.iter().cloned());
            }
        }
        events
    }
}
