//! Judges a [`History`]: a history in, violations out. Pure.
//!
//! What is promised (`decisions.md`, "Beyond the contract"; `support-admin.md`):
//! - an acknowledged message is stored, once, at the place that its answer named; one whose outcome nobody knows, once
//!   or not at all; a refused one not at all;
//! - places are 1, 2, 3 …, the same for everyone, and a message that was acknowledged before another was sent stands
//!   before it;
//! - whoever has joined is shown each message once, in that order, without a gap, and none that is not stored;
//! - no customer learns of a note;
//! - claims, replies, handovers, closes and ratings of a conversation took effect one after another, each at some
//!   moment between its request and its answer (they are linearizable): so exactly one of many claims wins.
//!
//! Rules stand by themselves: one broken promise may be reported by two of them.

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

/// Which promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// Acknowledged, and not stored or not shown.
    NothingLost,
    /// Stored or shown twice.
    NothingDoubled,
    /// Stored though refused, or shown though not stored.
    NothingInvented,
    /// Places with a gap, different for different people, or against the order of time.
    OneOrder,
    /// Two agents were told that the conversation is theirs.
    OneWinner,
    /// No order of the agents' actions explains the answers.
    Linearizable,
    /// A customer learned of a note.
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

    /// As reports name it.
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

/// A broken promise and what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which promise.
    pub promise: Promise,
    /// The conversation's id.
    pub conversation: String,
    /// What is wrong, one sentence.
    pub sentence: String,
    /// What happened in that conversation around it, a line an event, in the order of time.
    pub history: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}: {}", self.promise.title(), self.sentence)?;
        writeln!(formatter, "  in conversation {}", self.conversation)?;
        self.history.iter().try_for_each(|line| writeln!(formatter, "  {line}"))
    }
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The broken promises; of the very many, the first [`Verdict::KEPT`].
    pub violations: Vec<Violation>,
    /// How many there are.
    pub broken: u64,
    /// Conversations looked at.
    pub conversations: u64,
    /// Calls looked at.
    pub calls: u64,
    /// Messages shown to listeners, looked at.
    pub shown: u64,
    /// Messages read back, looked at.
    pub stored: u64,
    /// Conversations whose actions have more possible orders than were tried; nothing is known against them.
    pub undecided: u64,
}

impl Verdict {
    /// Violations kept with their history.
    pub const KEPT: usize = 50;

    /// No promise was broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.broken == 0
    }
}

/// Judges all of it.
#[must_use]
pub fn check(history: &History) -> Verdict {
    let mut bench = Checker { history, verdict: Verdict::default() };
    bench.verdict.calls = history.calls().len() as u64;
    for (conversation, record) in history.conversations() {
        bench.verdict.conversations += 1;
        if let Some(stored) = &record.stored {
            bench.verdict.stored += stored.visible.len() as u64;
            durability::check(&mut bench, conversation, stored);
        }
        delivery::check(&mut bench, conversation);
        ownership::check(&mut bench, conversation);
    }
    bench.verdict
}

/// Where rules put what they find.
struct Checker<'a> {
    history: &'a History,
    verdict: Verdict,
}

impl Checker<'_> {
    fn breach(&mut self, promise: Promise, conversation: Conversation, sentence: String, focus: &evidence::Focus) {
        self.verdict.broken += 1;
        if self.verdict.violations.len() < Verdict::KEPT {
            let history = evidence::of(self.history, conversation, focus);
            let conversation = self.history[conversation].label.clone();
            self.verdict.violations.push(Violation { promise, conversation, sentence, history });
        }
    }
}
