//! How far each side has read (`additions.md`, 7).

use rand::RngExt;
use serde_json::{Value, json};

use super::expected::{Expected, created, not_found, refused};
use super::generator::{Step, UNKNOWN_IDS, post};
use super::state::{Conversation, Model, Room, Writer};
use crate::support::{MY_CONVERSATIONS, QUEUE};

/// The marks and the unread messages of the customer, then of the agents.
pub(super) struct Reading {
    marks: [usize; 2],
    unread: [usize; 2],
}

impl Conversation {
    /// What a side has written it has read.
    pub(super) fn reading(&self) -> Reading {
        // A note does not count: the customer sees the agents' mark.
        let own = |is_agents: bool| {
            let last = self.visible().rfind(|message| matches!(message.by, Writer::Agent(_)) == is_agents);
            last.and_then(|message| message.seq).unwrap_or(0)
        };
        let marks = [self.read[0].max(own(false)), self.read[1].max(own(true))];
        let last = self.visible().count();
        Reading { marks, unread: marks.map(|mark| last - mark) }
    }
}

impl Reading {
    fn shown(&self) -> Value {
        let mark = |side: usize| if self.marks[side] == 0 { Value::Null } else { json!(self.marks[side]) };
        json!({ "customer": mark(0), "agent": mark(1) })
    }

    /// Adds what a side sees of it.
    pub(super) fn add_to(&self, view: &mut Value, side: usize) {
        view["read_up_to"] = self.shown();
        view["unread_count"] = json!(self.unread[side]);
    }
}

impl Model {
    /// A customer or an agent has read a conversation, over REST or on a socket.
    pub(super) fn mark_read(&mut self) -> Option<Step> {
        let conversation = self.any_conversation()?;
        let is_over_socket = self.chance(0.4);
        let socket = self.random.random_range(0..self.listeners.len());
        let user = match is_over_socket {
            true => self.listeners[socket].user,
            false if self.chance(0.5) => self.any_agent(),
            false => self.customer_for(conversation),
        };
        let side = usize::from(self.is_agent(user));
        let field = ["up_to_seq", "up_to_position"][side];
        let state = &self.conversations[conversation];
        let end = [state.visible().count(), state.timeline.len()][side];
        let up_to = self.random.random_range(0..=end + 2);
        let is_valid = self.chance(0.95);
        let number = if is_valid { json!(up_to) } else { self.pick(&[json!(-1), json!(1.5), Value::Null]) };
        let id = if self.chance(0.03) { None } else { Some(self.conversations[conversation].id) };
        let text = match id {
            Some(id) => self.value_of(id),
            None => self.pick(&UNKNOWN_IDS).to_owned(),
        };
        let expected = if !is_valid {
            Expected::Invalid(field)
        } else if id.is_none() {
            not_found("Conversation")
        } else if side == 0 && self.conversations[conversation].owner != Writer::Account(user) {
            refused("ACCESS_DENIED", "Access denied")
        } else {
            self.read(conversation, side, up_to)
        };
        if is_over_socket {
            let payload = json!({ "conversation_id": text, field: number });
            return Some(Step::Emit { socket, event: "read", payload, ack: expected.plain_ack() });
        }
        let path = format!("{}/{text}/read", [MY_CONVERSATIONS, QUEUE][side]);
        Some(post(path, Some(user), Some(json!({ field: number })), expected))
    }

    fn read(&mut self, conversation: usize, side: usize, up_to: usize) -> Expected {
        let state = &mut self.conversations[conversation];
        let seq = match side {
            0 => up_to.min(state.visible().count()),
            _ => state.visible().filter(|message| message.position <= up_to).count(),
        };
        let id = state.id;
        if seq > state.reading().marks[side] {
            state.read[side] = seq;
            let reader = if side == 0 { "customer" } else { "agent" };
            let payload = json!({ "conversation_id": id, "reader": reader, "up_to_seq": seq });
            self.publish(&[Room::Conversation(conversation)], "read", &payload);
        }
        let mut data = json!({ "conversation_id": id });
        self.conversations[conversation].reading().add_to(&mut data, side);
        created("Conversation read", data)
    }
}
