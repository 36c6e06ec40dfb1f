//! Customers' actions (`support-user.md`; `decisions.md`, "People without an account", "Tickets without an agent").

use serde_json::{Value, json};

use super::effects::Draft;
use super::expected::{Expected, created, created_by, fetched, not_found, refused};
use super::generator::{Step, UNKNOWN_IDS, post};
use super::state::{Model, RepeatableSend, Writer};
use super::views::{PRIORITIES, SUPPORT_TYPES};
use crate::support::{ADD_MESSAGE, CREATE_TICKET, MY_CONVERSATIONS, REQUEST_SUPPORT, SEND, TICKET};

const SEND_UNAUTHENTICATED: &str = "/api/v1/support/chat/send-unauthenticated";

/// The user whose token a writer calls with; none for a guest.
pub(super) fn caller_of(writer: &Writer) -> Option<usize> {
    match writer {
        Writer::Account(user) | Writer::Agent(user) => Some(*user),
        Writer::Guest(_) => None,
    }
}

impl Model {
    /// A message to a new or an existing conversation, over REST or a socket.
    pub(super) fn send(&mut self) -> Step {
        let writer = self.any_writer();
        let is_guests = matches!(writer, Writer::Guest(_));
        let text = self.text(5000, true);
        let key = if text.stored.is_some() { self.client_message_id(is_guests) } else { Ok(None) };
        let target = if self.chance(0.7) { self.any_conversation_of(&writer) } else { None };
        let target = if self.chance(0.1) { self.any_conversation() } else { target };
        let mut body = json!({ "message": text.sent });
        if let Ok(Some(key)) | Err(key) = &key {
            body["client_message_id"] = json!(key);
        }
        self.client_message_id = key.clone().ok().flatten();
        let to_nothing = self.chance(0.03);
        if to_nothing {
            body["conversation_id"] = json!(self.pick(&UNKNOWN_IDS));
        } else if let Some(conversation) = target {
            body["conversation_id"] = json!(self.value_of(self.conversations[conversation].id));
        }
        let phone =
            if is_guests { self.add_guest_fields(&writer, &mut body) } else { Some("+2348012345678".to_owned()) };
        let expected = match (text.stored, &key, target) {
            (None, ..) => Expected::Invalid("message"),
            (_, Err(_), _) => Expected::Invalid("client_message_id"),
            (Some(_), Ok(_), _) if to_nothing => not_found("Conversation"),
            (Some(text), Ok(_), None) => {
                let conversation = self.open(&writer, phone, &text);
                self.last = Some(conversation);
                created_by(&writer, "Message sent", self.opened(conversation))
            }
            (Some(text), Ok(_), Some(conversation)) => self.continue_conversation(conversation, &writer, &text),
        };
        self.client_message_id = None;
        let path = if is_guests { SEND_UNAUTHENTICATED } else { SEND };
        if let Ok(Some(_)) = key {
            self.keep_for_repeat(path, &writer, &body, &expected, false);
        }
        self.over_any_transport(path, &writer, body, expected)
    }

    /// Adds an email address and sometimes a phone number; returns the number.
    fn add_guest_fields(&mut self, writer: &Writer, body: &mut Value) -> Option<String> {
        let email = self.email_of(writer);
        body["email"] = json!(if self.chance(0.3) { email.to_uppercase() } else { email });
        let phone = self.chance(0.3).then(|| "08012345678".to_owned());
        if let Some(phone) = &phone {
            body["phone_number"] = json!(phone);
        }
        phone
    }

    /// Keeps a send with a key, so that a later step can repeat it.
    pub(super) fn keep_for_repeat(&mut self, path: &str, by: &Writer, body: &Value, answer: &Expected, is_reply: bool) {
        if let (Expected::Done { .. }, Some(conversation)) = (answer, self.last) {
            let (path, by, body, answer) = (path.to_owned(), by.clone(), body.clone(), answer.clone());
            self.repeatable.push(RepeatableSend { path, by, body, conversation, is_public_reply: is_reply, answer });
        }
    }

    /// Sends over REST or, sometimes, over a socket.
    pub(super) fn over_any_transport(&mut self, path: &str, writer: &Writer, body: Value, expected: Expected) -> Step {
        match writer {
            Writer::Account(user) if self.chance(0.3) => {
                let socket = self.socket_of(*user);
                Step::Emit { socket, event: "send_message", payload: body, ack: expected.ack() }
            }
            _ => post(path, caller_of(writer), Some(body), expected),
        }
    }

    fn continue_conversation(&mut self, conversation: usize, writer: &Writer, text: &str) -> Expected {
        match (&self.conversations[conversation].owner, writer) {
            (owner, writer) if owner == writer => {}
            (Writer::Guest(_), Writer::Guest(_)) => {
                return refused("ACCESS_DENIED", "Email does not match the conversation owner");
            }
            _ => return refused("ACCESS_DENIED", "Access denied"),
        }
        if self.conversations[conversation].is_closed() {
            return refused("CONVERSATION_CLOSED", "This conversation has been closed");
        }
        let at = self.placeholders.timestamp();
        let message = self.post(conversation, writer.clone(), text, false, at);
        self.reopen_ticket(conversation, at);
        self.last = Some(conversation);
        let data = json!({ "conversation_id": self.conversations[conversation].id, "message": self.sent(&message), "is_new": false });
        created_by(writer, "Message sent", data)
    }

    pub(super) fn rate_any(&mut self) -> Option<Step> {
        let conversation = self.any_conversation()?;
        let user = self.customer_for(conversation);
        let (rating, stars) = self.stars();
        let feedback = self.feedback();
        let body = json!({ "rating": rating, "feedback": feedback });
        let state = &self.conversations[conversation];
        let id = self.value_of(state.id);
        let expected = match stars {
            None => Expected::Invalid("rating"),
            Some(_) if state.owner != Writer::Account(user) => {
                refused("ACCESS_DENIED", "You can only rate your own conversations")
            }
            Some(_) if state.rating.is_some() && !state.is_rating_replaceable => {
                refused("ALREADY_RATED", "Conversation already rated")
            }
            Some(_) if !state.is_closed() => refused("CONVERSATION_OPEN", "Can only rate closed conversations"),
            Some(stars) => {
                let data = json!({ "id": state.id, "satisfaction_rating": stars, "feedback": feedback });
                self.rate(conversation, stars, feedback);
                self.last = Some(conversation);
                fetched("Rating submitted", data)
            }
        };
        Some(post(format!("{MY_CONVERSATIONS}/{id}/rate"), Some(user), Some(body), expected))
    }

    fn feedback(&mut self) -> Option<String> {
        if self.chance(0.5) { self.text(2000, false).stored } else { None }
    }

    pub(super) fn create_ticket(&mut self) -> Step {
        let writer = self.any_writer();
        let (subject, description) = (self.text(200, true), self.text(5000, true));
        let mut body = json!({ "subject": subject.sent, "description": description.sent });
        let support_type = if self.chance(0.6) { Some(self.pick(&SUPPORT_TYPES)) } else { None };
        let priority = if self.chance(0.4) { Some(self.pick(&PRIORITIES)) } else { None };
        for (key, value) in [("support_type", support_type), ("priority", priority)] {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        let phone = match writer {
            Writer::Guest(_) => self.add_guest_fields(&writer, &mut body),
            _ => Some("+2348012345678".to_owned()),
        };
        let key = self.client_message_id(false).ok().flatten();
        if let Some(key) = &key {
            body["client_message_id"] = json!(key);
        }
        self.client_message_id.clone_from(&key);
        let expected = match (subject.stored, description.stored) {
            (None, None) => return self.create_ticket(),
            (None, _) => Expected::Invalid("subject"),
            (_, None) => Expected::Invalid("description"),
            (Some(subject), Some(description)) => {
                let support_type = support_type.unwrap_or("GENERAL_INQUIRY");
                let draft = Draft {
                    subject,
                    description,
                    support_type,
                    priority: priority.unwrap_or_else(|| default_priority(support_type)),
                };
                let conversation = self.open_ticket(&writer, phone, draft);
                self.last = Some(conversation);
                let note = "Your ticket has been created. Our team will review it and respond as soon as possible.";
                let data = json!({ "ticket": self.own_ticket(conversation, None, Some(&writer)), "message": note });
                created_by(&writer, "Support ticket created successfully", data)
            }
        };
        let path = if matches!(writer, Writer::Guest(_)) || self.chance(0.3) { REQUEST_SUPPORT } else { CREATE_TICKET };
        self.client_message_id = None;
        if key.is_some() {
            self.keep_for_repeat(path, &writer, &body, &expected, false);
        }
        post(path, caller_of(&writer), Some(body), expected)
    }

    pub(super) fn add_message(&mut self) -> Option<Step> {
        let conversation = self.any_ticket()?;
        let writer = if self.chance(0.8) { self.conversations[conversation].owner.clone() } else { self.any_writer() };
        let text = self.text(5000, true);
        let is_unknown = self.chance(0.05);
        let (id, number) =
            (self.conversations[conversation].ticket().id, self.conversations[conversation].ticket().number.clone());
        let number = if is_unknown { "SMI-1999-000001".to_owned() } else { number };
        let mut body = json!({ "ticket_number": number, "message": text.sent });
        if matches!(writer, Writer::Guest(_)) {
            body["email"] = json!(self.email_of(&writer));
        }
        let key = self.client_message_id(false).ok().flatten();
        if let Some(key) = &key {
            body["client_message_id"] = json!(key);
        }
        self.client_message_id.clone_from(&key);
        let expected = match text.stored {
            None => Expected::Invalid("message"),
            Some(_) if is_unknown || !self.exists_for(conversation, &writer) => not_found(&format!("Ticket {number}")),
            Some(_) if !self.may_write_into(conversation, &writer) => {
                refused("ACCESS_DENIED", "Email does not match the ticket owner")
            }
            Some(_) if self.conversations[conversation].is_closed() => {
                refused("CONVERSATION_CLOSED", "This conversation has been closed")
            }
            Some(_) if self.conversations[conversation].ticket().is_done() => {
                refused("TICKET_CLOSED", "Cannot add messages to a closed or resolved ticket")
            }
            Some(text) => {
                let at = self.placeholders.timestamp();
                let message = self.post(conversation, writer.clone(), &text, false, at);
                self.last = Some(conversation);
                let view = self.message(&message, Some(&writer));
                created("Message sent", json!({ "ticket_number": number, "ticket_id": id, "message": view }))
            }
        };
        self.client_message_id = None;
        if key.is_some() {
            self.keep_for_repeat(ADD_MESSAGE, &writer, &body, &expected, false);
        }
        Some(post(ADD_MESSAGE, caller_of(&writer), Some(body), expected))
    }

    /// The ticket of a conversation exists for the owner's token only.
    pub(super) fn exists_for(&self, conversation: usize, writer: &Writer) -> bool {
        let state = &self.conversations[conversation];
        state.is_thread || (matches!(writer, Writer::Account(_)) && state.owner == *writer)
    }

    /// The owner's account, or a guest with the owner's address; not another account.
    fn may_write_into(&self, conversation: usize, writer: &Writer) -> bool {
        let owner = &self.conversations[conversation].owner;
        let are_accounts = matches!((owner, writer), (Writer::Account(_), Writer::Account(_)));
        owner == writer || (!are_accounts && self.email_of(owner) == self.email_of(writer))
    }

    pub(super) fn rate_any_ticket(&mut self) -> Option<Step> {
        let conversation = self.any_ticket()?;
        let user = self.customer_for(conversation);
        let (rating, stars) = self.stars();
        let feedback = self.feedback();
        let state = &self.conversations[conversation];
        let ticket = state.ticket();
        let number = ticket.number.clone();
        let expected = match stars {
            None => Expected::Invalid("rating"),
            Some(_) if !self.exists_for(conversation, &Writer::Account(user)) => not_found(&format!("Ticket {number}")),
            Some(_) if state.owner != Writer::Account(user) => {
                refused("ACCESS_DENIED", "You can only rate your own tickets")
            }
            Some(_) if ticket.rating.is_some() => refused("ALREADY_RATED", "Ticket already rated"),
            Some(_) if !ticket.is_done() => refused("TICKET_OPEN", "Can only rate resolved or closed tickets"),
            Some(stars) => {
                self.rate_ticket(conversation, stars, feedback.clone());
                self.last = Some(conversation);
                let data = json!({ "ticket_number": number, "satisfaction_rating": stars, "feedback": feedback });
                fetched("Rating submitted", data)
            }
        };
        let body = json!({ "rating": rating, "feedback": feedback });
        Some(post(format!("{TICKET}/{number}/rate"), Some(user), Some(body), expected))
    }
}

/// The priority of a ticket whose request names none.
fn default_priority(support_type: &str) -> &'static str {
    match support_type {
        "SECURITY_ISSUE" | "REFUND_REQUEST" | "REGISTRATION_ISSUE" | "LOGIN_ISSUE" => "high",
        "FEATURE_REQUEST" | "GENERAL_INQUIRY" | "OTHER" => "low",
        _ => "medium",
    }
}
