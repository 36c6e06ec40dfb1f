//! Agents' actions on conversations (`support-admin.md`, "Conversations").

use rand::RngExt;
use reqwest::Method;
use serde_json::{Value, json};

use super::customers::caller_of;
use super::effects::Draft;
use super::expected::{Expected, created, not_found, refused};
use super::generator::{Step, UNKNOWN_IDS, post};
use super::state::{Model, Writer};
use super::views::{PRIORITIES, SUPPORT_TYPES};
use crate::support::{QUEUE, TICKETS};

pub(super) const ASSIGNED: &str =
    "This conversation is assigned to another support agent. Request a handover to take it over.";

impl Model {
    /// The path of an agent's action, its target, and the agent; sometimes of an unknown id.
    pub(super) fn action(&mut self, name: &str) -> Option<(Option<usize>, usize, String)> {
        let conversation = self.any_conversation()?;
        let agent = self.agent_for(conversation);
        if self.chance(0.02) {
            return Some((None, agent, format!("{QUEUE}/{}/{name}", self.pick(&UNKNOWN_IDS))));
        }
        Some((
            Some(conversation),
            agent,
            format!("{QUEUE}/{}/{name}", self.value_of(self.conversations[conversation].id)),
        ))
    }

    pub(super) fn claim_any(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.action("claim")?;
        let Some(conversation) = conversation else {
            return Some(post(path, Some(agent), None, not_found("Conversation")));
        };
        let holder = self.conversations[conversation].assignee.map(|(holder, _)| holder);
        let expected = if self.conversations[conversation].is_held_by_another_than(agent) {
            refused(
                "ALREADY_ASSIGNED",
                "This conversation is already assigned to another support agent. \
                 Use the handover flow to request a transfer.",
            )
        } else if self.conversations[conversation].is_closed() && holder.is_none() {
            refused("CONVERSATION_CLOSED", "Cannot claim a closed conversation")
        } else {
            if holder.is_none() {
                let at = self.placeholders.timestamp();
                self.claim(conversation, agent, at);
            }
            self.last = Some(conversation);
            created(
                "Conversation claimed",
                json!({
                    "conversation_id": self.conversations[conversation].id, "assigned_to": self.users[agent].id,
                    "assigned_admin_name": self.users[agent].name(),
                }),
            )
        };
        Some(post(path, Some(agent), None, expected))
    }

    /// A reply or a note, over REST or a socket.
    pub(super) fn reply(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.action("reply")?;
        let is_note = self.chance(0.35);
        let text = if is_note { self.note() } else { self.text(5000, true) };
        let mut body = json!({ "message": text.sent });
        if is_note || self.chance(0.1) {
            body["is_internal"] = json!(is_note);
        }
        let key = if text.stored.is_some() { self.client_message_id(false) } else { Ok(None) };
        if let Ok(Some(key)) | Err(key) = &key {
            body["client_message_id"] = json!(key);
        }
        self.client_message_id = key.clone().ok().flatten();
        let expected = match (text.stored, &key, conversation) {
            (None, ..) => Expected::Invalid("message"),
            (_, Err(_), _) => Expected::Invalid("client_message_id"),
            (.., None) => not_found("Conversation"),
            (Some(text), Ok(_), Some(conversation)) => self.reply_to(conversation, agent, &text, is_note),
        };
        self.client_message_id = None;
        if let Ok(Some(_)) = key {
            self.keep_for_repeat(&path, &Writer::Agent(agent), &body, &expected, !is_note);
        }
        if self.chance(0.3) {
            let id = path.strip_prefix(QUEUE)?.strip_prefix('/')?.split('/').next()?.to_owned();
            body["conversation_id"] = json!(id);
            let socket = self.socket_of(agent);
            return Some(Step::Emit { socket, event: "send_message", payload: body, ack: expected.ack() });
        }
        Some(post(path, Some(agent), Some(body), expected))
    }

    fn reply_to(&mut self, conversation: usize, agent: usize, text: &str, is_note: bool) -> Expected {
        if !is_note && self.conversations[conversation].is_held_by_another_than(agent) {
            return refused("FORBIDDEN", ASSIGNED);
        }
        if self.conversations[conversation].is_closed() {
            return refused("CONVERSATION_CLOSED", "Cannot reply to a closed conversation");
        }
        let message = if is_note {
            let at = self.placeholders.timestamp();
            self.post(conversation, Writer::Agent(agent), text, true, at)
        } else {
            self.reply_publicly(conversation, agent, text)
        };
        self.last = Some(conversation);
        created("Reply sent", self.replied(&message))
    }

    pub(super) fn close_any(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.action("close")?;
        let expected = match conversation {
            None => not_found("Conversation"),
            Some(conversation) if self.conversations[conversation].is_closed() => {
                refused("CONVERSATION_CLOSED", "Conversation is already closed")
            }
            Some(conversation) => {
                let at = self.placeholders.timestamp();
                self.close(conversation, agent, at);
                self.last = Some(conversation);
                created("Conversation closed", json!({ "conversation_id": self.conversations[conversation].id }))
            }
        };
        Some(post(path, Some(agent), None, expected))
    }

    pub(super) fn request_handover(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.action("handover")?;
        let target = if self.chance(0.85) { Some(self.any_agent()) } else { None };
        let to = match target {
            Some(target) => json!(self.users[target].id),
            // An unknown id, a customer's id, and none.
            None => self.pick(&[json!("unknown"), json!("ada"), json!(null)]),
        };
        let reason = if self.chance(0.5) { Some(self.text(1000, true)) } else { None };
        let is_reason_wrong = reason.as_ref().is_some_and(|reason| reason.stored.is_none());
        let mut body = json!({ "to_admin_id": to });
        let mut stored = None;
        if let Some(reason) = reason {
            // Null and white space count as no reason; a wrong type and an excessive length are errors.
            let is_nothing = reason.sent.is_null() || reason.sent.as_str().is_some_and(|text| text.trim().is_empty());
            if is_reason_wrong && !is_nothing {
                return self.request_handover();
            }
            body["reason"] = reason.sent;
            stored = reason.stored;
        }
        let expected = match (conversation, target) {
            (_, None) if to.is_null() => Expected::Invalid("to_admin_id"),
            (None, _) => not_found("Conversation"),
            (Some(conversation), target) => self.request_handover_to(conversation, agent, target, stored),
        };
        Some(post(path, Some(agent), Some(body), expected))
    }

    fn request_handover_to(
        &mut self,
        conversation: usize,
        agent: usize,
        to: Option<usize>,
        reason: Option<String>,
    ) -> Expected {
        if self.conversations[conversation].is_closed() {
            return refused("CONVERSATION_CLOSED", "Cannot transfer a closed conversation");
        }
        if self.conversations[conversation].assignee.is_none_or(|(holder, _)| holder != agent) {
            return refused("FORBIDDEN", "Only the currently assigned agent can initiate a handover");
        }
        if to == Some(agent) {
            return refused("VALIDATION_ERROR", "Cannot transfer to yourself");
        }
        let Some(to) = to else { return refused("NOT_FOUND", "Target admin not found") };
        if self.pending_handover(conversation).is_some() {
            return refused("HANDOVER_PENDING", "There is already a pending handover for this conversation");
        }
        let id = self.add_handover(conversation, agent, to, reason);
        self.last = Some(conversation);
        created(
            "Handover requested",
            json!({
                "handover_id": id, "conversation_id": self.conversations[conversation].id, "to_admin_id": self.users[to].id,
                "to_admin_name": self.users[to].name(), "status": "pending",
            }),
        )
    }

    pub(super) fn respond_to_handover(&mut self) -> Option<Step> {
        let pending = if self.chance(0.85) { self.any_with_pending_handover() } else { None };
        let conversation = pending.or_else(|| self.any_conversation())?;
        let handover = self
            .pending_handover(conversation)
            .or_else(|| self.conversations[conversation].handovers.len().checked_sub(1))?;
        let target = self.conversations[conversation].handovers[handover].to;
        let agent = if self.chance(0.8) { target } else { self.any_agent() };
        let status = self.pick(&["accepted", "rejected"]);
        if self.chance(0.05) {
            let path = format!("{TICKETS}/handovers/{}/respond", self.pick(&UNKNOWN_IDS));
            let body = Some(json!({ "status": status }));
            return Some(post(path, Some(agent), body, not_found("Handover")));
        }
        let id = self.conversations[conversation].handovers[handover].id;
        let path = format!("{TICKETS}/handovers/{}/respond", self.value_of(id));
        if self.chance(0.05) {
            return Some(post(path, Some(agent), Some(json!({ "status": "maybe" })), Expected::Invalid("status")));
        }
        let expected = if self.conversations[conversation].handovers[handover].status != "pending" {
            refused("HANDOVER_RESOLVED", "This handover has already been resolved")
        } else if agent != target {
            refused("FORBIDDEN", "Only the target admin can respond to this handover")
        } else {
            let at = self.placeholders.timestamp();
            let resolution = (status == "rejected").then_some("declined");
            self.resolve(conversation, handover, agent, resolution, at);
            self.last = Some(conversation);
            let data =
                json!({ "handover_id": id, "conversation_id": self.conversations[conversation].id, "status": status });
            created(&format!("Handover {status}"), data)
        };
        Some(post(path, Some(agent), Some(json!({ "status": status })), expected))
    }

    pub(super) fn ticket_of_conversation(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.action("create-ticket")?;
        let (subject, description) = (self.text(200, true), self.text(5000, false));
        let mut body = json!({ "subject": subject.sent, "description": description.sent });
        let (mut support_type, mut priority) = ("GENERAL_INQUIRY", "medium");
        if self.chance(0.5) {
            (support_type, priority) = (self.pick(&SUPPORT_TYPES), self.pick(&PRIORITIES));
            body["support_type"] = json!(support_type);
            body["priority"] = json!(priority);
        }
        let expected = match (subject.stored, conversation) {
            (None, _) => Expected::Invalid("subject"),
            (_, None) => not_found("Conversation"),
            (Some(subject), Some(conversation)) => match &self.conversations[conversation].ticket {
                Some(ticket) => {
                    refused("TICKET_EXISTS", format!("This conversation already has ticket {}", ticket.number))
                }
                None if self.conversations[conversation].is_closed() => {
                    refused("CONVERSATION_CLOSED", "Cannot create a ticket from a closed conversation")
                }
                None => {
                    let at = self.placeholders.timestamp();
                    let description = description.stored?;
                    self.make_ticket(
                        conversation,
                        Some(agent),
                        Draft { subject, description, support_type, priority },
                        at,
                    );
                    self.last = Some(conversation);
                    created("Ticket created from conversation", json!({ "ticket": self.made(conversation) }))
                }
            },
        };
        Some(post(path, Some(agent), Some(body), expected))
    }

    fn made(&self, conversation: usize) -> Value {
        let (conversation, ticket) = (&self.conversations[conversation], self.conversations[conversation].ticket());
        json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "support_type": ticket.support_type,
            "priority": ticket.priority, "status": ticket.status, "conversation_id": conversation.id,
        })
    }

    /// Repeats an earlier send, unchanged or with another text under the same key.
    pub(super) fn repeat_send(&mut self) -> Option<Step> {
        let from = self.repeatable.len().saturating_sub(if self.chance(0.8) { 10 } else { 200 });
        if from == self.repeatable.len() {
            return None;
        }
        let at = self.random.random_range(from..self.repeatable.len());
        let has_another_text = self.chance(0.3);
        let Self { repeatable, conversations, .. } = self;
        let repeatable = &repeatable[at];
        let conversation = &conversations[repeatable.conversation];
        let mut body = repeatable.body.clone();
        let mut expected = repeatable.answer.clone();
        if has_another_text {
            let key = if body.get("description").is_some() { "description" } else { "message" };
            body[key] = json!("Something else");
            expected = super::expected::reused();
        }
        // The server checks who holds the conversation before it looks for a repeat.
        if let Writer::Agent(agent) = repeatable.by
            && repeatable.is_public_reply
            && !conversation.is_thread
            && conversation.is_held_by_another_than(agent)
        {
            expected = refused("FORBIDDEN", ASSIGNED);
        }
        Some(post(repeatable.path.clone(), caller_of(&repeatable.by), Some(body), expected))
    }

    /// A request without the agents' role.
    pub(super) fn call_without_role(&mut self) -> Option<Step> {
        let conversation = self.any_conversation()?;
        let id = self.value_of(self.conversations[conversation].id);
        let actions = ["", "/timeline", "/claim", "/reply", "/close", "/handover", "/create-ticket"];
        let action = self.pick(&actions);
        let method = if ["", "/timeline"].contains(&action) { Method::GET } else { Method::POST };
        let body = (method == Method::POST).then(|| json!({ "message": "x", "to_admin_id": "mike" }));
        let caller = if self.chance(0.7) { Some(self.any_customer()) } else { None };
        let expected = match caller {
            Some(_) => refused("FORBIDDEN", "Admin access required"),
            None => refused("UNAUTHORIZED", "Unauthorized"),
        };
        Some(Step::Call { method, path: format!("{QUEUE}/{id}{action}"), caller, body, expected })
    }
}
