//! Random choices: users, targets and texts.

use rand::RngExt;
use rand::seq::IndexedRandom;
use reqwest::Method;
use serde_json::{Value, json};

use super::expected::Expected;
use super::state::{AGENTS, CUSTOMERS, GUESTS, Model, Room, Writer};

/// Every note contains this word, and nothing else does: no customer may ever receive it.
pub(super) const NOTE_MARKER: &str = "hush";

/// A step of the walk with its expected answer.
#[derive(Debug)]
pub(super) enum Step {
    Call { method: Method, path: String, caller: Option<usize>, body: Option<Value>, expected: Expected },
    Emit { socket: usize, event: &'static str, payload: Value, ack: Value },
}

pub(super) fn post(path: impl Into<String>, caller: Option<usize>, body: Option<Value>, expected: Expected) -> Step {
    Step::Call { method: Method::POST, path: path.into(), caller, body, expected }
}

pub(super) fn put(path: String, caller: usize, body: Value, expected: Expected) -> Step {
    Step::Call { method: Method::PUT, path, caller: Some(caller), body: Some(body), expected }
}

pub(super) fn get(path: impl Into<String>, caller: Option<usize>, expected: Expected) -> Step {
    Step::Call { method: Method::GET, path: path.into(), caller, body: None, expected }
}

/// A text as it is sent and as it is stored; `None` if it is invalid.
pub(super) struct Text {
    pub(super) sent: Value,
    pub(super) stored: Option<String>,
}

/// Ids that name nothing.
pub(super) const UNKNOWN_IDS: [&str; 2] = ["01900000-0000-7000-8000-000000000000", "nonsense"];

impl Model {
    pub(super) fn chance(&mut self, often: f64) -> bool {
        self.random.random_bool(often)
    }

    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of.choose(&mut self.random).unwrap().clone()
    }

    pub(super) fn any_customer(&mut self) -> usize {
        self.random.random_range(0..CUSTOMERS)
    }

    pub(super) fn any_agent(&mut self) -> usize {
        self.random.random_range(CUSTOMERS..CUSTOMERS + AGENTS)
    }

    pub(super) fn any_writer(&mut self) -> Writer {
        if self.chance(0.75) {
            Writer::Account(self.any_customer())
        } else {
            Writer::Guest(self.pick(&GUESTS).to_owned())
        }
    }

    /// A conversation or thread that satisfies this, mostly a recent one.
    fn any(&mut self, wanted: impl Fn(&Model, usize) -> bool) -> Option<usize> {
        if let Some(last) = self.last
            && self.chance(0.3)
            && wanted(self, last)
        {
            return Some(last);
        }
        let fitting: Vec<usize> =
            (0..self.conversations.len()).filter(|conversation| wanted(self, *conversation)).collect();
        let late = if self.chance(0.9) { fitting.len().saturating_sub(6) } else { 0 };
        fitting[late..].choose(&mut self.random).copied()
    }

    pub(super) fn any_conversation(&mut self) -> Option<usize> {
        self.any(|model, conversation| !model.conversations[conversation].is_thread)
    }

    pub(super) fn any_ticket(&mut self) -> Option<usize> {
        self.any(|model, conversation| model.conversations[conversation].ticket.is_some())
    }

    pub(super) fn any_conversation_of(&mut self, writer: &Writer) -> Option<usize> {
        self.any(|model, conversation| {
            !model.conversations[conversation].is_thread && model.conversations[conversation].owner == *writer
        })
    }

    pub(super) fn any_with_pending_handover(&mut self) -> Option<usize> {
        self.any(|model, conversation| model.pending_handover(conversation).is_some())
    }

    /// Mostly the agent who holds the conversation.
    pub(super) fn agent_for(&mut self, conversation: usize) -> usize {
        let holder = self.conversations[conversation].assignee.map(|(holder, _)| holder);
        match holder {
            Some(holder) if self.chance(0.6) => holder,
            _ => self.any_agent(),
        }
    }

    /// Mostly the owner, if it is an account.
    pub(super) fn customer_for(&mut self, conversation: usize) -> usize {
        match self.conversations[conversation].owner.clone() {
            Writer::Account(owner) if self.chance(0.85) => owner,
            _ => self.any_customer(),
        }
    }

    fn word(&mut self) -> String {
        self.words += 1;
        let word = self.pick(&["refund", "Transfer", "card", "fee", "José", "余额"]);
        let text = format!("{word} {}", self.words);
        if self.chance(0.1) { format!("{text} {}", "and so on ".repeat(20)).trim().to_owned() } else { text }
    }

    /// A text of at most `limit` characters; if it `may_fail`, sometimes an invalid one.
    pub(super) fn text(&mut self, limit: usize, may_fail: bool) -> Text {
        if may_fail && self.chance(0.05) {
            let wrong = [json!(null), json!(""), json!(" \n"), json!("👋".repeat(limit + 1)), json!(5)];
            return Text { sent: self.pick(&wrong), stored: None };
        }
        let stored: String = match self.random.random_range(0..50) {
            0 => "👋".repeat(limit),
            _ => self.word().chars().take(limit).collect(),
        };
        let stored = stored.trim().to_owned();
        let sent = if self.chance(0.1) { json!(format!(" \t{stored}\n")) } else { json!(stored) };
        Text { sent, stored: Some(stored) }
    }

    /// The text of a note.
    pub(super) fn note(&mut self) -> Text {
        self.words += 1;
        let text = format!("{NOTE_MARKER} {}", self.words);
        Text { sent: json!(text), stored: Some(text) }
    }

    /// An idempotency key for a send: mostly none, sometimes an invalid one.
    pub(super) fn client_message_id(&mut self, is_guests: bool) -> Result<Option<String>, String> {
        self.words += 1;
        match self.random.random_range(0..50) {
            0 => Err("x".repeat(65)),
            1 if is_guests => Err("fifteen-letters".to_owned()),
            2..18 => Ok(Some(format!("repeatable-send-of-mine-{}", self.words))),
            _ => Ok(None),
        }
    }

    /// A rating as it is sent, and its stars if it is valid.
    pub(super) fn stars(&mut self) -> (Value, Option<u64>) {
        if self.chance(0.1) {
            let wrong = [json!(0), json!(6), json!(4.5), json!(null)];
            return (self.pick(&wrong), None);
        }
        let stars = self.random.random_range(1..=5);
        (json!(stars), Some(stars))
    }

    /// A socket of this user.
    pub(super) fn socket_of(&mut self, user: usize) -> usize {
        let sockets: Vec<usize> =
            (0..self.listeners.len()).filter(|socket| self.listeners[*socket].user == user).collect();
        self.pick(&sockets)
    }

    pub(super) fn is_in(&self, socket: usize, room: Room) -> bool {
        self.listeners[socket].rooms.contains(&room)
    }
}
