//! The state of the model: users, conversations, tickets, and sockets in rooms.

use std::collections::HashSet;

use chrono::{Datelike, Utc};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use switchboard_testkit::Event;

use super::expected::Expected;
use super::placeholders::{Placeholder, Placeholders};
use crate::support::TestUser;

pub(super) const CUSTOMERS: usize = 3;
pub(super) const AGENTS: usize = 3;
/// The second is also the address of an account, which does not own what is sent without its token.
pub(super) const GUESTS: [&str; 2] = ["guest@example.com", "ben@example.com"];

/// A user with an account.
pub(super) struct ModelUser {
    pub(super) id: &'static str,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    pub(super) credentials: TestUser,
}

impl ModelUser {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    pub(super) fn email(&self) -> String {
        format!("{}@example.com", self.id)
    }
}

/// Who writes, and who owns a conversation. The number is an index of the model's users.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Writer {
    Account(usize),
    Guest(String),
    Agent(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: Placeholder,
    pub(super) position: usize,
    /// `None` for a note.
    pub(super) seq: Option<usize>,
    pub(super) text: String,
    pub(super) by: Writer,
    pub(super) at: Placeholder,
    pub(super) client_message_id: Option<String>,
}

impl Message {
    /// Its JSON as `reader` sees it: the client's id is the sender's alone.
    pub(super) fn seen_by(&self, mut view: Value, reader: Option<&Writer>) -> Value {
        if let (Some(id), true) = (&self.client_message_id, reader == Some(&self.by)) {
            view["client_message_id"] = json!(id);
        }
        view
    }
}

pub(super) struct Handover {
    pub(super) id: Placeholder,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) reason: Option<String>,
    pub(super) status: &'static str,
    /// Why it was not accepted.
    pub(super) resolution: Option<&'static str>,
    pub(super) at: Placeholder,
    pub(super) responded_at: Option<Placeholder>,
}

#[derive(Clone)]
pub(super) struct Ticket {
    pub(super) id: Placeholder,
    pub(super) number: String,
    pub(super) subject: String,
    pub(super) description: String,
    pub(super) support_type: &'static str,
    pub(super) priority: &'static str,
    pub(super) status: &'static str,
    pub(super) assignee: Option<usize>,
    pub(super) resolved: Option<(usize, Placeholder)>,
    pub(super) notes: Option<String>,
    pub(super) first_response_at: Option<Placeholder>,
    pub(super) last_response_at: Option<Placeholder>,
    pub(super) rating: Option<u64>,
    pub(super) feedback: Option<String>,
    pub(super) created_at: Placeholder,
    pub(super) updated_at: Placeholder,
}

impl Ticket {
    pub(super) fn is_done(&self) -> bool {
        ["resolved", "closed"].contains(&self.status)
    }
}

/// A conversation, or the thread of a ticket without one.
pub(super) struct Conversation {
    pub(super) id: Placeholder,
    pub(super) is_thread: bool,
    pub(super) owner: Writer,
    pub(super) email: String,
    pub(super) phone: Option<String>,
    pub(super) status: &'static str,
    pub(super) assignee: Option<(usize, Placeholder)>,
    pub(super) messages: Vec<Message>,
    pub(super) timeline: Vec<Value>,
    pub(super) handovers: Vec<Handover>,
    pub(super) ticket: Option<Ticket>,
    pub(super) rating: Option<u64>,
    pub(super) is_rating_replaceable: bool,
    pub(super) feedback: Option<String>,
    /// How far the customer and the agents have read, apart from what they have written.
    pub(super) read: [usize; 2],
    pub(super) created_at: Placeholder,
    pub(super) updated_at: Placeholder,
    /// The timestamps of its events, in order.
    pub(super) timestamps: Vec<Placeholder>,
}

impl Conversation {
    pub(super) fn is_held_by_another_than(&self, agent: usize) -> bool {
        self.assignee.is_some_and(|(holder, _)| holder != agent)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.status == "closed"
    }

    /// The messages that the customer can see.
    pub(super) fn visible(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter().filter(|message| message.seq.is_some())
    }

    pub(super) fn last_visible(&self) -> &Message {
        self.visible().next_back().unwrap()
    }

    pub(super) fn ticket(&self) -> &Ticket {
        self.ticket.as_ref().unwrap()
    }
}

/// A room that events are published to. The number is an index of the model's users or conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Room {
    User(usize),
    Admins,
    Conversation(usize),
    ConversationAgents(usize),
    Ticket(usize),
    TicketAgents(usize),
}

/// A socket.
pub(super) struct Listener {
    pub(super) user: usize,
    pub(super) rooms: HashSet<Room>,
    /// Conversations whose rooms it is in because it joined their tickets.
    pub(super) by_ticket: HashSet<usize>,
    pub(super) expected: Vec<Event>,
}

/// A socket that types, in the order in which they began.
pub(super) struct Typing {
    pub(super) socket: usize,
    pub(super) conversation: usize,
    pub(super) is_ticket: bool,
    pub(super) is_note: bool,
}

/// A send with a key, and its answer.
pub(super) struct RepeatableSend {
    pub(super) path: String,
    pub(super) by: Writer,
    pub(super) body: Value,
    pub(super) conversation: usize,
    pub(super) is_public_reply: bool,
    pub(super) answer: Expected,
}

pub(super) struct Model {
    pub(super) random: StdRng,
    pub(super) placeholders: Placeholders,
    /// Customers, then agents.
    pub(super) users: Vec<ModelUser>,
    pub(super) conversations: Vec<Conversation>,
    pub(super) listeners: Vec<Listener>,
    pub(super) typing: Vec<Typing>,
    pub(super) repeatable: Vec<RepeatableSend>,
    /// The number of texts and keys so far, which makes each unique.
    pub(super) words: usize,
    /// The conversation of the last successful action.
    pub(super) last: Option<usize>,
    /// The client's id of the message that is posted next.
    pub(super) client_message_id: Option<String>,
    tickets: usize,
}

impl Model {
    pub(super) fn new(seed: u64) -> Self {
        let user = |id, first, last, role| ModelUser {
            id,
            first,
            last,
            credentials: TestUser::with_role(id, role, first, last),
        };
        let users = vec![
            user("ada", "Ada", "Byron", "user"),
            user("ben", "Ben", "Okri", "user"),
            user("cyd", "Cyd", "Ball", "user"),
            user("lisa", "Lisa", "Simpson", "admin"),
            user("mike", "Mike", "Myers", "admin"),
            user("sarah", "Sarah", "Johnson", "admin"),
        ];
        assert_eq!(users.len(), CUSTOMERS + AGENTS);
        Self {
            random: StdRng::seed_from_u64(seed),
            placeholders: Placeholders::default(),
            users,
            conversations: Vec::new(),
            listeners: Vec::new(),
            typing: Vec::new(),
            repeatable: Vec::new(),
            words: 0,
            last: None,
            client_message_id: None,
            tickets: 0,
        }
    }

    pub(super) fn is_agent(&self, user: usize) -> bool {
        user >= CUSTOMERS
    }

    /// One more socket of this user.
    pub(super) fn listen(&mut self, user: usize) {
        let mut rooms = HashSet::from([Room::User(user)]);
        if self.is_agent(user) {
            rooms.insert(Room::Admins);
        }
        self.listeners.push(Listener { user, rooms, by_ticket: HashSet::new(), expected: Vec::new() });
    }

    /// Every socket in one of these rooms must receive the event once.
    pub(super) fn publish(&mut self, rooms: &[Room], event: &str, payload: &Value) {
        for listener in &mut self.listeners {
            if rooms.iter().any(|room| listener.rooms.contains(room)) {
                listener.expected.push((event.to_owned(), payload.clone()));
            }
        }
    }

    /// The same for a message, which the sockets of its sender receive with the client's id.
    pub(super) fn publish_new_message(
        &mut self,
        room: Room,
        place: &str,
        id: Placeholder,
        message: &Message,
        view: &Value,
    ) {
        for listener in self.listeners.iter_mut().filter(|listener| listener.rooms.contains(&room)) {
            let reader =
                if listener.user >= CUSTOMERS { Writer::Agent(listener.user) } else { Writer::Account(listener.user) };
            let payload = json!({ place: id, "message": message.seen_by(view.clone(), Some(&reader)) });
            listener.expected.push(("new_message".to_owned(), payload));
        }
    }

    /// The account of a user, as it writes.
    pub(super) fn writer(&self, user: usize) -> Writer {
        if self.is_agent(user) { Writer::Agent(user) } else { Writer::Account(user) }
    }

    /// The next ticket's number: counted per year, without a gap.
    pub(super) fn next_number(&mut self) -> String {
        self.tickets += 1;
        format!("SMI-{}-{:06}", Utc::now().year(), self.tickets)
    }

    pub(super) fn name_of(&self, writer: &Writer) -> Option<String> {
        match writer {
            Writer::Account(user) | Writer::Agent(user) => Some(self.users[*user].name()),
            Writer::Guest(_) => None,
        }
    }

    pub(super) fn email_of(&self, writer: &Writer) -> String {
        match writer {
            Writer::Account(user) | Writer::Agent(user) => self.users[*user].email(),
            Writer::Guest(email) => email.clone(),
        }
    }

    pub(super) fn account_of(&self, writer: &Writer) -> Option<&'static str> {
        match writer {
            Writer::Account(user) | Writer::Agent(user) => Some(self.users[*user].id),
            Writer::Guest(_) => None,
        }
    }

    /// The room of the account that a conversation belongs to.
    pub(super) fn owners_room(&self, conversation: usize) -> Vec<Room> {
        match self.conversations[conversation].owner {
            Writer::Account(user) => vec![Room::User(user)],
            _ => Vec::new(),
        }
    }

    /// The value of a bound placeholder, for a path.
    pub(super) fn value_of(&self, placeholder: Placeholder) -> String {
        self.placeholders.value(placeholder).unwrap().to_owned()
    }

    /// Adds an event to the timeline; returns its position.
    pub(super) fn record(
        &mut self,
        conversation: usize,
        kind: &str,
        by: Option<&Writer>,
        data: Value,
        at: Placeholder,
    ) -> usize {
        let position = self.conversations[conversation].timeline.len() + 1;
        let (id, name) = (by.and_then(|by| self.account_of(by)), by.and_then(|by| self.name_of(by)));
        let row = json!({
            "position": position, "type": kind, "actor_id": id, "actor_name": name, "data": data, "createdAt": at,
        });
        self.conversations[conversation].timeline.push(row);
        self.conversations[conversation].timestamps.push(at);
        position
    }
}

/// The first 100 characters.
pub(super) fn preview(text: &str) -> String {
    text.chars().take(100).collect()
}
