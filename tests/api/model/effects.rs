//! What happens in the world when something is done that may be done, and who hears of it (`support-admin.md`,
//! "Real-time"; `decisions.md`, "Status of a conversation").

use serde_json::{Value, json};

use super::placeholders::Unknown;
use super::world::{Handover, Message, Room, Talk, Ticket, World, Writer, preview};

/// What a ticket is to be.
pub(super) struct Draft {
    pub(super) subject: String,
    pub(super) description: String,
    pub(super) kind: &'static str,
    pub(super) priority: &'static str,
}

impl World {
    /// A conversation without a message.
    fn begin(&mut self, owner: Writer, phone: Option<String>, is_thread: bool, at: Unknown) -> usize {
        let talk = self.talks.len();
        self.talks.push(Talk {
            id: self.unknowns.id(),
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
            feedback: None,
            created_at: at,
            updated_at: at,
            moments: Vec::new(),
        });
        self.happened(talk, "created", Some(&owner), json!({ "channel": "support" }), at);
        talk
    }

    pub(super) fn open(&mut self, owner: &Writer, phone: Option<String>, text: &str) -> usize {
        let at = self.unknowns.moment();
        let talk = self.begin(owner.clone(), phone, false, at);
        self.post(talk, owner.clone(), text, false, at);
        talk
    }

    pub(super) fn open_ticket(&mut self, owner: &Writer, phone: Option<String>, draft: Draft) -> usize {
        let at = self.unknowns.moment();
        let talk = self.begin(owner.clone(), phone, true, at);
        let text = draft.description.clone();
        self.make_ticket(talk, None, draft, at);
        self.post(talk, owner.clone(), &text, false, at);
        talk
    }

    pub(super) fn make_ticket(&mut self, talk: usize, by: Option<usize>, draft: Draft, at: Unknown) {
        let assignee = self.talks[talk].assignee.map(|(agent, _)| agent);
        let ticket = Ticket {
            id: self.unknowns.id(),
            number: self.next_number(),
            subject: draft.subject,
            description: draft.description,
            kind: draft.kind,
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
        self.happened(talk, "ticket_created", by.as_ref(), data, at);
        let is_thread = self.talks[talk].is_thread;
        let id = self.talks[talk].id;
        self.talks[talk].updated_at = at;
        self.talks[talk].ticket = Some(ticket.clone());
        if !is_thread {
            let shown = json!({
                "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "support_type": ticket.kind,
                "priority": ticket.priority, "status": ticket.status,
            });
            let payload = json!({ "conversation_id": id, "ticket": shown });
            self.tell(&[Room::Talk(talk)], "ticket_created_from_conversation", &payload);
            self.tell_owner(talk, json!({ "event": "ticket_created", "ticket_number": ticket.number }));
        }
        let payload = json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "support_type": ticket.kind,
            "priority": ticket.priority, "email": self.talks[talk].email, "created_at": at,
            "conversation_id": if is_thread { Value::Null } else { json!(id) },
        });
        self.tell(&[Room::Admins], "ticket_created", &payload);
    }

    /// `conversation_updated` to the customer.
    pub(super) fn tell_owner(&mut self, talk: usize, update: Value) {
        let payload = with(update, "conversation_id", json!(self.talks[talk].id));
        self.tell(&self.owners_room(talk), "conversation_updated", &payload);
    }

    /// `conversation_updated` to the agents.
    pub(super) fn tell_admins(&mut self, talk: usize, update: Value) {
        let payload = with(update, "conversation_id", json!(self.talks[talk].id));
        self.tell(&[Room::Admins], "conversation_updated", &payload);
    }

    /// `ticket_updated`.
    fn tell_of_ticket(&mut self, talk: usize, rooms: &[Room], update: Value) {
        let ticket = self.talks[talk].ticket();
        let payload = with(with(update, "ticket_id", json!(ticket.id)), "ticket_number", json!(ticket.number));
        self.tell(rooms, "ticket_updated", &payload);
    }

    /// Somebody writes; the message.
    pub(super) fn post(&mut self, talk: usize, by: Writer, text: &str, is_note: bool, at: Unknown) -> Message {
        let is_customers = !matches!(by, Writer::Agent(_));
        let id = self.unknowns.id();
        let seq = (!is_note).then(|| self.talks[talk].visible().count() + 1);
        let data = json!({ "message_id": id, "seq": seq, "is_from_user": is_customers, "preview": preview(text) });
        let position = self.happened(talk, if is_note { "note" } else { "message" }, Some(&by), data, at);
        let message = Message { id, position, seq, text: text.to_owned(), by, at };
        let state = &mut self.talks[talk];
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
        self.tell_of_message(talk, &message);
        message
    }

    fn tell_of_message(&mut self, talk: usize, message: &Message) {
        let is_note = message.seq.is_none();
        let is_customers = !matches!(message.by, Writer::Agent(_));
        let (name, email) = (self.name_of(&message.by), self.email_of(&message.by));
        let whole = json!({
            "id": message.id, "seq": message.seq, "message": message.text, "is_from_user": is_customers,
            "is_internal": is_note, "sender_name": name, "sender_email": email, "attachments": null,
            "createdAt": message.at, "created_at": message.at,
        });
        let short = json!({
            "id": message.id, "preview": preview(&message.text), "sender_name": name, "created_at": message.at,
        });
        let state = &self.talks[talk];
        let (id, ticket) = (state.id, state.ticket.as_ref().map(|ticket| ticket.id));
        if !state.is_thread {
            let room = if is_note { Room::TalkAgents(talk) } else { Room::Talk(talk) };
            self.tell(&[room], "new_message", &json!({ "conversation_id": id, "message": whole }));
            if message.seq == Some(1) {
                self.tell_of_conversation(talk, message);
            } else if !is_note && is_customers {
                self.tell_admins(talk, json!({ "event": "new_user_message", "message": short }));
            } else if !is_note {
                self.tell_owner(talk, json!({ "event": "new_reply", "message": short }));
            }
        }
        let Some(ticket) = ticket else { return };
        let room = if is_note { Room::TicketAgents(talk) } else { Room::Ticket(talk) };
        self.tell(&[room], "new_message", &json!({ "ticket_id": ticket, "message": whole }));
        if !is_note && is_customers && message.seq != Some(1) {
            let update = json!({ "event": "new_user_message", "message": short });
            self.tell_of_ticket(talk, &[Room::Admins], update);
        } else if !is_note && !is_customers {
            let update = json!({ "event": "new_reply", "message": short });
            self.tell_of_ticket(talk, &self.owners_room(talk), update);
        }
    }

    fn tell_of_conversation(&mut self, talk: usize, first: &Message) {
        let state = &self.talks[talk];
        let payload = json!({
            "id": state.id, "user_id": self.account_of(&state.owner), "email": state.email, "status": "active",
            "created_at": state.created_at, "first_message": preview(&first.text),
        });
        self.tell(&[Room::Admins], "conversation_created", &payload);
    }

    /// `conversation_claimed`, and that it is this agent's.
    fn hold(&mut self, talk: usize, agent: usize, at: Unknown) {
        let state = &mut self.talks[talk];
        state.assignee = Some((agent, at));
        state.status = "active";
        state.updated_at = at;
        let payload = with(self.holder(agent), "conversation_id", json!(self.talks[talk].id));
        self.tell(&[Room::Talk(talk)], "conversation_claimed", &payload);
    }

    fn holder(&self, agent: usize) -> Value {
        json!({ "assigned_to": self.people[agent].id, "assigned_admin_name": self.people[agent].name() })
    }

    pub(super) fn claim(&mut self, talk: usize, agent: usize, at: Unknown) {
        self.happened(talk, "claimed", Some(&Writer::Agent(agent)), json!({}), at);
        self.hold(talk, agent, at);
        self.tell_admins(talk, with(self.holder(agent), "event", json!("claimed")));
        self.tell_owner(talk, json!({ "event": "claimed", "assigned_admin_name": self.people[agent].name() }));
    }

    /// An agent's public answer.
    pub(super) fn answer(&mut self, talk: usize, agent: usize, text: &str) -> Message {
        let at = self.unknowns.moment();
        let state = &self.talks[talk];
        if !state.is_thread && state.assignee.is_none() {
            self.claim(talk, agent, at);
        }
        let message = self.post(talk, Writer::Agent(agent), text, false, at);
        if self.talks[talk].ticket.as_ref().is_some_and(|ticket| ticket.status == "pending") {
            let notes = self.talks[talk].ticket().notes.clone();
            self.set_status(talk, agent, "in_progress", notes, at);
        }
        message
    }

    pub(super) fn close(&mut self, talk: usize, agent: usize, at: Unknown) {
        if let Some(pending) = self.pending_handover(talk) {
            self.resolve(talk, pending, agent, "rejected", true, at);
        }
        self.happened(talk, "closed", Some(&Writer::Agent(agent)), json!({}), at);
        let state = &mut self.talks[talk];
        state.status = "closed";
        state.updated_at = at;
        let id = state.id;
        self.tell(&[Room::Talk(talk)], "conversation_closed", &json!({ "conversation_id": id }));
        self.tell_admins(talk, json!({ "event": "closed" }));
        self.tell_owner(talk, json!({ "event": "closed" }));
    }

    pub(super) fn pending_handover(&self, talk: usize) -> Option<usize> {
        self.talks[talk].handovers.iter().position(|handover| handover.status == "pending")
    }

    pub(super) fn ask_handover(&mut self, talk: usize, from: usize, to: usize, reason: Option<String>) -> Unknown {
        let (id, at) = (self.unknowns.id(), self.unknowns.moment());
        let data = json!({
            "handover_id": id, "to_admin_id": self.people[to].id, "to_admin_name": self.people[to].name(),
            "reason": reason,
        });
        self.happened(talk, "handover_requested", Some(&Writer::Agent(from)), data, at);
        let payload = json!({
            "handover_id": id, "conversation_id": self.talks[talk].id, "from_admin_id": self.people[from].id,
            "from_admin_name": self.people[from].name(), "reason": reason,
        });
        self.tell(&[Room::User(to)], "handover_requested", &payload);
        let handover = Handover { id, from, to, reason, status: "pending", at, responded_at: None };
        self.talks[talk].handovers.push(handover);
        id
    }

    pub(super) fn resolve(
        &mut self,
        talk: usize,
        handover: usize,
        by: usize,
        status: &'static str,
        is_close: bool,
        at: Unknown,
    ) {
        let resolved = &mut self.talks[talk].handovers[handover];
        resolved.status = status;
        resolved.responded_at = Some(at);
        let (id, from, to) = (resolved.id, resolved.from, resolved.to);
        let kind = if status == "accepted" { "handover_accepted" } else { "handover_rejected" };
        let data = json!({ "handover_id": id, "from_admin_id": self.people[from].id });
        self.happened(talk, kind, Some(&Writer::Agent(by)), data, at);
        if status == "accepted" {
            self.hold(talk, by, at);
            let name = self.people[by].name();
            self.tell_owner(talk, json!({ "event": "handover_completed", "assigned_admin_name": name }));
        }
        self.tell_admins(talk, json!({ "event": kind }));
        let payload = json!({
            "handover_id": id, "conversation_id": self.talks[talk].id, "status": status,
            "to_admin_name": self.people[to].name(),
        });
        let rooms = if is_close { vec![Room::User(from), Room::User(to)] } else { vec![Room::User(from)] };
        self.tell(&rooms, "handover_resolved", &payload);
    }

    pub(super) fn rate(&mut self, talk: usize, stars: u64, feedback: Option<String>) {
        let at = self.unknowns.moment();
        let owner = self.talks[talk].owner.clone();
        self.happened(talk, "rated", Some(&owner), json!({ "rating": stars, "feedback": feedback }), at);
        let state = &mut self.talks[talk];
        (state.rating, state.feedback, state.updated_at) = (Some(stars), feedback, at);
    }

    pub(super) fn rate_ticket(&mut self, talk: usize, stars: u64, feedback: Option<String>) {
        let at = self.unknowns.moment();
        let owner = self.talks[talk].owner.clone();
        self.happened(talk, "ticket_rated", Some(&owner), json!({ "rating": stars, "feedback": feedback }), at);
        let ticket = self.change_ticket(talk, at);
        (ticket.rating, ticket.feedback) = (Some(stars), feedback);
    }

    fn change_ticket(&mut self, talk: usize, at: Unknown) -> &mut Ticket {
        self.talks[talk].updated_at = at;
        let ticket = self.talks[talk].ticket.as_mut().unwrap();
        ticket.updated_at = at;
        ticket
    }

    /// `notes` are those that the ticket has from then on.
    pub(super) fn set_status(
        &mut self,
        talk: usize,
        agent: usize,
        status: &'static str,
        notes: Option<String>,
        at: Unknown,
    ) {
        let old = self.talks[talk].ticket().status;
        let data = json!({ "old_status": old, "new_status": status, "resolution_notes": notes });
        self.happened(talk, "ticket_status_changed", Some(&Writer::Agent(agent)), data, at);
        let ticket = self.change_ticket(talk, at);
        ticket.status = status;
        ticket.notes.clone_from(&notes);
        ticket.resolved = ticket.is_done().then_some((agent, at));
        let payload = json!({
            "ticket_id": ticket.id, "ticket_number": ticket.number, "old_status": old, "new_status": status,
            "resolution_notes": notes,
        });
        self.tell(&[Room::Ticket(talk)], "status_changed", &payload);
        let mut update = json!({ "event": "status_changed", "old_status": old, "new_status": status });
        if let Some(notes) = notes {
            update["resolution_notes"] = json!(notes);
        }
        self.tell_of_ticket(talk, &self.owners_room(talk), update);
    }

    pub(super) fn assign(&mut self, talk: usize, by: usize, to: usize) {
        let at = self.unknowns.moment();
        self.happened(talk, "ticket_assigned", Some(&Writer::Agent(by)), self.holder(to), at);
        let ticket = self.change_ticket(talk, at);
        ticket.assignee = Some(to);
        let (id, number) = (ticket.id, ticket.number.clone());
        let payload = with(with(self.holder(to), "ticket_id", json!(id)), "ticket_number", json!(number));
        self.tell(&[Room::Ticket(talk)], "ticket_assigned", &payload);
        self.tell_of_ticket(talk, &[Room::Admins], with(self.holder(to), "event", json!("assigned")));
    }

    pub(super) fn prioritise(&mut self, talk: usize, by: usize, priority: &'static str) {
        let at = self.unknowns.moment();
        let data = json!({ "priority": priority });
        self.happened(talk, "ticket_priority_changed", Some(&Writer::Agent(by)), data, at);
        self.change_ticket(talk, at).priority = priority;
    }
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}
