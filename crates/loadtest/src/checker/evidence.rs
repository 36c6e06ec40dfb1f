//! The evidence of a violation: the events of its conversation that bear on it, with their times.

use std::fmt::Write as _;

use crate::history::{Action, Call, Conversation, Elapsed, History, Listener, Message, Notice, Outcome, Run};

/// The maximum number of lines. Of more, those in the middle are left out.
const LINES: usize = 60;

/// How many places before and after a place of the focus are shown too.
const AROUND: i64 = 2;

/// The calls, places and listeners that a violation concerns.
#[derive(Clone, Debug, Default)]
pub(super) struct Focus {
    /// These calls.
    pub(super) calls: Vec<Call>,
    /// These places of the order, and those around them.
    pub(super) places: Vec<i64>,
    /// What these listeners were shown there.
    pub(super) listeners: Vec<Listener>,
    /// Every call that concerns the assignment of the conversation.
    pub(super) ownership: bool,
}

impl Focus {
    pub(super) fn calls(calls: impl IntoIterator<Item = Call>) -> Self {
        Self { calls: calls.into_iter().collect(), ..Self::default() }
    }

    pub(super) fn at(mut self, places: impl IntoIterator<Item = i64>) -> Self {
        self.places.extend(places);
        self
    }

    pub(super) fn shown_to(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    fn has(&self, place: i64) -> bool {
        self.places.iter().any(|focus| (place.saturating_sub(*focus)).saturating_abs() <= AROUND)
    }
}

/// The evidence, one line an event, in the order of time.
pub(super) fn of(history: &History, conversation: Conversation, focus: &Focus) -> Vec<String> {
    let record = &history[conversation];
    let mut lines: Vec<(Elapsed, String)> = Vec::new();
    for &call in &record.calls {
        let about_place = matches!(history[call].outcome, Outcome::Ok { seq: Some(seq) } if focus.has(seq));
        let about_owner = focus.ownership && !matches!(history[call].action, Action::Send | Action::Note);
        if about_place || about_owner || focus.calls.contains(&call) {
            let record = &history[call];
            lines.push((record.invoked, asked(history, call)));
            if record.finished != Elapsed::NEVER {
                lines.push((record.finished, answered(history, call)));
            }
        }
    }
    for &listener in &record.listeners {
        if focus.listeners.contains(&listener) || focus.ownership {
            listener_lines(history, listener, focus, &mut lines);
        }
    }
    lines.sort_by_key(|(at, _)| *at);
    let mut shown: Vec<String> = lines.into_iter().map(|(at, text)| format!("{} {text}", clock(at))).collect();
    if shown.len() > LINES {
        let left_out = shown.len() - LINES;
        shown.splice(LINES / 2..LINES / 2 + left_out, [format!("{:>14} … {left_out} more …", "")]);
    }
    stored_lines(history, conversation, focus, &mut shown);
    shown
}

fn listener_lines(history: &History, listener: Listener, focus: &Focus, lines: &mut Vec<(Elapsed, String)>) {
    let record = &history[listener];
    let who = format!("{} (listener {})", history[record.person].name, listener.0);
    for session in &record.sessions {
        if session.joined != Elapsed::NEVER {
            lines.push((session.joined, format!("{who} has joined")));
        }
        for run in session.runs.iter().filter(|run| touches(run, focus)) {
            let text = format!("{who} is shown {}", run_text(history, record.conversation, run));
            lines.push((run.first, text));
        }
        if let Some(ended) = session.ended {
            lines.push((ended, format!("{who} is cut")));
        }
    }
    for run in record.fetched.iter().filter(|run| touches(run, focus)) {
        lines.push((run.first, format!("{who} fetches {}", run_text(history, record.conversation, run))));
    }
    for (at, notice) in &record.notices {
        let text = match notice {
            Notice::Note(message) if focus.calls.iter().any(|call| Message::Of(*call) == *message) => {
                format!("{who} is shown the note {}", message_text(*message))
            }
            Notice::Note(_) => continue,
            Notice::Claimed(agent) if focus.ownership => {
                format!("{who} is notified that {} holds it", history[*agent].name)
            }
            Notice::Closed if focus.ownership => format!("{who} is notified that it is closed"),
            Notice::Claimed(_) | Notice::Closed => continue,
        };
        lines.push((*at, text));
    }
}

/// Whether the run contains a place of the focus, or ends or begins next to one.
fn touches(run: &Run, focus: &Focus) -> bool {
    focus
        .places
        .iter()
        .any(|place| *place >= run.from.saturating_sub(AROUND) && *place <= run.until().saturating_add(AROUND))
}

fn run_text(history: &History, conversation: Conversation, run: &Run) -> String {
    let message = |seq| run.mismatch.or_else(|| history.ledger_entry(conversation, seq));
    let mut text = format!("{} = {}", run.from, message(run.from).map_or_else(|| "?".to_owned(), message_text));
    if run.length > 1 {
        let last = message(run.until()).map_or_else(|| "?".to_owned(), message_text);
        let _ = write!(text, " to {} = {last}, one after another until {}", run.until(), clock(run.last).trim_start());
    }
    text
}

fn stored_lines(history: &History, conversation: Conversation, focus: &Focus, lines: &mut Vec<String>) {
    let Some(stored) = &history[conversation].final_read else { return };
    for (seq, message) in &stored.visible {
        let named = matches!(message, Message::Of(call) if focus.calls.contains(call));
        if (named || focus.has(*seq)) && lines.len() < LINES * 2 {
            lines.push(format!("{:>14} read back: {seq} = {}", "at last", message_text(*message)));
        }
    }
    for (position, seq, message) in stored.agent_view.iter().flatten() {
        if seq.is_none() && matches!(message, Message::Of(call) if focus.calls.contains(call)) {
            lines.push(format!("{:>14} read back: note {} at position {position}", "at last", message_text(*message)));
        }
    }
    if let (true, Some(state)) = (focus.ownership, stored.state) {
        let owner = state.owner.map_or("no agent", |owner| history[owner].name.as_str());
        let (closed, rated) = (if state.closed { "closed" } else { "open" }, if state.rated { ", rated" } else { "" });
        lines.push(format!("{:>14} read back: assigned to {owner}, {closed}{rated}", "at last"));
    }
}

/// The invocation of a call, in words.
pub(super) fn asked(history: &History, call: Call) -> String {
    let record = &history[call];
    let who = &history[record.by].name;
    match record.action {
        Action::Open => format!("{who} opens it with {}", message_text(Message::Of(call))),
        Action::Send => format!("{who} sends {}", message_text(Message::Of(call))),
        Action::Reply => format!("{who} replies {}", message_text(Message::Of(call))),
        Action::Note => format!("{who} notes {}", message_text(Message::Of(call))),
        Action::Claim => format!("{who} claims it (call {})", call.0),
        Action::Close => format!("{who} closes it (call {})", call.0),
        Action::Rate => format!("{who} rates it (call {})", call.0),
        Action::Handover(to) => format!("{who} offers it to {} (call {})", history[to].name, call.0),
        Action::Respond { handover, accept } => {
            let answer = if accept { "accepts" } else { "rejects" };
            format!("{who} {answer} the handover of call {} (call {})", handover.0, call.0)
        }
    }
}

fn answered(history: &History, call: Call) -> String {
    let record = &history[call];
    let took = record.finished.since(record.invoked);
    let how = match record.outcome {
        Outcome::Ok { seq: Some(seq) } => format!("done, at place {seq}"),
        Outcome::Ok { seq: None } => "done".to_owned(),
        Outcome::Refused(refusal) => format!("refused ({refusal:?})"),
        Outcome::Unknown => "outcome unknown".to_owned(),
    };
    format!("{}'s call {} is answered after {took:.1?}: {how}", history[record.by].name, call.0)
}

pub(super) fn message_text(message: Message) -> String {
    match message {
        Message::Of(call) => format!("message {}", call.0),
        Message::Foreign(id) => format!("a message of another client ({id:x})"),
    }
}

fn clock(at: Elapsed) -> String {
    let micros = at.0 / 1000;
    format!("{:>12}s ", format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000))
}
