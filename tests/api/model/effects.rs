//! The effects of a permitted action on the model, and the events that it publishes (`support-admin.md`, "Real-time";
//! `decisions.md`, "Status of a conversation").

use serde_json::{Value, json};

use super::placeholders::Placeholder;
use super::state::{Conversation, Message, Model, Room, Ticket, Writer, preview};

/// The fields of a new ticket.
pub(super) struct Draft {
    pub(super) subject: String,
    pub(super) description: String,
    pub(super) support_type: &'static str,
    pub(super) priority: &'static str,
}

impl Model {
    /// A conversation without a message.
    fn add_conversation(&mut self, owner: Writer, phone: Option<String>, is_thread: bool, at: Placeholder) -> usize {
        let conversation = self.conversations.len();
        self.conversations.push(Conversation {
            id: self.placeholders.id(),
            is_thread,
            email: self.email_of(&owner),
            owner: owner.clone(),
            phone,
            status: "active",
            assignee: None,
            messages: Vec::new(),
            timeline: Vec::new(),
            handovers: Vec::new(),
            ticket: None,
            rating: None,
            is_rating_replaceable: false,
            feedback: None,
            read: [0, 0],
            created_at: at,
            updated_at: at,
            timestamps: Vec::new(),
        });
        self.record(conversation, "created", Some(&owner), json!({ "channel": "support" }), at);
        conversation
    }

    pub(super) fn open(&mut self, owner: &Writer, phone: Option<String>, text: &str) -> usize {
        let at = self.placeholders.timestamp();
        let conversation = self.add_conversation(owner.clone(), phone, false, at);
        self.post(conversation, owner.clone(), text, false, at);
        conversation
    }

    pub(super) fn open_ticket(&mut self, owner: &Writer, phone: Option<String>, draft: Draft) -> usize {
        let at = self.placeholders.timestamp();
        let conversation = self.add_conversation(owner.clone(), phone, true, at);
        let text = draft.description.clone();
        self.make_ticket(conversation, None, draft, at);
        self.post(conversation, owner.clone(), &text, false, at);
        conversation
    }

    pub(super) fn make_ticket(&mut self, conversation: usize, by: Option<usize>, draft: Draft, at: Placeholder) {
        let assignee = self.conversations[conversation].assignee.map(|(agent, _)| agent);
        let ticket = Ticket {
            id: self.placeholders.id(),
            number: self.next_number(),
            subject: draft.subject,
            description: draft.description,
            support_type: draft.support_type,
            priority: draft.priority,
            status: if by.is_some() { "in_progress" } else { "pending" },
            assignee,
            resolved: None,
            notes: None,
            first_response_at: None,
            last_response_at: None,
            rating: None,
            feedback: None,
            created_at: at,
            updated_at: at,
        };
        let by = by.map(Writer::Agent);
        let data = json!({ "ticket_id": ticket.id, "subject": ticket.subject });
        self.record(conversation, "ticket_created", by.as_ref(), data, at);
        let is_thread = self.conversations[conversation].is_thread;
        let id = self.conversations[conversation].id;
        self.conversations[conversation].updated_at = at;
        self.conversations[conversation].ticket = Some(ticket.clone());
        if !is_thread {
            let view = json!({
                "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "support_type": ticket.support_type,
                "priority": ticket.priority, "status": ticket.status,
            });
            let payload = json!({ "conversation_id": id, "ticket": view });
            self.publish(&[Room::Conversation(conversation)], "ticket_created_from_conversation", &payload);
            self.publish_to_owner(conversation, json!({ "event": "ticket_created", "ticket_number": ticket.number }));
        }
        let payload = json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "support_type": ticket.support_type,
            "priority": ticket.priority, "email": self.conversations[conversation].email, "created_at": at,
            "conversation_id": if is_thread { Value::Null } else { json!(id) },
        });
        self.publish(&[Room::Admins], "ticket_created", &payload);
    }

    /// `conversation_updated` to the customer.
    pub(super) fn publish_to_owner(&mut self, conversation: usize, update: Value) {
        let payload = with(update, "conversation_id", json!(self.conversations[conversation].id));
        self.publish(&self.owners_room(conversation), "conversation_updated", &payload);
    }

    /// `conversation_updated` to the agents.
    pub(super) fn publish_to_agents(&mut self, conversation: usize, update: Value) {
        let payload = with(update, "conversation_id", json!(self.conversations[conversation].id));
        self.publish(&[Room::Admins], "conversation_updated", &payload);
    }

    /// `ticket_updated`.
    pub(super) fn publish_ticket_update(&mut self, conversation: usize, rooms: &[Room], update: Value) {
        let ticket = self.conversations[conversation].ticket();
        let payload = with(with(update, "ticket_id", json!(ticket.id)), "ticket_number", json!(ticket.number));
        self.publish(rooms, "ticket_updated", &payload);
    }

    /// Adds a message or a note, and publishes it.
    pub(super) fn post(
        &mut self,
        conversation: usize,
        by: Writer,
        text: &str,
        is_note: bool,
        at: Placeholder,
    ) -> Message {
        let is_customers = !matches!(by, Writer::Agent(_));
        let id = self.placeholders.id();
        let seq = (!is_note).then(|| self.conversations[conversation].visible().count() + 1);
        let data = json!({ "message_id": id, "seq": seq, "is_from_user": is_customers, "preview": preview(text) });
        let position = self.record(conversation, if is_note { "note" } else { "message" }, Some(&by), data, at);
        let client_message_id = self.client_message_id.take();
        let message = Message { id, position, seq, text: text.to_owned(), by, at, client_message_id };
        let state = &mut self.conversations[conversation];
        state.messages.push(message.clone());
        if !is_note {
            state.updated_at = at;
            state.status = match seq {
                Some(1) => "active",
                _ if is_customers => "waiting_support",
                _ => "waiting_user",
            };
            if let Some(ticket) = &mut state.ticket {
                ticket.updated_at = at;
                if !is_customers {
                    ticket.first_response_at.get_or_insert(at);
                    ticket.last_response_at = Some(at);
                }
            }
        }
        self.stop_typing(conversation, Some(&message.by));
        self.publish_message(conversation, &message);
        message
    }

    fn publish_message(&mut self, conversation: usize, message: &Message) {
        let is_note = message.seq.is_none();
        let is_customers = !matches!(message.by, Writer::Agent(_));
        let (name, email) = (self.name_of(&message.by), self.email_of(&message.by));
        let full = json!({
            "id": message.id, "seq": message.seq, "message": message.text, "is_from_user": is_customers,
            "is_internal": is_note, "sender_name": name, "sender_email": email, "attachments": null,
            "createdAt": message.at, "created_at": message.at,
        });
        let short = json!({
            "id": message.id, "preview": preview(&message.text), "sender_name": name, "created_at": message.at,
        });
        let state = &self.conversations[conversation];
        let (id, ticket) = (state.id, state.ticket.as_ref().map(|ticket| ticket.id));
        if !state.is_thread {
            let room = if is_note { Room::ConversationAgents(conversation) } else { Room::Conversation(conversation) };
            self.publish_new_message(room, "conversation_id", id, message, &full);
            if message.seq == Some(1) {
                self.publish_conversation_created(conversation, message);
            } else if !is_note && is_customers {
                self.publish_to_agents(conversation, json!({ "event": "new_user_message", "message": short }));
            } else if !is_note {
                self.publish_to_owner(conversation, json!({ "event": "new_reply", "message": short }));
            }
        }
        let Some(ticket) = ticket else { return };
        let room = if is_note { Room::TicketAgents(conversation) } else { Room::Ticket(conversation) };
        self.publish_new_message(room, "ticket_id", ticket, message, &full);
        if !is_note && is_customers && message.seq != Some(1) {
            let update = json!({ "event": "new_user_message", "message": short });
            self.publish_ticket_update(conversation, &[Room::Admins], update);
        } else if !is_note && !is_customers {
            let update = json!({ "event": "new_reply", "message": short });
            self.publish_ticket_update(conversation, &self.owners_room(conversation), update);
        }
    }

    fn publish_conversation_created(&mut self, conversation: usize, first: &Message) {
        let state = &self.conversations[conversation];
        let payload = json!({
            "id": state.id, "user_id": self.account_of(&state.owner), "email": state.email, "status": "active",
            "created_at": state.created_at, "first_message": preview(&first.text),
        });
        self.publish(&[Room::Admins], "conversation_created", &payload);
    }

    /// An agent's public reply.
    pub(super) fn reply_publicly(&mut self, conversation: usize, agent: usize, text: &str) -> Message {
        let at = self.placeholders.timestamp();
        let state = &self.conversations[conversation];
        if !state.is_thread && state.assignee.is_none() {
            self.claim(conversation, agent, at);
        }
        let message = self.post(conversation, Writer::Agent(agent), text, false, at);
        if self.conversations[conversation].ticket.as_ref().is_some_and(|ticket| ticket.status == "pending") {
            let notes = self.conversations[conversation].ticket().notes.clone();
            self.set_status(conversation, Some(agent), "in_progress", notes, at);
        }
        message
    }

    pub(super) fn close(&mut self, conversation: usize, agent: usize, at: Placeholder) {
        if let Some(pending) = self.pending_handover(conversation) {
            self.resolve(conversation, pending, agent, Some("closed"), at);
        }
        let open = self.conversations[conversation].ticket.as_ref().filter(|ticket| !ticket.is_done());
        let old = open.map(|ticket| ticket.status);
        let data = match old {
            Some(old) => json!({ "ticket": { "old_status": old, "new_status": "resolved" } }),
            None => json!({}),
        };
        self.record(conversation, "closed", Some(&Writer::Agent(agent)), data, at);
        let state = &mut self.conversations[conversation];
        state.status = "closed";
        state.updated_at = at;
        let id = state.id;
        self.stop_typing(conversation, None);
        self.publish(&[Room::Conversation(conversation)], "conversation_closed", &json!({ "conversation_id": id }));
        self.publish_to_agents(conversation, json!({ "event": "closed" }));
        self.publish_to_owner(conversation, json!({ "event": "closed" }));
        if let Some(old) = old {
            let ticket = self.change_ticket(conversation, at);
            (ticket.status, ticket.resolved) = ("resolved", Some((agent, at)));
            self.publish_status_changed(conversation, old);
        }
    }

    pub(super) fn rate(&mut self, conversation: usize, stars: u64, feedback: Option<String>) {
        let at = self.placeholders.timestamp();
        let owner = self.conversations[conversation].owner.clone();
        self.record(conversation, "rated", Some(&owner), json!({ "rating": stars, "feedback": feedback }), at);
        let state = &mut self.conversations[conversation];
        (state.rating, state.feedback, state.updated_at) = (Some(stars), feedback, at);
        state.is_rating_replaceable = false;
    }

    pub(super) fn rate_ticket(&mut self, conversation: usize, stars: u64, feedback: Option<String>) {
        let at = self.placeholders.timestamp();
        let owner = self.conversations[conversation].owner.clone();
        self.record(conversation, "ticket_rated", Some(&owner), json!({ "rating": stars, "feedback": feedback }), at);
        let ticket = self.change_ticket(conversation, at);
        (ticket.rating, ticket.feedback) = (Some(stars), feedback);
    }

    /// A customer's message reopens a ticket that is resolved.
    pub(super) fn reopen_ticket(&mut self, conversation: usize, at: Placeholder) {
        let resolved = self.conversations[conversation].ticket.as_ref().filter(|ticket| ticket.status == "resolved");
        if let Some(notes) = resolved.map(|ticket| ticket.notes.clone()) {
            self.set_status(conversation, None, "in_progress", notes, at);
        }
    }

    pub(super) fn change_ticket(&mut self, conversation: usize, at: Placeholder) -> &mut Ticket {
        self.conversations[conversation].updated_at = at;
        let ticket = self.conversations[conversation].ticket.as_mut().unwrap();
        ticket.updated_at = at;
        ticket
    }

    /// `notes` replaces the ticket's notes.
    pub(super) fn set_status(
        &mut self,
        conversation: usize,
        agent: Option<usize>,
        status: &'static str,
        notes: Option<String>,
        at: Placeholder,
    ) {
        let old = self.conversations[conversation].ticket().status;
        let data = json!({ "old_status": old, "new_status": status, "resolution_notes": notes });
        self.record(conversation, "ticket_status_changed", agent.map(Writer::Agent).as_ref(), data, at);
        let ticket = self.change_ticket(conversation, at);
        ticket.status = status;
        ticket.notes = notes;
        ticket.resolved = agent.filter(|_| ticket.is_done()).map(|agent| (agent, at));
        self.publish_status_changed(conversation, old);
    }

    fn publish_status_changed(&mut self, conversation: usize, old: &'static str) {
        let ticket = self.conversations[conversation].ticket();
        let (status, notes) = (ticket.status, ticket.notes.clone());
        let mut payload = json!({
            "ticket_id": ticket.id, "ticket_number": ticket.number, "old_status": old, "new_status": status,
        });
        let mut update = json!({ "event": "status_changed", "old_status": old, "new_status": status });
        if let Some(notes) = notes {
            payload["resolution_notes"] = json!(notes);
            update["resolution_notes"] = json!(notes);
        }
        self.publish(&[Room::Ticket(conversation)], "status_changed", &payload);
        self.publish_ticket_update(conversation, &self.owners_room(conversation), update);
    }

    pub(super) fn prioritise(&mut self, conversation: usize, by: usize, priority: &'static str) {
        let at = self.placeholders.timestamp();
        let data = json!({ "priority": priority });
        self.record(conversation, "ticket_priority_changed", Some(&Writer::Agent(by)), data, at);
        self.change_ticket(conversation, at).priority = priority;
    }
}

pub(super) fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}
