//! Socket events (`support-user.md`, "Client Events"; `support-admin.md`, "Real-time"; `decisions.md`, "Beyond the
//! contract").

use rand::RngExt;
use serde_json::{Value, json};

use super::expected::{fetched, not_found, refused};
use super::generator::{Step, UNKNOWN_IDS};
use super::state::{Model, Room, Writer};

impl Model {
    fn may_join(&self, socket: usize, conversation: usize) -> bool {
        let user = self.listeners[socket].user;
        self.is_agent(user) || self.conversations[conversation].owner == Writer::Account(user)
    }

    fn any_socket(&mut self) -> usize {
        self.random.random_range(0..self.listeners.len())
    }

    fn enter(&mut self, socket: usize, open: Room, agents: Room) {
        let is_agent = self.is_agent(self.listeners[socket].user);
        self.listeners[socket].rooms.insert(open);
        if is_agent {
            self.listeners[socket].rooms.insert(agents);
        }
    }

    pub(super) fn join_conversation(&mut self) -> Option<Step> {
        let (socket, conversation) = (self.any_socket(), self.any_conversation()?);
        let mut payload = json!({ "conversation_id": self.value_of(self.conversations[conversation].id) });
        let after = if self.chance(0.6) { Some(self.random.random_range(0..8)) } else { None };
        if let Some(after) = after {
            payload["after_seq"] = json!(after);
        }
        let expected = if self.chance(0.03) {
            payload["conversation_id"] = json!(self.pick(&UNKNOWN_IDS));
            not_found("Conversation")
        } else if self.may_join(socket, conversation) {
            self.listeners[socket].by_ticket.remove(&conversation);
            if let (Some(after), false) = (after, self.is_in(socket, Room::Conversation(conversation))) {
                self.catch_up(socket, conversation, after);
            }
            self.enter(socket, Room::Conversation(conversation), Room::ConversationAgents(conversation));
            fetched("", Value::Null)
        } else {
            refused("ACCESS_DENIED", "Access denied")
        };
        Some(Step::Emit { socket, event: "join_conversation", payload, ack: expected.plain_ack() })
    }

    /// Expects the missed messages, as live events.
    fn catch_up(&mut self, socket: usize, conversation: usize, after: usize) {
        let (is_agent, reader) = (self.is_agent(self.listeners[socket].user), self.writer(self.listeners[socket].user));
        let state = &self.conversations[conversation];
        let all: Vec<_> = state.messages.iter().filter(|message| is_agent || message.seq.is_some()).collect();
        let last = &all[all.len().saturating_sub(200)..];
        let missed = last.iter().rev().take_while(|message| message.seq.is_none_or(|seq| seq > after)).count();
        let missed: Vec<Value> = last[last.len() - missed..]
            .iter()
            .map(|message| {
                let mut view = self.with_both_times(message, Some(&reader));
                view["is_internal"] = json!(message.seq.is_none());
                json!({ "conversation_id": state.id, "message": view })
            })
            .collect();
        self.listeners[socket].expected.extend(missed.into_iter().map(|payload| ("new_message".to_owned(), payload)));
    }

    pub(super) fn leave_conversation(&mut self) -> Option<Step> {
        let (socket, conversation) = (self.any_socket(), self.any_conversation()?);
        self.leave(socket, conversation);
        self.stop_where_left(socket);
        let payload = json!({ "conversation_id": self.value_of(self.conversations[conversation].id) });
        Some(Step::Emit { socket, event: "leave_conversation", payload, ack: json!({ "success": true }) })
    }

    fn leave(&mut self, socket: usize, conversation: usize) {
        let listener = &mut self.listeners[socket];
        listener.rooms.remove(&Room::Conversation(conversation));
        listener.rooms.remove(&Room::ConversationAgents(conversation));
        listener.by_ticket.remove(&conversation);
    }

    pub(super) fn join_ticket(&mut self) -> Option<Step> {
        let (socket, conversation) = (self.any_socket(), self.any_ticket()?);
        let mut payload = json!({ "ticket_id": self.value_of(self.conversations[conversation].ticket().id) });
        let expected = if self.chance(0.03) {
            payload["ticket_id"] = json!(self.pick(&UNKNOWN_IDS));
            not_found("Ticket")
        } else if self.may_join(socket, conversation) {
            self.enter(socket, Room::Ticket(conversation), Room::TicketAgents(conversation));
            if !self.conversations[conversation].is_thread && !self.is_in(socket, Room::Conversation(conversation)) {
                self.enter(socket, Room::Conversation(conversation), Room::ConversationAgents(conversation));
                self.listeners[socket].by_ticket.insert(conversation);
            }
            fetched("", Value::Null)
        } else {
            refused("ACCESS_DENIED", "Access denied")
        };
        Some(Step::Emit { socket, event: "join_ticket", payload, ack: expected.plain_ack() })
    }

    pub(super) fn leave_ticket(&mut self) -> Option<Step> {
        let (socket, conversation) = (self.any_socket(), self.any_ticket()?);
        let payload = json!({ "ticket_id": self.value_of(self.conversations[conversation].ticket().id) });
        if self.is_in(socket, Room::Ticket(conversation)) {
            self.listeners[socket].rooms.remove(&Room::Ticket(conversation));
            self.listeners[socket].rooms.remove(&Room::TicketAgents(conversation));
            if self.listeners[socket].by_ticket.contains(&conversation) {
                self.leave(socket, conversation);
            }
            self.stop_where_left(socket);
        }
        Some(Step::Emit { socket, event: "leave_ticket", payload, ack: json!({ "success": true }) })
    }
}
