//! Calls against the final read: nothing lost, nothing doubled, nothing invented, one order.

use std::collections::{HashMap, HashSet};

use super::evidence::{Focus, message_text};
use super::{Checker, Promise};
use crate::history::{Action, Call, Conversation, Elapsed, FinalRead, Message, Outcome};

pub(super) fn check(checker: &mut Checker<'_>, conversation: Conversation, stored: &FinalRead) {
    let mut places: HashMap<Message, Vec<i64>> = HashMap::with_capacity(stored.visible.len());
    for (seq, message) in &stored.visible {
        places.entry(*message).or_default().push(*seq);
    }
    contiguous(checker, conversation, stored);
    for &call in &checker.history[conversation].calls {
        message(checker, conversation, call, places.get(&Message::Of(call)).map_or(&[][..], Vec::as_slice));
    }
    in_time(checker, conversation, &places);
    if let Some(agent_view) = &stored.agent_view {
        check_agent_view(checker, conversation, stored, agent_view);
    }
}

/// Places are 1, 2, 3 …
fn contiguous(checker: &mut Checker<'_>, conversation: Conversation, stored: &FinalRead) {
    for (expected, (seq, message)) in (1..).zip(&stored.visible) {
        if expected != *seq {
            let sentence =
                format!("what was read back has {} at place {seq}, where {expected} is next", message_text(*message));
            checker.report(Promise::OneOrder, conversation, sentence, &Focus::default().at([expected, *seq]));
            return;
        }
    }
}

/// How often a message is stored, by how its call finished.
fn message(checker: &mut Checker<'_>, conversation: Conversation, call: Call, places: &[i64]) {
    let record = checker.history[call];
    if record.action == Action::Note {
        if !places.is_empty() {
            let sentence = format!("the note of call {} is among what the customer reads back", call.0);
            let focus = Focus::calls([call]).at(places.iter().copied());
            checker.report(Promise::NoNoteAtACustomer, conversation, sentence, &focus);
        }
        return;
    }
    if !record.action.is_visible() {
        return;
    }
    let focus = || Focus::calls([call]).at(places.iter().copied());
    if let [_, _, ..] = places {
        let sentence = format!("{} is stored {} times, at {places:?}", message_text(Message::Of(call)), places.len());
        checker.report(Promise::NothingDoubled, conversation, sentence, &focus());
        return;
    }
    match (record.outcome, places) {
        (Outcome::Ok { .. }, []) => {
            let sentence = format!("{} was acknowledged and is not stored", message_text(Message::Of(call)));
            let focus = match record.outcome {
                Outcome::Ok { seq: Some(seq) } => focus().at([seq]),
                _ => focus(),
            };
            checker.report(Promise::NothingLost, conversation, sentence, &focus);
        }
        (Outcome::Ok { seq: Some(acknowledged) }, [place]) if acknowledged != *place => {
            let text = message_text(Message::Of(call));
            let sentence = format!("{text} was acknowledged at place {acknowledged} and is stored at {place}");
            checker.report(Promise::OneOrder, conversation, sentence, &focus().at([acknowledged]));
        }
        (Outcome::Refused(_), [_]) => {
            let sentence = format!("{} was refused and is stored", message_text(Message::Of(call)));
            checker.report(Promise::NothingInvented, conversation, sentence, &focus());
        }
        _ => {}
    }
}

/// A message that was acknowledged before another was sent has the lower place.
fn in_time(checker: &mut Checker<'_>, conversation: Conversation, places: &HashMap<Message, Vec<i64>>) {
    let mut by_finish: Vec<(Elapsed, i64, Call)> = Vec::new();
    let mut by_invocation: Vec<(Elapsed, i64, Call)> = Vec::new();
    for &call in &checker.history[conversation].calls {
        if let Some([place]) = places.get(&Message::Of(call)).map(Vec::as_slice) {
            by_invocation.push((checker.history[call].invoked, *place, call));
            by_finish.push((checker.history[call].finished, *place, call));
        }
    }
    by_finish.sort_unstable();
    by_invocation.sort_unstable();
    let mut finished = by_finish.into_iter().peekable();
    let mut highest: Option<(i64, Call)> = None;
    for (invoked, place, call) in by_invocation {
        while let Some((_, other, by)) = finished.next_if(|(end, ..)| *end < invoked) {
            if highest.is_none_or(|(highest, _)| other > highest) {
                highest = Some((other, by));
            }
        }
        if let Some((other, before)) = highest
            && other > place
        {
            let sentence = format!(
                "{} was acknowledged before {} was sent, and has the higher place: {other} and {place}",
                message_text(Message::Of(before)),
                message_text(Message::Of(call))
            );
            checker.report(Promise::OneOrder, conversation, sentence, &Focus::calls([before, call]).at([other, place]));
            return;
        }
    }
}

/// Agents read the same order, and each note once.
fn check_agent_view(
    checker: &mut Checker<'_>,
    conversation: Conversation,
    stored: &FinalRead,
    agent_view: &[(i64, Option<i64>, Message)],
) {
    let visible: Vec<(i64, Message)> =
        agent_view.iter().filter_map(|(_, seq, message)| seq.map(|seq| (seq, *message))).collect();
    if let Some((ours, theirs)) = stored.visible.iter().zip(&visible).find(|(ours, theirs)| ours != theirs) {
        let sentence = format!(
            "the customer reads back {} at place {}, an agent {} at {}",
            message_text(ours.1),
            ours.0,
            message_text(theirs.1),
            theirs.0
        );
        checker.report(Promise::OneOrder, conversation, sentence, &Focus::default().at([ours.0, theirs.0]));
    } else if stored.visible.len() != visible.len() {
        let sentence = format!("the customer reads back {} messages, an agent {}", stored.visible.len(), visible.len());
        checker.report(Promise::OneOrder, conversation, sentence, &Focus::default());
    }
    if let Some(pair) = agent_view.windows(2).find(|pair| matches!(pair, [(a, ..), (b, ..)] if a >= b)) {
        let sentence = format!("an agent reads back positions that do not ascend: {pair:?}");
        checker.report(Promise::OneOrder, conversation, sentence, &Focus::default());
    }
    notes(checker, conversation, agent_view);
}

fn notes(checker: &mut Checker<'_>, conversation: Conversation, agent_view: &[(i64, Option<i64>, Message)]) {
    let mut stored: HashSet<Message> = HashSet::new();
    for (_, seq, message) in agent_view {
        if seq.is_none() && !stored.insert(*message) {
            let sentence = format!("the note {} is stored twice", message_text(*message));
            let focus = Focus::calls(call_of(*message));
            checker.report(Promise::NothingDoubled, conversation, sentence, &focus);
        }
    }
    for &call in &checker.history[conversation].calls {
        let record = checker.history[call];
        if record.action != Action::Note {
            continue;
        }
        match (record.outcome, stored.contains(&Message::Of(call))) {
            (Outcome::Ok { .. }, false) => {
                let sentence = format!("the note of call {} was acknowledged and is not stored", call.0);
                checker.report(Promise::NothingLost, conversation, sentence, &Focus::calls([call]));
            }
            (Outcome::Refused(_), true) => {
                let sentence = format!("the note of call {} was refused and is stored", call.0);
                checker.report(Promise::NothingInvented, conversation, sentence, &Focus::calls([call]));
            }
            _ => {}
        }
    }
}

fn call_of(message: Message) -> Option<Call> {
    match message {
        Message::Of(call) => Some(call),
        Message::Foreign(_) => None,
    }
}
