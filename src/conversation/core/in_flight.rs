//! Commands that are decided and wait for the database, in the order in which they were decided.

use std::collections::VecDeque;
use std::sync::Arc;

use super::answer::{CommandError, Outcome, Responder};
use super::defect::{Defect, Defects};
use super::effect::{Effect, Effects};
use super::state::ReadIndex;
use crate::domain::{Command, Conversation, Event, Refusal};

/// A command whose caller waits.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) command: Command,
    pub(super) responder: Responder,
    /// How often it was decided and lost to a command of another server.
    pub(super) conflicts: u32,
    /// It is the machine's n-th command, counted from 1.
    pub(super) number: u64,
}

/// A command that is decided, and not answered yet.
#[derive(Debug)]
pub(super) struct InFlightCommand {
    pub(super) pending: Pending,
    pub(super) outcome: Result<Outcome, Refusal>,
    pub(super) basis: Basis,
    /// The version that must be stored before the answer leaves. A refusal has one too: "already assigned" must not be
    /// answered because of a claim that is never stored.
    pub(super) required_version: i64,
}

/// What makes an answer true.
#[derive(Debug)]
pub(super) enum Basis {
    /// These events happened and led to this state. The version fence guarantees it.
    Appended(Arc<[Event]>, Arc<Conversation>),
    /// The send was carried out before, and what is stored is never removed.
    Repeated,
    /// The state is such that nothing happens.
    State,
    /// The same, unless the database knows the command's idempotency key: then it is a repeat.
    StateUnlessRepeated,
}

impl InFlightCommand {
    /// Whether the answer depends on nothing but the state.
    fn depends_on_state(&self) -> bool {
        matches!(self.basis, Basis::State | Basis::StateUnlessRepeated)
    }

    /// Whether the state that the answer depends on, once it is durable, was the stored one at a time after the command
    /// arrived. A later append of ours that was committed shows that. So does a read after the command's arrival, if it
    /// found this very version, or an earlier one, from which appends of ours have led here; those were committed after
    /// the read.
    fn is_confirmed(&self, durable: i64, read_index: Option<ReadIndex>) -> bool {
        !self.depends_on_state() || self.required_version < durable || self.is_read(read_index)
    }

    fn is_read(&self, read_index: Option<ReadIndex>) -> bool {
        read_index.is_some_and(|index| index.version <= self.required_version && index.commands >= self.pending.number)
    }

    fn appended(&self) -> Option<&Arc<[Event]>> {
        match &self.basis {
            Basis::Appended(events, _) => Some(events),
            Basis::Repeated | Basis::State | Basis::StateUnlessRepeated => None,
        }
    }
}

/// The queue of them.
#[derive(Debug, Default)]
pub(super) struct InFlight(VecDeque<InFlightCommand>);

impl InFlight {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, command: InFlightCommand) {
        self.0.push_back(command);
    }

    pub(super) fn has_appends(&self) -> bool {
        self.0.iter().any(|command| command.appended().is_some())
    }

    /// The next whose answer may leave, now that everything up to `durable` is stored.
    pub(super) fn release(
        &mut self,
        durable: i64,
        read_index: Option<ReadIndex>,
        defects: Defects,
    ) -> Option<InFlightCommand> {
        self.0.pop_front_if(|command| {
            let is_durable = command.required_version <= durable
                || (defects.has(Defect::ReleaseBeforeBasis) && command.outcome.is_err());
            let is_confirmed = command.is_confirmed(durable, read_index)
                || defects.has(Defect::SkipReadBarrier)
                || defects.has(Defect::ReleaseBeforeBasis);
            is_durable && is_confirmed
        })
    }

    /// Number of the last command whose answer waits, or will wait, for a version check.
    pub(super) fn last_unconfirmed(&self, read_index: Option<ReadIndex>) -> Option<u64> {
        let last = self.0.iter().rev().find(|command| command.depends_on_state())?;
        (!last.is_read(read_index)).then_some(last.pending.number)
    }

    /// Answers with an error those up to command `number` whose state could not be confirmed.
    pub(super) fn fail_unconfirmed(&mut self, durable: i64, number: u64, error: &CommandError, effects: &mut Effects) {
        let is_unconfirmed = |command: &mut InFlightCommand| {
            command.required_version <= durable
                && !command.is_confirmed(durable, None)
                && command.pending.number <= number
        };
        while let Some(command) = self.0.pop_front_if(is_unconfirmed) {
            effects.push(Effect::Reply(command.pending.responder, Err(error.clone())));
        }
    }

    /// Takes everything out, to be decided again in order.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Pending> + use<> {
        std::mem::take(&mut self.0).into_iter().map(|mut command| {
            command.pending.conflicts += 1;
            command.pending
        })
    }

    /// Answers everything with an error; gives the events of which it is not known whether they are stored.
    pub(super) fn fail(&mut self, error: &CommandError, effects: &mut Effects) -> Vec<Event> {
        let mut in_doubt = Vec::new();
        for command in std::mem::take(&mut self.0) {
            in_doubt.extend(command.appended().into_iter().flat_map(|events| events.iter().cloned()));
            effects.push(Effect::Reply(command.pending.responder, Err(error.clone())));
        }
        in_doubt
    }

    /// Gives back the memory that a burst of commands has taken; it is empty.
    pub(super) fn shrink(&mut self) {
        self.0 = VecDeque::new();
    }
}
