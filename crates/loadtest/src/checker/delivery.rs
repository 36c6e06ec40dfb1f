//! Deliveries to listeners: each message once, in order, without a gap, none that is not stored, no note to a customer.

use std::collections::HashSet;

use super::evidence::{Focus, message_text};
use super::{Checker, Promise};
use crate::history::{Action, Call, Conversation, Elapsed, Listener, Message, Notice, Outcome, Run, Session};

pub(super) fn check(checker: &mut Checker<'_>, conversation: Conversation) {
    let acknowledged = acknowledged(checker, conversation);
    let ledger_matches = ledger_matches(checker, conversation);
    for &listener in &checker.history[conversation].listeners {
        let sessions = &checker.history[listener].sessions;
        for session in sessions {
            in_order(checker, conversation, listener, session);
            as_stored(checker, conversation, listener, &session.runs, ledger_matches);
            complete(checker, conversation, listener, session, &acknowledged);
        }
        as_stored(checker, conversation, listener, &checker.history[listener].fetched, ledger_matches);
        if checker.history[listener].catches_up {
            without_gap(checker, conversation, listener);
        }
        if let Some((_, seq)) = checker.history[listener].outside_session.first() {
            let sentence = format!("listener {} is shown place {seq} though it has not joined", listener.0);
            let focus = Focus::default().at([*seq]).shown_to(listener);
            checker.report(Promise::NothingInvented, conversation, sentence, &focus);
        }
        notes(checker, conversation, listener);
    }
}

/// An acknowledged visible message.
struct Acknowledged {
    invoked: Elapsed,
    seq: i64,
    call: Call,
    /// The lowest place among the messages that were sent at this time or later.
    lowest_from_here: (i64, Call),
}

/// The acknowledged visible messages, by the time of their invocation.
fn acknowledged(checker: &Checker<'_>, conversation: Conversation) -> Vec<Acknowledged> {
    let mut found: Vec<Acknowledged> = checker.history[conversation]
        .calls
        .iter()
        .filter_map(|&call| {
            let record = &checker.history[call];
            match record.outcome {
                Outcome::Ok { seq: Some(seq) } if record.action.is_visible() => {
                    Some(Acknowledged { invoked: record.invoked, seq, call, lowest_from_here: (seq, call) })
                }
                _ => None,
            }
        })
        .collect();
    found.sort_by_key(|acknowledged| acknowledged.invoked);
    let mut lowest = (i64::MAX, Call(0));
    for acknowledged in found.iter_mut().rev() {
        lowest = lowest.min((acknowledged.seq, acknowledged.call));
        acknowledged.lowest_from_here = lowest;
    }
    found
}

/// Whether the ledger agrees with the final read, so that a run that agrees with the ledger needs no further check.
fn ledger_matches(checker: &Checker<'_>, conversation: Conversation) -> bool {
    let record = &checker.history[conversation];
    let Some(stored) = &record.final_read else { return true };
    record.ledger.len() <= stored.visible.len()
        && (1..)
            .zip(&record.ledger)
            .zip(&stored.visible)
            .all(|((place, seen), (seq, message))| place == *seq && seen.is_none_or(|seen| seen == *message))
}

/// Within a session, each place is the successor of the one before.
fn in_order(checker: &mut Checker<'_>, conversation: Conversation, listener: Listener, session: &Session) {
    for pair in session.runs.windows(2) {
        let [before, after] = pair else { continue };
        let expected = before.until().saturating_add(1);
        if after.from == expected {
            continue;
        }
        let shown_before = session.runs.iter().take_while(|run| *run != after);
        let again = shown_before.clone().any(|run| run.from <= after.from && after.from <= run.until());
        let who = format!("listener {} ({})", listener.0, checker.history[checker.history[listener].person].name);
        let (promise, sentence) = if again {
            (Promise::NothingDoubled, format!("{who} is shown place {} a second time", after.from))
        } else if after.from < expected {
            (Promise::OneOrder, format!("{who} is shown place {} after place {}", after.from, before.until()))
        } else {
            let missing = (expected, after.from - 1);
            let later = session.runs.iter().skip_while(|run| *run != after);
            if later.clone().any(|run| run.from <= missing.0 && missing.0 <= run.until()) {
                continue; // It is shown later, which is reported as the wrong order.
            }
            (Promise::NothingLost, format!("{who} is never shown places {} to {}", missing.0, missing.1))
        };
        let focus = Focus::default().at([before.until(), after.from]).shown_to(listener);
        checker.report(promise, conversation, sentence, &focus);
    }
}

/// Each message that it was shown is the one that is stored at that place.
fn as_stored(
    checker: &mut Checker<'_>,
    conversation: Conversation,
    listener: Listener,
    runs: &[Run],
    ledger_matches: bool,
) {
    for run in runs {
        checker.verdict.shown += u64::from(run.length);
        if ledger_matches && run.mismatch.is_none() {
            continue;
        }
        let history = checker.history;
        let Some(stored) = &history[conversation].final_read else {
            if let Some(mismatch) = run.mismatch {
                let others =
                    history.ledger_entry(conversation, run.from).map_or_else(|| "nothing".to_owned(), message_text);
                let sentence = format!(
                    "listener {} is shown {} at place {}, another listener {others}",
                    listener.0,
                    message_text(mismatch),
                    run.from
                );
                let focus = Focus::default().at([run.from]).shown_to(listener);
                checker.report(Promise::OneOrder, conversation, sentence, &focus);
            }
            continue;
        };
        let wrong = (run.from..=run.until()).find_map(|seq| {
            let seen = run.mismatch.or_else(|| history.ledger_entry(conversation, seq))?;
            let there =
                usize::try_from(seq - 1).ok().and_then(|at| stored.visible.get(at)).map(|(_, message)| *message);
            (there != Some(seen)).then_some((seq, seen, there))
        });
        let Some((seq, seen, there)) = wrong else { continue };
        let who = format!("listener {} ({})", listener.0, history[history[listener].person].name);
        let shown = message_text(seen);
        let (promise, sentence) = match there {
            None => (Promise::NothingInvented, format!("{who} is shown {shown} at place {seq}, which is not stored")),
            Some(there) => (
                Promise::OneOrder,
                format!("{who} is shown {shown} at place {seq}, where {} is stored", message_text(there)),
            ),
        };
        let focus = Focus::calls(calls_of(seen)).at([seq]).shown_to(listener);
        checker.report(promise, conversation, sentence, &focus);
    }
}

/// Every message that was sent after the join is shown, up to the last one if the session lasted to the end.
fn complete(
    checker: &mut Checker<'_>,
    conversation: Conversation,
    listener: Listener,
    session: &Session,
    acknowledged: &[Acknowledged],
) {
    let from = acknowledged.partition_point(|message| message.invoked <= session.joined);
    let Some(first_due) = acknowledged.get(from) else { return };
    let shown_from = session.runs.iter().map(|run| run.from).min();
    let shown_until = session.runs.iter().map(Run::until).max().unwrap_or(0);
    let who = format!("listener {} ({})", listener.0, checker.history[checker.history[listener].person].name);
    let (lowest, call) = first_due.lowest_from_here;
    if let Some(shown_from) = shown_from
        && lowest < shown_from
    {
        let sentence = format!("{who} had joined before {} was sent, and is shown only later ones", name(call));
        let focus = Focus::calls([call]).at([lowest]).shown_to(listener);
        checker.report(Promise::NothingLost, conversation, sentence, &focus);
    }
    if session.ended.is_some() {
        return;
    }
    let due = acknowledged.get(from..).unwrap_or_default();
    let Some(last) = due.iter().max_by_key(|message| message.seq) else { return };
    if last.seq > shown_until {
        let missing = due.iter().filter(|message| message.seq > shown_until).min_by_key(|message| message.seq);
        let missing = missing.unwrap_or(last);
        let sentence = format!(
            "{who} had joined before {} was sent, and is never shown it (it has all up to place {shown_until}; {} is the last one)",
            name(missing.call),
            last.seq
        );
        let focus = Focus::calls([missing.call]).at([missing.seq, shown_until]).shown_to(listener);
        checker.report(Promise::NothingLost, conversation, sentence, &focus);
    }
}

fn name(call: Call) -> String {
    message_text(Message::Of(call))
}

/// What a client that catches up was shown and has fetched has, taken together, no gap after its first message.
fn without_gap(checker: &mut Checker<'_>, conversation: Conversation, listener: Listener) {
    let record = &checker.history[listener];
    let mut runs: Vec<(i64, i64)> = record
        .sessions
        .iter()
        .flat_map(|session| &session.runs)
        .chain(&record.fetched)
        .map(|run| (run.from, run.until()))
        .collect();
    runs.sort_unstable();
    let mut until = match runs.first() {
        Some((from, _)) => from - 1,
        None => return,
    };
    for (from, to) in runs {
        if from > until + 1 {
            let sentence = format!(
                "listener {} ({}) was neither shown places {} to {} nor did it fetch them when it reconnected",
                listener.0,
                checker.history[checker.history[listener].person].name,
                until + 1,
                from - 1
            );
            let focus = Focus::default().at([until, from]).shown_to(listener);
            checker.report(Promise::NothingLost, conversation, sentence, &focus);
            return;
        }
        until = until.max(to);
    }
}

/// No customer is shown a note; an agent who has joined is shown each one once.
fn notes(checker: &mut Checker<'_>, conversation: Conversation, listener: Listener) {
    let history = checker.history;
    let record = &history[listener];
    let is_note = |message: Message| matches!(message, Message::Of(call) if history[call].action == Action::Note);
    if !history[record.person].is_agent {
        let notified = record.notices.iter().find_map(|(_, notice)| match notice {
            Notice::Note(message) => Some(*message),
            Notice::Claimed(_) | Notice::Closed => None,
        });
        let runs = record.sessions.iter().flat_map(|session| &session.runs).chain(&record.fetched);
        let shown = runs.flat_map(|run| run.mismatch.into_iter()).find(|message| is_note(*message));
        let ledger_note = || history[conversation].ledger.iter().flatten().find(|message| is_note(**message)).copied();
        if let Some(message) = notified.or(shown).or_else(ledger_note) {
            let sentence = format!(
                "the customer {} (listener {}) is shown the note {}",
                history[record.person].name,
                listener.0,
                message_text(message)
            );
            let focus = Focus::calls(calls_of(message)).shown_to(listener);
            checker.report(Promise::NoNoteAtACustomer, conversation, sentence, &focus);
        }
        return;
    }
    let mut seen: HashSet<Message> = HashSet::new();
    for (_, notice) in &record.notices {
        if let Notice::Note(message) = notice
            && !seen.insert(*message)
            && record.sessions.len() == 1
        {
            let sentence = format!("listener {} is shown the note {} twice", listener.0, message_text(*message));
            checker.report(
                Promise::NothingDoubled,
                conversation,
                sentence,
                &Focus::calls(calls_of(*message)).shown_to(listener),
            );
        }
    }
    let Some(Session { joined, ended: None, .. }) = record.sessions.last() else { return };
    for &call in &history[conversation].calls {
        let note = &history[call];
        if note.action == Action::Note && note.is_ok() && note.invoked > *joined && !seen.contains(&Message::Of(call)) {
            let sentence = format!("the agent at listener {} is never shown the note {}", listener.0, name(call));
            checker.report(Promise::NothingLost, conversation, sentence, &Focus::calls([call]).shown_to(listener));
        }
    }
}

fn calls_of(message: Message) -> Option<Call> {
    match message {
        Message::Of(call) => Some(call),
        Message::Foreign(_) => None,
    }
}
