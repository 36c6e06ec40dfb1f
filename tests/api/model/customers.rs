//! What customers do (`support-user.md`; `decisions.md`, "People without an account", "Tickets without an agent").

use serde_json::{Value, json};

use super::effects::Draft;
use super::expected::{Expected, created, fetched, not_found, refused};
use super::generator::{NOTHING, Step, post};
use super::views::{KINDS, PRIORITIES};
use super::world::{Named, World, Writer};
use crate::support::{ADD_MESSAGE, CREATE_TICKET, MINE, REQUEST_SUPPORT, SEND, TICKET};

const SEND_UNAUTHENTICATED: &str = "/api/v1/support/chat/send-unauthenticated";

/// The token that a writer calls with.
pub(super) fn token_of(writer: &Writer) -> Option<usize> {
    match writer {
        Writer::Account(person) | Writer::Agent(person) => Some(*person),
        Writer::Guest(_) => None,
    }
}

impl World {
    /// Into a new conversation, or into one that there is, over HTTP or over a socket.
    pub(super) fn send(&mut self) -> Step {
        let writer = self.some_writer();
        let is_guests = matches!(writer, Writer::Guest(_));
        let text = self.text(5000, true);
        let name = if text.kept.is_some() { self.name(is_guests) } else { Ok(None) };
        let target = if self.chance(0.7) { self.some_talk_of(&writer) } else { None };
        let target = if self.chance(0.1) { self.some_talk() } else { target };
        let mut body = json!({ "message": text.sent });
        if let Ok(Some(name)) | Err(name) = &name {
            body["client_message_id"] = json!(name);
        }
        let to_nothing = self.chance(0.03);
        if to_nothing {
            body["conversation_id"] = json!(self.pick(&NOTHING));
        } else if let Some(talk) = target {
            body["conversation_id"] = json!(self.shown(self.talks[talk].id));
        }
        let phone = if is_guests { self.guests_fields(&writer, &mut body) } else { Some("+2348012345678".to_owned()) };
        let expected = match (text.kept, &name, target) {
            (None, ..) => Expected::Invalid("message"),
            (_, Err(_), _) => Expected::Invalid("client_message_id"),
            (Some(_), Ok(_), _) if to_nothing => not_found("Conversation"),
            (Some(text), Ok(_), None) => {
                let talk = self.open(&writer, phone, &text);
                self.last = Some(talk);
                created("Message sent", self.opened(talk))
            }
            (Some(text), Ok(_), Some(talk)) => self.go_on(talk, &writer, &text),
        };
        let path = if is_guests { SEND_UNAUTHENTICATED } else { SEND };
        if let Ok(Some(_)) = name {
            self.remember(path, &writer, &body, &expected, false);
        }
        self.by_either(path, &writer, body, expected)
    }

    /// E-mail address and, perhaps, a number.
    fn guests_fields(&mut self, writer: &Writer, body: &mut Value) -> Option<String> {
        let email = self.email_of(writer);
        body["email"] = json!(if self.chance(0.3) { email.to_uppercase() } else { email });
        let phone = self.chance(0.3).then(|| "08012345678".to_owned());
        if let Some(phone) = &phone {
            body["phone_number"] = json!(phone);
        }
        phone
    }

    /// Keeps a send that has a name, to be repeated later.
    pub(super) fn remember(&mut self, path: &str, by: &Writer, body: &Value, answer: &Expected, is_reply: bool) {
        if let (Expected::Done { .. }, Some(talk)) = (answer, self.last) {
            let (path, by, body, answer) = (path.to_owned(), by.clone(), body.clone(), answer.clone());
            self.named.push(Named { path, by, body, talk, is_public_reply: is_reply, answer });
        }
    }

    /// What a socket can say too is said over it now and then.
    pub(super) fn by_either(&mut self, path: &str, writer: &Writer, body: Value, expected: Expected) -> Step {
        match writer {
            Writer::Account(person) if self.chance(0.3) => {
                let ear = self.ear_of(*person);
                Step::Emit { ear, event: "send_message", payload: body, ack: expected.ack() }
            }
            _ => post(path, token_of(writer), Some(body), expected),
        }
    }

    fn go_on(&mut self, talk: usize, writer: &Writer, text: &str) -> Expected {
        match (&self.talks[talk].owner, writer) {
            (owner, writer) if owner == writer => {}
            (Writer::Guest(_), Writer::Guest(_)) => {
                return refused("ACCESS_DENIED", "Email does not match the conversation owner");
            }
            _ => return refused("ACCESS_DENIED", "Access denied"),
        }
        if self.talks[talk].is_closed() {
            return refused("CONVERSATION_CLOSED", "This conversation has been closed");
        }
        let at = self.unknowns.moment();
        let message = self.post(talk, writer.clone(), text, false, at);
        self.last = Some(talk);
        let data = json!({ "conversation_id": self.talks[talk].id, "message": self.sent(&message), "is_new": false });
        created("Message sent", data)
    }

    pub(super) fn rate_something(&mut self) -> Option<Step> {
        let talk = self.some_talk()?;
        let person = self.customer_for(talk);
        let (rating, stars) = self.stars();
        let feedback = self.feedback();
        let body = json!({ "rating": rating, "feedback": feedback });
        let state = &self.talks[talk];
        let id = self.shown(state.id);
        let expected = match stars {
            None => Expected::Invalid("rating"),
            Some(_) if state.owner != Writer::Account(person) => {
                refused("ACCESS_DENIED", "You can only rate your own conversations")
            }
            Some(_) if state.rating.is_some() => refused("ALREADY_RATED", "Conversation already rated"),
            Some(_) if !state.is_closed() => refused("CONVERSATION_OPEN", "Can only rate closed conversations"),
            Some(stars) => {
                let data = json!({ "id": state.id, "satisfaction_rating": stars, "feedback": feedback });
                self.rate(talk, stars, feedback);
                self.last = Some(talk);
                fetched("Rating submitted", data)
            }
        };
        Some(post(format!("{MINE}/{id}/rate"), Some(person), Some(body), expected))
    }

    fn feedback(&mut self) -> Option<String> {
        if self.chance(0.5) { self.text(2000, false).kept } else { None }
    }

    pub(super) fn create_ticket(&mut self) -> Step {
        let writer = self.some_writer();
        let (subject, description) = (self.text(200, true), self.text(5000, true));
        let mut body = json!({ "subject": subject.sent, "description": description.sent });
        let kind = if self.chance(0.6) { Some(self.pick(&KINDS)) } else { None };
        let priority = if self.chance(0.4) { Some(self.pick(&PRIORITIES)) } else { None };
        for (key, value) in [("support_type", kind), ("priority", priority)] {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        let phone = match writer {
            Writer::Guest(_) => self.guests_fields(&writer, &mut body),
            _ => Some("+2348012345678".to_owned()),
        };
        let name = self.name(false).ok().flatten();
        if let Some(name) = &name {
            body["client_message_id"] = json!(name);
        }
        let expected = match (subject.kept, description.kept) {
            (None, None) => return self.create_ticket(),
            (None, _) => Expected::Invalid("subject"),
            (_, None) => Expected::Invalid("description"),
            (Some(subject), Some(description)) => {
                let kind = kind.unwrap_or("GENERAL_INQUIRY");
                let draft = Draft { subject, description, kind, priority: priority.unwrap_or_else(|| usual(kind)) };
                let talk = self.open_ticket(&writer, phone, draft);
                self.last = Some(talk);
                let note = "Your ticket has been created. Our team will review it and respond as soon as possible.";
                let data = json!({ "ticket": self.own_ticket(talk, None), "message": note });
                created("Support ticket created successfully", data)
            }
        };
        let path = if matches!(writer, Writer::Guest(_)) || self.chance(0.3) { REQUEST_SUPPORT } else { CREATE_TICKET };
        if name.is_some() {
            self.remember(path, &writer, &body, &expected, false);
        }
        post(path, token_of(&writer), Some(body), expected)
    }

    pub(super) fn add_message(&mut self) -> Option<Step> {
        let talk = self.some_ticket()?;
        let writer = if self.chance(0.8) { self.talks[talk].owner.clone() } else { self.some_writer() };
        let text = self.text(5000, true);
        let is_unknown = self.chance(0.05);
        let (id, number) = (self.talks[talk].ticket().id, self.talks[talk].ticket().number.clone());
        let number = if is_unknown { "SMI-1999-000001".to_owned() } else { number };
        let mut body = json!({ "ticket_number": number, "message": text.sent });
        if matches!(writer, Writer::Guest(_)) {
            body["email"] = json!(self.email_of(&writer));
        }
        let name = self.name(false).ok().flatten();
        if let Some(name) = &name {
            body["client_message_id"] = json!(name);
        }
        let expected = match text.kept {
            None => Expected::Invalid("message"),
            Some(_) if is_unknown => not_found(&format!("Ticket {number}")),
            Some(_) if !self.may_write_into(talk, &writer) => {
                refused("ACCESS_DENIED", "Email does not match the ticket owner")
            }
            Some(_) if self.talks[talk].ticket().is_done() => {
                refused("TICKET_CLOSED", "Cannot add messages to a closed or resolved ticket")
            }
            Some(_) if self.talks[talk].is_closed() => {
                refused("CONVERSATION_CLOSED", "This conversation has been closed")
            }
            Some(text) => {
                let at = self.unknowns.moment();
                let message = self.post(talk, writer.clone(), &text, false, at);
                self.last = Some(talk);
                let shown = self.message(&message);
                created("Message sent", json!({ "ticket_number": number, "ticket_id": id, "message": shown }))
            }
        };
        if name.is_some() {
            self.remember(ADD_MESSAGE, &writer, &body, &expected, false);
        }
        Some(post(ADD_MESSAGE, token_of(&writer), Some(body), expected))
    }

    /// The account whose it is, or whoever has its address; not another account.
    fn may_write_into(&self, talk: usize, writer: &Writer) -> bool {
        let owner = &self.talks[talk].owner;
        let are_accounts = matches!((owner, writer), (Writer::Account(_), Writer::Account(_)));
        owner == writer || (!are_accounts && self.email_of(owner) == self.email_of(writer))
    }

    pub(super) fn rate_ticket_of_somebody(&mut self) -> Option<Step> {
        let talk = self.some_ticket()?;
        let person = self.customer_for(talk);
        let (rating, stars) = self.stars();
        let feedback = self.feedback();
        let state = &self.talks[talk];
        let ticket = state.ticket();
        let number = ticket.number.clone();
        let expected = match stars {
            None => Expected::Invalid("rating"),
            Some(_) if state.owner != Writer::Account(person) => {
                refused("ACCESS_DENIED", "You can only rate your own tickets")
            }
            Some(_) if ticket.rating.is_some() => refused("ALREADY_RATED", "Ticket already rated"),
            Some(_) if !ticket.is_done() => refused("TICKET_OPEN", "Can only rate resolved or closed tickets"),
            Some(stars) => {
                self.rate_ticket(talk, stars, feedback.clone());
                self.last = Some(talk);
                let data = json!({ "ticket_number": number, "satisfaction_rating": stars, "feedback": feedback });
                fetched("Rating submitted", data)
            }
        };
        let body = json!({ "rating": rating, "feedback": feedback });
        Some(post(format!("{TICKET}/{number}/rate"), Some(person), Some(body), expected))
    }
}

/// How urgent a ticket is where nobody says.
fn usual(kind: &str) -> &'static str {
    match kind {
        "SECURITY_ISSUE" | "REFUND_REQUEST" | "REGISTRATION_ISSUE" | "LOGIN_ISSUE" => "high",
        "FEATURE_REQUEST" | "GENERAL_INQUIRY" | "OTHER" => "low",
        _ => "medium",
    }
}
