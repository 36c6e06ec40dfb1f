//! Assignment and closing: one winner, linearizability, and what listeners are notified of.

use std::collections::BTreeSet;

use super::evidence::Focus;
use super::linearizability::{Finding, Step, What, explain};
use super::{Checker, Promise};
use crate::history::{Action, Call, Conversation, Elapsed, Listener, Notice, Outcome, Person, RefusalKind};

pub(super) fn check(checker: &mut Checker<'_>, conversation: Conversation) {
    let calls = &checker.history[conversation].calls;
    let handed_over = calls.iter().any(|call| {
        let record = &checker.history[*call];
        matches!(record.action, Action::Respond { accept: true, .. }) && record.may_have_happened()
    });
    if !handed_over && !one_winner(checker, conversation) {
        return; // No order explains two winners either: one report is enough.
    }
    match explain(steps(checker, conversation)) {
        Finding::Explained => {}
        Finding::Undecided => checker.verdict.undecided += 1,
        Finding::Inexplicable => {
            let sentence = "no order of the calls explains the answers and the final state".to_owned();
            checker.report(Promise::Linearizable, conversation, sentence, &ownership_focus(checker, conversation));
        }
    }
    for &listener in &checker.history[conversation].listeners {
        notices(checker, conversation, listener, handed_over);
    }
}

fn ownership_focus(checker: &Checker<'_>, conversation: Conversation) -> Focus {
    // Of thousands of sends only the refused ones are evidence.
    let refused = checker.history[conversation].calls.iter().copied();
    let refused = refused.filter(|call| {
        let record = &checker.history[*call];
        record.action == Action::Send && matches!(record.outcome, Outcome::Refused(RefusalKind::Closed))
    });
    Focus { ownership: true, ..Focus::calls(refused) }
}

/// Without a handover, all successful claims and replies are one agent's.
fn one_winner(checker: &mut Checker<'_>, conversation: Conversation) -> bool {
    let mut winners: BTreeSet<Person> = BTreeSet::new();
    for call in &checker.history[conversation].calls {
        let record = &checker.history[*call];
        if record.is_ok() && matches!(record.action, Action::Claim | Action::Reply) {
            winners.insert(record.by);
        }
    }
    let read = checker.history[conversation].final_read.as_ref().and_then(|stored| stored.state);
    let contradiction = match (winners.len(), read) {
        (2.., _) => {
            let names: Vec<&str> = winners.iter().map(|agent| checker.history[*agent].name.as_str()).collect();
            Some(format!("{} agents were each answered that it is theirs: {}", names.len(), names.join(", ")))
        }
        (1, Some(read)) if read.owner.is_none_or(|owner| !winners.contains(&owner)) => {
            let owner = read.owner.map_or("no agent", |owner| checker.history[owner].name.as_str());
            let winner = winners.first().map_or("", |winner| checker.history[*winner].name.as_str());
            Some(format!("{winner} was answered that it is theirs, and it is assigned to {owner}"))
        }
        _ => None,
    };
    let Some(sentence) = contradiction else { return true };
    checker.report(Promise::OneWinner, conversation, sentence, &ownership_focus(checker, conversation));
    false
}

/// The steps that the search puts in order. A conversation closes once and for good, so two sends stand for all of them:
/// of those that succeeded, the one invoked last; of those refused because it was closed, the one answered first.
fn steps(checker: &Checker<'_>, conversation: Conversation) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut last_done, mut first_late): (Option<Step>, Option<Step>) = (None, None);
    let mut latest = Elapsed::default();
    for &call in &checker.history[conversation].calls {
        let record = &checker.history[call];
        latest = latest.max(record.invoked);
        if record.finished != Elapsed::NEVER {
            latest = latest.max(record.finished);
        }
        let what = What::Call { call, by: record.by, action: record.action, outcome: record.outcome };
        let step = Step { invoked: record.invoked, finished: record.finished, what };
        match (record.action, record.outcome) {
            (Action::Open | Action::Send | Action::Note, Outcome::Ok { .. }) => {
                if last_done.is_none_or(|last| last.invoked < step.invoked) {
                    last_done = Some(step);
                }
            }
            (Action::Send | Action::Note, Outcome::Refused(RefusalKind::Closed)) => {
                if first_late.is_none_or(|first| first.finished > step.finished) {
                    first_late = Some(step);
                }
            }
            (Action::Open | Action::Send | Action::Note, _) | (_, Outcome::Refused(RefusalKind::Other)) => {}
            _ => steps.push(step),
        }
    }
    steps.extend(last_done);
    steps.extend(first_late);
    if let Some(read) = checker.history[conversation].final_read.as_ref().and_then(|stored| stored.state) {
        let at = Elapsed(latest.0.saturating_add(1));
        steps.push(Step { invoked: at, finished: at, what: What::Read(read) });
    }
    steps
}

/// A listener is notified of each claim and close that happened while it had joined, once, and of no other.
fn notices(checker: &mut Checker<'_>, conversation: Conversation, listener: Listener, handed_over: bool) {
    let history = checker.history;
    let record = &history[listener];
    let [session] = record.sessions.as_slice() else { return };
    let claimed: Vec<Person> = record
        .notices
        .iter()
        .filter_map(|(_, notice)| match notice {
            Notice::Claimed(agent) => Some(*agent),
            Notice::Note(_) | Notice::Closed => None,
        })
        .collect();
    let closed = record.notices.iter().filter(|(_, notice)| *notice == Notice::Closed).count();
    let did = |action: fn(&Action) -> bool, by: Option<Person>| {
        let calls = history[conversation].calls.iter().map(|call| (*call, &history[*call]));
        calls
            .filter(move |(_, call)| {
                action(&call.action) && call.may_have_happened() && by.is_none_or(|by| call.by == by)
            })
            .collect::<Vec<_>>()
    };
    let takes: fn(&Action) -> bool =
        |action| matches!(action, Action::Claim | Action::Reply | Action::Respond { accept: true, .. });
    let closes: fn(&Action) -> bool = |action| *action == Action::Close;
    let who = format!("listener {} ({})", listener.0, history[record.person].name);
    let mut found: Vec<(Promise, String)> = Vec::new();
    if let Some(agent) = claimed.iter().find(|agent| did(takes, Some(**agent)).is_empty()) {
        found.push((
            Promise::NothingInvented,
            format!("{who} is notified that {} holds it, who does not", history[*agent].name),
        ));
    }
    if !handed_over && claimed.len() > 1 {
        found.push((Promise::NothingDoubled, format!("{who} is notified {} times that it was claimed", claimed.len())));
    }
    if closed > 1 {
        found.push((Promise::NothingDoubled, format!("{who} is notified {closed} times that it is closed")));
    }
    if closed == 1 && did(closes, None).is_empty() {
        found.push((Promise::NothingInvented, format!("{who} is notified that it is closed, which no call did")));
    }
    if session.ended.is_none() {
        let missed = |calls: Vec<(Call, _)>| -> bool {
            let calls: Vec<&crate::history::CallRecord> = calls.into_iter().map(|(_, call)| call).collect();
            calls.iter().all(|call| call.invoked > session.joined) && calls.iter().any(|call| call.is_ok())
        };
        if claimed.is_empty() && missed(did(takes, None)) {
            found.push((Promise::NothingLost, format!("{who} is never notified that it was claimed")));
        }
        if closed == 0 && missed(did(closes, None)) {
            found.push((Promise::NothingLost, format!("{who} is never notified that it was closed")));
        }
    }
    for (promise, sentence) in found {
        checker.report(promise, conversation, sentence, &ownership_focus(checker, conversation));
    }
}
