//! Typing indicators (`additions.md`, 3). The walk is shorter than `realtime.typing_timeout_seconds`.

use rand::RngExt;
use serde_json::{Value, json};

use super::expected::{fetched, refused};
use super::generator::Step;
use super::state::{Model, Room, Typing, Writer};

/// `realtime.max_typing_places`.
const MAX_PLACES: usize = 16;

impl Model {
    /// `typing` or `stop_typing`, in a conversation or in a ticket.
    pub(super) fn type_or_stop(&mut self) -> Option<Step> {
        let socket = self.random.random_range(0..self.listeners.len());
        let event = self.pick(&["typing", "typing", "stop_typing"]);
        let is_ticket = self.chance(0.4);
        let conversation = if is_ticket { self.any_ticket()? } else { self.any_conversation()? };
        let (key, id, noun) = if is_ticket {
            ("ticket_id", self.conversations[conversation].ticket().id, "ticket")
        } else {
            ("conversation_id", self.conversations[conversation].id, "conversation")
        };
        let mut payload = json!({ key: self.value_of(id) });
        let is_internal = self.chance(0.3);
        if is_internal {
            payload["is_internal"] = json!(true);
        }
        let is_note = is_internal && self.is_agent(self.listeners[socket].user);
        let typing = Typing { socket, conversation, is_ticket, is_note };
        let expected = if !self.is_in(socket, typing.room()) {
            refused("FORBIDDEN", format!("Join the {noun} first"))
        } else if self.relay(event == "typing", typing) {
            fetched("", Value::Null)
        } else {
            refused("CONVERSATION_CLOSED", "This conversation has been closed")
        };
        Some(Step::Emit { socket, event, payload, ack: expected.plain_ack() })
    }

    /// Whether it is relayed.
    fn relay(&mut self, is_typing: bool, typing: Typing) -> bool {
        let is_closed = self.conversations[typing.conversation].is_closed();
        let before = self.typing.iter().position(|other| {
            (other.socket, other.conversation, other.is_ticket)
                == (typing.socket, typing.conversation, typing.is_ticket)
        });
        match (is_typing, before) {
            (false, Some(before)) => {
                let before = self.typing.remove(before);
                self.announce("stop_typing", &before);
            }
            (false, None) if !is_closed => self.announce("stop_typing", &typing),
            (true, Some(before)) if self.typing[before].is_note == typing.is_note => self.announce("typing", &typing),
            (true, _) if !is_closed => {
                if let Some(before) = before {
                    let before = self.typing.remove(before);
                    self.announce("stop_typing", &before);
                }
                if self.typing.iter().filter(|other| other.socket == typing.socket).count() == MAX_PLACES {
                    let first = self.typing.iter().position(|other| other.socket == typing.socket).unwrap();
                    let first = self.typing.remove(first);
                    self.announce("stop_typing", &first);
                }
                self.announce("typing", &typing);
                self.typing.push(typing);
            }
            _ => return false,
        }
        true
    }

    fn announce(&mut self, event: &str, typing: &Typing) {
        let Typing { socket, conversation, is_ticket, is_note } = *typing;
        let user = self.listeners[socket].user;
        let (key, id) = if is_ticket {
            ("ticket_id", self.conversations[conversation].ticket().id)
        } else {
            ("conversation_id", self.conversations[conversation].id)
        };
        let heard = json!({ key: id, "user_id": self.users[user].id, "is_admin": self.is_agent(user) });
        let room = match (is_ticket, is_note) {
            (true, true) => Room::TicketAgents(conversation),
            (false, true) => Room::ConversationAgents(conversation),
            _ => typing.room(),
        };
        for (other, listener) in self.listeners.iter_mut().enumerate() {
            if other != socket && listener.rooms.contains(&room) {
                listener.expected.push((event.to_owned(), heard.clone()));
            }
        }
    }

    /// The socket has left rooms.
    pub(super) fn stop_where_left(&mut self, socket: usize) {
        let rooms = self.listeners[socket].rooms.clone();
        self.stop_if(|_, typing| typing.socket == socket && !rooms.contains(&typing.room()));
    }

    /// This author has written in the conversation; `None`: it was closed.
    pub(super) fn stop_typing(&mut self, conversation: usize, by: Option<&Writer>) {
        let user = match by {
            Some(Writer::Account(user) | Writer::Agent(user)) => Some(*user),
            Some(Writer::Guest(_)) => return,
            None => None,
        };
        for is_ticket in [false, true] {
            self.stop_if(|model, typing| {
                let is_there = typing.conversation == conversation && typing.is_ticket == is_ticket;
                is_there && user.is_none_or(|user| model.listeners[typing.socket].user == user)
            });
        }
    }

    fn stop_if(&mut self, has_stopped: impl Fn(&Self, &Typing) -> bool) {
        while let Some(index) = self.typing.iter().position(|typing| has_stopped(self, typing)) {
            let stopped = self.typing.remove(index);
            self.announce("stop_typing", &stopped);
        }
    }
}

impl Typing {
    fn room(&self) -> Room {
        if self.is_ticket { Room::Ticket(self.conversation) } else { Room::Conversation(self.conversation) }
    }
}
