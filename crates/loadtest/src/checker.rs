//! The consistency checker: a [`History`] in, a [`Verdict`] out. It is a pure function of the history.
//!
//! # What it checks
//!
//! The rules of the contract (`decisions.md`, "Beyond the contract"; `support-admin.md`), each for every conversation:
//!
//! | module | rule | needs |
//! |---|---|---|
//! | `durability` | An acknowledged message is stored once, at the `seq` that its answer named. One whose outcome is unknown is stored once or not at all, a refused one not at all. | a final read |
//! | `durability` | `seq` is 1, 2, 3 …. A message that was acknowledged before another was sent has the lower `seq`. Customer and agents read the same order. | a final read |
//! | `delivery` | A listener that has joined is shown each message once, in that order, without a gap, and none that is not stored. An agent who has joined is shown each note. | listeners |
//! | `delivery`, `durability` | No customer is shown a note. | listeners, a final read |
//! | `ownership` | Without a handover, all successful claims and replies are one agent's, and the final state agrees. | calls |
//! | `linearizability` | Claims, replies, handovers, closes and ratings took effect one after another, each at some time between its request and its answer. | calls |
//!
//! What a history does not contain is not checked: without listeners nothing about delivery, without a final read
//! nothing about durability. The rules are independent of each other, so one fault may be reported by two of them.
//!
//! # How to use it
//!
//! ```
//! use switchboard_loadtest::checker;
//! use switchboard_loadtest::history::{Action, Elapsed, History, Outcome};
//!
//! let mut history = History::new();
//! let (jane, sarah, mike) =
//!     (history.add_person("jane", false), history.add_person("sarah", true), history.add_person("mike", true));
//! let conversation = history.add_conversation(jane);
//! for agent in [sarah, mike] {
//!     let claim = history.invoke(conversation, agent, Action::Claim, Elapsed(1));
//!     history.finish(claim, Outcome::Ok { seq: None }, Elapsed(2));
//! }
//!
//! let verdict = checker::check(&history);
//! assert_eq!(verdict.violations[0].promise, checker::Promise::OneWinner);
//! ```
//!
//! How a history is recorded is described in [`history`](super::history). A harness that explores many schedules calls
//! [`check`] once for each history and treats any verdict that is not [clean](Verdict::is_clean) as a failure; with small
//! histories it can also require that [`Verdict::undecided`] is 0.
//!
//! # Cost
//!
//! Linear in calls and in runs of deliveries, apart from sorting, and apart from the search for a linearization, which
//! is bounded: a conversation whose calls have more orders than it tries counts as undecided, not as a violation.

mod delivery;
mod durability;
mod evidence;
mod linearizability;
mod ownership;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

use super::history::{Conversation, History};

/// A promise to the server's clients that the checker verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// What was acknowledged is stored and shown.
    NothingLost,
    /// Nothing is stored or shown twice.
    NothingDoubled,
    /// Nothing refused is stored, and nothing that is not stored is shown.
    NothingInvented,
    /// `seq` has no gap, is the same for everyone, and respects the order of time.
    OneOrder,
    /// Of many claims one succeeds.
    OneWinner,
    /// Some order of the calls explains every answer and the final state.
    Linearizable,
    /// No customer is shown an internal note.
    NoNoteAtACustomer,
}

impl Promise {
    /// Every promise.
    pub const ALL: [Self; 7] = [
        Self::NothingLost,
        Self::NothingDoubled,
        Self::NothingInvented,
        Self::OneOrder,
        Self::OneWinner,
        Self::Linearizable,
        Self::NoNoteAtACustomer,
    ];

    /// Its name in reports.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::NothingLost => "nothing lost",
            Self::NothingDoubled => "nothing doubled",
            Self::NothingInvented => "nothing invented",
            Self::OneOrder => "one order",
            Self::OneWinner => "one winner",
            Self::Linearizable => "one thing after another",
            Self::NoNoteAtACustomer => "no note at a customer",
        }
    }
}

/// A broken promise with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The promise that is broken.
    pub promise: Promise,
    /// The conversation's label.
    pub conversation: String,
    /// What is wrong, in one sentence.
    pub sentence: String,
    /// The events of that conversation that bear on it, one a line, in the order of time; then what was read at the end.
    pub history: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}: {}", self.promise.title(), self.sentence)?;
        writeln!(formatter, "  in conversation {}", self.conversation)?;
        self.history.iter().try_for_each(|line| writeln!(formatter, "  {line}"))
    }
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The violations, at most [`Verdict::MAX_VIOLATIONS`] of them.
    pub violations: Vec<Violation>,
    /// The number of violations, including those that are not kept.
    pub broken: u64,
    /// Conversations checked.
    pub conversations: u64,
    /// Calls checked.
    pub calls: u64,
    /// Messages shown to listeners, and fetched by them, that were checked.
    pub shown: u64,
    /// Messages of final reads that were checked.
    pub stored: u64,
    /// Conversations with more possible orders of calls than the search tries: neither explained nor in violation.
    pub undecided: u64,
}

impl Verdict {
    /// How many violations are kept, each with its evidence.
    pub const MAX_VIOLATIONS: usize = 50;

    /// Whether no promise is broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.broken == 0
    }
}

/// Checks every conversation of a history.
#[must_use]
pub fn check(history: &History) -> Verdict {
    let mut checker = Checker { history, verdict: Verdict::default() };
    checker.verdict.calls = history.calls().len() as u64;
    for (conversation, record) in history.conversations() {
        checker.verdict.conversations += 1;
        if let Some(stored) = &record.final_read {
            checker.verdict.stored += stored.visible.len() as u64;
            durability::check(&mut checker, conversation, stored);
        }
        delivery::check(&mut checker, conversation);
        ownership::check(&mut checker, conversation);
    }
    checker.verdict
}

/// The history under check and what was found so far.
struct Checker<'a> {
    history: &'a History,
    verdict: Verdict,
}

impl Checker<'_> {
    fn report(&mut self, promise: Promise, conversation: Conversation, sentence: String, focus: &evidence::Focus) {
        self.verdict.broken += 1;
        if self.verdict.violations.len() < Verdict::MAX_VIOLATIONS {
            let history = evidence::of(self.history, conversation, focus);
            let conversation = self.history[conversation].label.clone();
            self.verdict.violations.push(Violation { promise, conversation, sentence, history });
        }
    }
}
