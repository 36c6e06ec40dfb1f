//! What sockets do (`support-user.md`, "Client Events"; `support-admin.md`, "Real-time"; `decisions.md`, "Beyond the
//! contract").

use rand::RngExt;
use serde_json::{Value, json};

use super::expected::{Expected, fetched, not_found, refused};
use super::generator::{NOTHING, Step};
use super::world::{Room, World, Writer};

impl World {
    fn may_join(&self, ear: usize, talk: usize) -> bool {
        let person = self.listeners[ear].person;
        self.is_agent(person) || self.talks[talk].owner == Writer::Account(person)
    }

    fn some_ear(&mut self) -> usize {
        self.random.random_range(0..self.listeners.len())
    }

    fn enter(&mut self, ear: usize, open: Room, agents: Room) {
        let is_agent = self.is_agent(self.listeners[ear].person);
        self.listeners[ear].rooms.insert(open);
        if is_agent {
            self.listeners[ear].rooms.insert(agents);
        }
    }

    pub(super) fn join_conversation(&mut self) -> Option<Step> {
        let (ear, talk) = (self.some_ear(), self.some_talk()?);
        let mut payload = json!({ "conversation_id": self.shown(self.talks[talk].id) });
        let after = if self.chance(0.6) { Some(self.random.random_range(0..8)) } else { None };
        if let Some(after) = after {
            payload["after_seq"] = json!(after);
        }
        let expected = if self.chance(0.03) {
            payload["conversation_id"] = json!(self.pick(&NOTHING));
            not_found("Conversation")
        } else if self.may_join(ear, talk) {
            self.listeners[ear].by_ticket.remove(&talk);
            if let (Some(after), false) = (after, self.is_in(ear, Room::Talk(talk))) {
                self.catch_up(ear, talk, after);
            }
            self.enter(ear, Room::Talk(talk), Room::TalkAgents(talk));
            fetched("", Value::Null)
        } else {
            refused("ACCESS_DENIED", "Access denied")
        };
        Some(Step::Emit { ear, event: "join_conversation", payload, ack: expected.plain_ack() })
    }

    /// What it has missed, as it would have heard it.
    fn catch_up(&mut self, ear: usize, talk: usize, after: usize) {
        let is_agent = self.is_agent(self.listeners[ear].person);
        let state = &self.talks[talk];
        let all: Vec<_> = state.messages.iter().filter(|message| is_agent || message.seq.is_some()).collect();
        let last = &all[all.len().saturating_sub(200)..];
        let missed = last.iter().rev().take_while(|message| message.seq.is_none_or(|seq| seq > after)).count();
        let missed: Vec<Value> = last[last.len() - missed..]
            .iter()
            .map(|message| {
                let mut shown = self.sent(message);
                shown["is_internal"] = json!(message.seq.is_none());
                json!({ "conversation_id": state.id, "message": shown })
            })
            .collect();
        self.listeners[ear].expected.extend(missed.into_iter().map(|payload| ("new_message".to_owned(), payload)));
    }

    pub(super) fn leave_conversation(&mut self) -> Option<Step> {
        let (ear, talk) = (self.some_ear(), self.some_talk()?);
        self.leave(ear, talk);
        let payload = json!({ "conversation_id": self.shown(self.talks[talk].id) });
        Some(Step::Emit { ear, event: "leave_conversation", payload, ack: json!({ "success": true }) })
    }

    fn leave(&mut self, ear: usize, talk: usize) {
        let listener = &mut self.listeners[ear];
        listener.rooms.remove(&Room::Talk(talk));
        listener.rooms.remove(&Room::TalkAgents(talk));
        listener.by_ticket.remove(&talk);
    }

    pub(super) fn join_ticket(&mut self) -> Option<Step> {
        let (ear, talk) = (self.some_ear(), self.some_ticket()?);
        let mut payload = json!({ "ticket_id": self.shown(self.talks[talk].ticket().id) });
        let expected = if self.chance(0.03) {
            payload["ticket_id"] = json!(self.pick(&NOTHING));
            not_found("Ticket")
        } else if self.may_join(ear, talk) {
            self.enter(ear, Room::Ticket(talk), Room::TicketAgents(talk));
            if !self.talks[talk].is_thread && !self.is_in(ear, Room::Talk(talk)) {
                self.enter(ear, Room::Talk(talk), Room::TalkAgents(talk));
                self.listeners[ear].by_ticket.insert(talk);
            }
            fetched("", Value::Null)
        } else {
            refused("ACCESS_DENIED", "Access denied")
        };
        Some(Step::Emit { ear, event: "join_ticket", payload, ack: expected.plain_ack() })
    }

    pub(super) fn leave_ticket(&mut self) -> Option<Step> {
        let (ear, talk) = (self.some_ear(), self.some_ticket()?);
        let payload = json!({ "ticket_id": self.shown(self.talks[talk].ticket().id) });
        if self.is_in(ear, Room::Ticket(talk)) {
            self.listeners[ear].rooms.remove(&Room::Ticket(talk));
            self.listeners[ear].rooms.remove(&Room::TicketAgents(talk));
            if self.listeners[ear].by_ticket.contains(&talk) {
                self.leave(ear, talk);
            }
        }
        Some(Step::Emit { ear, event: "leave_ticket", payload, ack: json!({ "success": true }) })
    }

    /// `typing` or `stop_typing`, in a conversation or in a ticket.
    pub(super) fn type_something(&mut self) -> Option<Step> {
        let ear = self.some_ear();
        let event = self.pick(&["typing", "stop_typing"]);
        let in_ticket = self.chance(0.4);
        let talk = if in_ticket { self.some_ticket()? } else { self.some_talk()? };
        let (key, id, room, noun) = if in_ticket {
            ("ticket_id", self.talks[talk].ticket().id, Room::Ticket(talk), "ticket")
        } else {
            ("conversation_id", self.talks[talk].id, Room::Talk(talk), "conversation")
        };
        let payload = json!({ key: self.shown(id) });
        if !self.is_in(ear, room) {
            let ack = refused("FORBIDDEN", format!("Join the {noun} first")).plain_ack();
            return Some(Step::Emit { ear, event, payload, ack });
        }
        let person = self.listeners[ear].person;
        let heard = json!({ key: id, "user_id": self.people[person].id, "is_admin": self.is_agent(person) });
        for (other, listener) in self.listeners.iter_mut().enumerate() {
            if other != ear && listener.rooms.contains(&room) {
                listener.expected.push((event.to_owned(), heard.clone()));
            }
        }
        Some(Step::Emit { ear, event, payload, ack: Expected::plain_ack(&fetched("", Value::Null)) })
    }
}
