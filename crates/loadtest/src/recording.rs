//! What one client was shown of a conversation, over all its connections.

use super::history::{Conversation, Message, Moment, Person};

/// What a client is told besides visible messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A note, whole or as a preview.
    Note(Message),
    /// An agent has the conversation now.
    Claimed(Person),
    /// It is closed.
    Closed,
}

/// Messages shown one after another, each the next in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first one's place.
    pub from: i64,
    /// How many.
    pub length: u32,
    /// When the first one came.
    pub first: Moment,
    /// When the last one came.
    pub last: Moment,
    /// What it was, where it is not what the ledger says; such a run has one message.
    pub odd: Option<Message>,
}

impl Run {
    /// The last one's place.
    #[must_use]
    pub fn until(&self) -> i64 {
        self.from.saturating_add(i64::from(self.length) - 1)
    }

    fn extend(runs: &mut Vec<Self>, seq: i64, odd: Option<Message>, now: Moment) {
        match runs.last_mut() {
            Some(run) if odd.is_none() && run.odd.is_none() && run.until().checked_add(1) == Some(seq) => {
                run.length += 1;
                run.last = now;
            }
            _ => runs.push(Self { from: seq, length: 1, first: now, last: now, odd }),
        }
    }
}

/// From a join to the loss of the connection. A connection that was recovered goes on with the session it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// When the join was acknowledged; [`Moment::NEVER`] until it is.
    pub joined: Moment,
    /// When the connection was lost; nothing where it held to the end.
    pub ended: Option<Moment>,
    /// What was shown in it, in the order of arrival.
    pub runs: Vec<Run>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct ListenerRecord {
    /// What it listens to.
    pub conversation: Conversation,
    /// Who it is.
    pub person: Person,
    /// It fetches what it missed when it comes back.
    pub catches_up: bool,
    /// Its sessions, one after another.
    pub sessions: Vec<Session>,
    /// What it fetched.
    pub fetched: Vec<Run>,
    /// What else it was told, and when.
    pub heard: Vec<(Moment, Heard)>,
    /// Shown while it had not joined, or after it was cut.
    pub astray: Vec<(Moment, i64)>,
}

impl ListenerRecord {
    pub(super) fn new(conversation: Conversation, person: Person, catches_up: bool) -> Self {
        Self {
            conversation,
            person,
            catches_up,
            sessions: Vec::new(),
            fetched: Vec::new(),
            heard: Vec::new(),
            astray: Vec::new(),
        }
    }

    pub(super) fn joining(&mut self, now: Moment) {
        self.end(now);
        self.sessions.push(Session { joined: Moment::NEVER, ended: None, runs: Vec::new() });
    }

    pub(super) fn joined(&mut self, now: Moment) {
        if self.sessions.last().is_none_or(|session| session.ended.is_some() || session.joined != Moment::NEVER) {
            self.joining(now);
        }
        if let Some(session) = self.sessions.last_mut() {
            session.joined = now;
        }
    }

    pub(super) fn end(&mut self, now: Moment) {
        if let Some(session) = self.sessions.last_mut() {
            session.ended.get_or_insert(now);
        }
    }

    pub(super) fn saw(&mut self, seq: i64, odd: Option<Message>, now: Moment) {
        match self.sessions.last_mut() {
            Some(session) if session.ended.is_none() => Run::extend(&mut session.runs, seq, odd, now),
            _ => self.astray.push((now, seq)),
        }
    }

    pub(super) fn fetched(&mut self, seq: i64, odd: Option<Message>, now: Moment) {
        Run::extend(&mut self.fetched, seq, odd, now);
    }

    /// The last place that it was shown or fetched; 0 for none.
    #[must_use]
    pub fn latest(&self) -> i64 {
        let shown = self.sessions.iter().flat_map(|session| &session.runs);
        shown.chain(&self.fetched).map(Run::until).max().unwrap_or(0)
    }
}
