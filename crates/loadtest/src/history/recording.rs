//! What one client was shown of a conversation, over all its connections.
//!
//! A [`History`](super::History) writes these records; the checker and reports read them.

use super::records::{Conversation, Elapsed, Message, Person};

/// What a client is notified of besides messages that the customer may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An internal note, complete or as a preview.
    Note(Message),
    /// The conversation is assigned to this agent.
    Claimed(Person),
    /// The conversation is closed.
    Closed,
}

/// Messages shown one after another, each at the place after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The place of the first message.
    pub from: i64,
    /// The number of messages.
    pub length: u32,
    /// When the first one arrived.
    pub first: Elapsed,
    /// When the last one arrived.
    pub last: Elapsed,
    /// The message, if it is not the one in the conversation's ledger. Such a run has one message.
    pub mismatch: Option<Message>,
}

impl Run {
    /// The place of the last message.
    #[must_use]
    pub fn until(&self) -> i64 {
        self.from.saturating_add(i64::from(self.length) - 1)
    }

    fn append(runs: &mut Vec<Self>, seq: i64, mismatch: Option<Message>, now: Elapsed) {
        match runs.last_mut() {
            Some(run) if mismatch.is_none() && run.mismatch.is_none() && run.until().checked_add(1) == Some(seq) => {
                run.length += 1;
                run.last = now;
            }
            _ => runs.push(Self { from: seq, length: 1, first: now, last: now, mismatch }),
        }
    }
}

/// From a join to the loss of the connection. A connection that the server recovers continues its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// When the join was acknowledged; [`Elapsed::NEVER`] until it is.
    pub joined: Elapsed,
    /// When the connection was lost; `None` if it lasted to the end of the run.
    pub ended: Option<Elapsed>,
    /// What was shown in it, in the order of arrival.
    pub runs: Vec<Run>,
}

/// One client's subscription to one conversation.
#[derive(Clone, Debug)]
pub struct ListenerRecord {
    /// The conversation.
    pub conversation: Conversation,
    /// Whose client it is.
    pub person: Person,
    /// Whether it fetches what it missed each time it returns.
    pub catches_up: bool,
    /// Its sessions, in the order of time.
    pub sessions: Vec<Session>,
    /// What it fetched.
    pub fetched: Vec<Run>,
    /// What else it was notified of, and when.
    pub notices: Vec<(Elapsed, Notice)>,
    /// Places shown outside any session: before a join, or after the end.
    pub outside_session: Vec<(Elapsed, i64)>,
}

impl ListenerRecord {
    pub(super) fn new(conversation: Conversation, person: Person, catches_up: bool) -> Self {
        Self {
            conversation,
            person,
            catches_up,
            sessions: Vec::new(),
            fetched: Vec::new(),
            notices: Vec::new(),
            outside_session: Vec::new(),
        }
    }

    pub(super) fn begin_join(&mut self, now: Elapsed) {
        self.end_session(now);
        self.sessions.push(Session { joined: Elapsed::NEVER, ended: None, runs: Vec::new() });
    }

    pub(super) fn complete_join(&mut self, now: Elapsed) {
        if self.sessions.last().is_none_or(|session| session.ended.is_some() || session.joined != Elapsed::NEVER) {
            self.begin_join(now);
        }
        if let Some(session) = self.sessions.last_mut() {
            session.joined = now;
        }
    }

    pub(super) fn end_session(&mut self, now: Elapsed) {
        if let Some(session) = self.sessions.last_mut() {
            session.ended.get_or_insert(now);
        }
    }

    pub(super) fn record_shown(&mut self, seq: i64, mismatch: Option<Message>, now: Elapsed) {
        match self.sessions.last_mut() {
            Some(session) if session.ended.is_none() => Run::append(&mut session.runs, seq, mismatch, now),
            _ => self.outside_session.push((now, seq)),
        }
    }

    pub(super) fn record_fetched(&mut self, seq: i64, mismatch: Option<Message>, now: Elapsed) {
        Run::append(&mut self.fetched, seq, mismatch, now);
    }

    /// The highest place that it was shown or fetched; 0 for none.
    #[must_use]
    pub fn latest(&self) -> i64 {
        let shown = self.sessions.iter().flat_map(|session| &session.runs);
        shown.chain(&self.fetched).map(Run::until).max().unwrap_or(0)
    }
}
