//! A bounded search for a linearization of a conversation's calls (Wing and Gong's algorithm).
//!
//! A call takes effect at one time between its request and its answer; one whose outcome is unknown, at any time from its
//! request on, or never. The search takes a call that could be next, applies it, and continues. Two rules keep it short:
//! a call that changes nothing is taken as soon as it fits, since it can never fit better later; and a state that was
//! reached with the same set of calls is not visited twice.

use std::collections::HashSet;

use crate::history::{Action, Call, Elapsed, FinalState, Outcome, Person, RefusalKind};

/// The number of states after which the search gives up.
const MAX_STATES: usize = 200_000;

/// The part of a conversation's state that the calls depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) owner: Option<Person>,
    pub(super) closed: bool,
    pub(super) rated: bool,
    /// The handover that waits for its answer, and to whom it was offered.
    pub(super) pending: Option<(Call, Person)>,
}

/// A call, or the final read, to be put in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) invoked: Elapsed,
    pub(super) finished: Elapsed,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A call with its outcome.
    Call { call: Call, by: Person, action: Action, outcome: Outcome },
    /// The final read.
    Read(FinalState),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Explained,
    Inexplicable,
    Undecided,
}

/// Searches for an order of the steps that explains every outcome.
pub(super) fn explain(mut steps: Vec<Step>) -> Finding {
    steps.sort_by_key(|step| (step.invoked, step.finished));
    let done = vec![0_u64; steps.len().div_ceil(64)];
    let mut search = Search { steps: &steps, seen: HashSet::new() };
    search.from(done, State::default())
}

struct Search<'a> {
    steps: &'a [Step],
    seen: HashSet<(Vec<u64>, State)>,
}

impl Search<'_> {
    /// Searches depth-first, with an explicit stack: the depth is the number of calls that change the state.
    fn from(&mut self, done: Vec<u64>, state: State) -> Finding {
        let mut stack = vec![(done, state)];
        while let Some((mut done, state)) = stack.pop() {
            self.take_unchanging(&mut done, state);
            if self.is_complete(&done) {
                return Finding::Explained;
            }
            if !self.seen.insert((done.clone(), state)) {
                continue;
            }
            if self.seen.len() > MAX_STATES {
                return Finding::Undecided;
            }
            for index in self.candidates(&done).into_iter().rev() {
                let Some(step) = self.steps.get(index) else { continue };
                if let Some(next) = step.applied(state)
                    && next != state
                {
                    let mut with = done.clone();
                    mark(&mut with, index);
                    stack.push((with, next));
                }
            }
        }
        Finding::Inexplicable
    }

    fn take_unchanging(&self, done: &mut [u64], state: State) {
        loop {
            let fitting: Vec<usize> = self
                .candidates(done)
                .into_iter()
                .filter(|index| {
                    self.steps.get(*index).is_some_and(|step| !step.is_optional() && step.applied(state) == Some(state))
                })
                .collect();
            if fitting.is_empty() {
                return;
            }
            fitting.into_iter().for_each(|index| mark(done, index));
        }
    }

    /// The steps that could be next: those that were invoked before any remaining step had finished.
    fn candidates(&self, done: &[u64]) -> Vec<usize> {
        let open =
            || self.steps.iter().enumerate().skip(first_open(done)).filter(|(index, _)| !is_marked(done, *index));
        let mut earliest_end = Elapsed::NEVER;
        let mut found = Vec::new();
        for (index, step) in open() {
            // Steps are in the order of invocation: this one and all later ones were invoked after the earliest end.
            if step.invoked > earliest_end {
                break;
            }
            earliest_end = earliest_end.min(step.finished);
            found.push(index);
        }
        found
    }

    fn is_complete(&self, done: &[u64]) -> bool {
        let open = self.steps.iter().enumerate().skip(first_open(done)).filter(|(index, _)| !is_marked(done, *index));
        open.map(|(_, step)| step).all(Step::is_optional)
    }
}

/// An index up to which every step is done.
fn first_open(done: &[u64]) -> usize {
    done.iter().take_while(|word| **word == u64::MAX).count() * 64
}

fn is_marked(done: &[u64], index: usize) -> bool {
    done.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
}

fn mark(done: &mut [u64], index: usize) {
    if let Some(word) = done.get_mut(index / 64) {
        *word |= 1 << (index % 64);
    }
}

impl Step {
    /// Whether it may never have taken effect.
    fn is_optional(&self) -> bool {
        matches!(self.what, What::Call { outcome: Outcome::Unknown, .. })
    }

    /// The state after it; `None` if its outcome does not fit the state.
    fn applied(&self, state: State) -> Option<State> {
        match self.what {
            What::Read(read) => {
                let fits = read.owner == state.owner && read.closed == state.closed && read.rated == state.rated;
                fits.then_some(state)
            }
            What::Call { call, by, action, outcome } => match outcome {
                Outcome::Ok { .. } | Outcome::Unknown => state_after(state, call, by, action),
                Outcome::Refused(refusal) => refusal_fits(state, by, action, refusal).then_some(state),
            },
        }
    }
}

/// The state after the action; `None` if the state does not permit it.
fn state_after(state: State, call: Call, by: Person, action: Action) -> Option<State> {
    let free_for = |agent| state.owner.is_none_or(|owner| owner == agent);
    match action {
        Action::Open | Action::Send | Action::Note => (!state.closed).then_some(state),
        // A repeated claim by the assigned agent succeeds, even if the conversation is closed.
        Action::Claim if state.owner == Some(by) => Some(state),
        Action::Claim | Action::Reply => (!state.closed && free_for(by)).then_some(State { owner: Some(by), ..state }),
        Action::Close => (!state.closed).then_some(State { closed: true, pending: None, ..state }),
        Action::Rate => (state.closed && !state.rated).then_some(State { rated: true, ..state }),
        Action::Handover(to) => (!state.closed && state.owner == Some(by) && state.pending.is_none())
            .then_some(State { pending: Some((call, to)), ..state }),
        Action::Respond { handover, accept } => match state.pending {
            Some((pending, to)) if pending == handover && to == by => {
                let owner = if accept { Some(to) } else { state.owner };
                Some(State { owner, pending: None, ..state })
            }
            _ => None,
        },
    }
}

/// Whether the refusal is right in this state.
fn refusal_fits(state: State, by: Person, action: Action, refusal: RefusalKind) -> bool {
    match refusal {
        RefusalKind::Closed => state.closed,
        RefusalKind::HeldByAnother => match action {
            Action::Handover(_) => state.owner != Some(by),
            _ => state.owner.is_some_and(|owner| owner != by),
        },
        RefusalKind::NotClosed => !state.closed,
        RefusalKind::AlreadyRated => state.rated,
        RefusalKind::HandoverPending => state.pending.is_some(),
        RefusalKind::HandoverResolved => match action {
            Action::Respond { handover, .. } => state.pending.is_none_or(|(pending, _)| pending != handover),
            _ => true,
        },
        RefusalKind::Other => true,
    }
}
