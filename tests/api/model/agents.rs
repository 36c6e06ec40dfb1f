//! What agents do with conversations (`support-admin.md`, "Conversations").

use rand::RngExt;
use reqwest::Method;
use serde_json::{Value, json};

use super::customers::token_of;
use super::effects::Draft;
use super::expected::{Expected, created, not_found, refused};
use super::generator::{NOTHING, Step, post};
use super::views::{KINDS, PRIORITIES};
use super::world::{World, Writer};
use crate::support::{QUEUE, TICKETS};

pub(super) const ASSIGNED: &str =
    "This conversation is assigned to another support agent. Request a handover to take it over.";

impl World {
    /// A path of an agent's action, where to and as whom; now and then of nothing.
    fn action(&mut self, name: &str) -> Option<(Option<usize>, usize, String)> {
        let talk = self.some_talk()?;
        let agent = self.agent_for(talk);
        if self.chance(0.02) {
            return Some((None, agent, format!("{QUEUE}/{}/{name}", self.pick(&NOTHING))));
        }
        Some((Some(talk), agent, format!("{QUEUE}/{}/{name}", self.shown(self.talks[talk].id))))
    }

    pub(super) fn claim_something(&mut self) -> Option<Step> {
        let (talk, agent, path) = self.action("claim")?;
        let Some(talk) = talk else { return Some(post(path, Some(agent), None, not_found("Conversation"))) };
        let holder = self.talks[talk].assignee.map(|(holder, _)| holder);
        let expected = if self.talks[talk].is_held_by_another_than(agent) {
            refused(
                "ALREADY_ASSIGNED",
                "This conversation is already assigned to another support agent. \
                 Use the handover flow to request a transfer.",
            )
        } else if self.talks[talk].is_closed() && holder.is_none() {
            refused("CONVERSATION_CLOSED", "Cannot claim a closed conversation")
        } else {
            if holder.is_none() {
                let at = self.unknowns.moment();
                self.claim(talk, agent, at);
            }
            self.last = Some(talk);
            created(
                "Conversation claimed",
                json!({
                    "conversation_id": self.talks[talk].id, "assigned_to": self.people[agent].id,
                    "assigned_admin_name": self.people[agent].name(),
                }),
            )
        };
        Some(post(path, Some(agent), None, expected))
    }

    /// An answer or a note, over HTTP or over a socket.
    pub(super) fn reply(&mut self) -> Option<Step> {
        let (talk, agent, path) = self.action("reply")?;
        let is_note = self.chance(0.35);
        let text = if is_note { self.note() } else { self.text(5000, true) };
        let mut body = json!({ "message": text.sent });
        if is_note || self.chance(0.1) {
            body["is_internal"] = json!(is_note);
        }
        let name = if text.kept.is_some() { self.name(false) } else { Ok(None) };
        if let Ok(Some(name)) | Err(name) = &name {
            body["client_message_id"] = json!(name);
        }
        let expected = match (text.kept, &name, talk) {
            (None, ..) => Expected::Invalid("message"),
            (_, Err(_), _) => Expected::Invalid("client_message_id"),
            (.., None) => not_found("Conversation"),
            (Some(text), Ok(_), Some(talk)) => self.reply_to(talk, agent, &text, is_note),
        };
        if let Ok(Some(_)) = name {
            self.remember(&path, &Writer::Agent(agent), &body, &expected, !is_note);
        }
        if self.chance(0.3) {
            let id = path.strip_prefix(QUEUE)?.strip_prefix('/')?.split('/').next()?.to_owned();
            body["conversation_id"] = json!(id);
            let ear = self.ear_of(agent);
            return Some(Step::Emit { ear, event: "send_message", payload: body, ack: expected.ack() });
        }
        Some(post(path, Some(agent), Some(body), expected))
    }

    fn reply_to(&mut self, talk: usize, agent: usize, text: &str, is_note: bool) -> Expected {
        if !is_note && self.talks[talk].is_held_by_another_than(agent) {
            return refused("FORBIDDEN", ASSIGNED);
        }
        if self.talks[talk].is_closed() {
            return refused("CONVERSATION_CLOSED", "Cannot reply to a closed conversation");
        }
        let message = if is_note {
            let at = self.unknowns.moment();
            self.post(talk, Writer::Agent(agent), text, true, at)
        } else {
            self.answer(talk, agent, text)
        };
        self.last = Some(talk);
        created("Reply sent", self.replied(&message))
    }

    pub(super) fn close_something(&mut self) -> Option<Step> {
        let (talk, agent, path) = self.action("close")?;
        let expected = match talk {
            None => not_found("Conversation"),
            Some(talk) if self.talks[talk].is_closed() => {
                refused("CONVERSATION_CLOSED", "Conversation is already closed")
            }
            Some(talk) => {
                let at = self.unknowns.moment();
                self.close(talk, agent, at);
                self.last = Some(talk);
                created("Conversation closed", json!({ "conversation_id": self.talks[talk].id }))
            }
        };
        Some(post(path, Some(agent), None, expected))
    }

    pub(super) fn hand_over(&mut self) -> Option<Step> {
        let (talk, agent, path) = self.action("handover")?;
        let target = if self.chance(0.85) { Some(self.some_agent()) } else { None };
        let to = match target {
            Some(target) => json!(self.people[target].id),
            // Nobody, and somebody who is no agent.
            None => self.pick(&[json!("nobody"), json!("ada"), json!(null)]),
        };
        let reason = if self.chance(0.5) { Some(self.text(1000, true)) } else { None };
        let is_reason_wrong = reason.as_ref().is_some_and(|reason| reason.kept.is_none());
        let mut body = json!({ "to_admin_id": to });
        let mut kept = None;
        if let Some(reason) = reason {
            // Null and white space are no reason given; what has the wrong type or is too long is.
            let is_nothing = reason.sent.is_null() || reason.sent.as_str().is_some_and(|text| text.trim().is_empty());
            if is_reason_wrong && !is_nothing {
                return self.hand_over();
            }
            body["reason"] = reason.sent;
            kept = reason.kept;
        }
        let expected = match (talk, target) {
            (_, None) if to.is_null() => Expected::Invalid("to_admin_id"),
            (None, _) => not_found("Conversation"),
            (Some(talk), target) => self.hand_over_to(talk, agent, target, kept),
        };
        Some(post(path, Some(agent), Some(body), expected))
    }

    fn hand_over_to(&mut self, talk: usize, agent: usize, to: Option<usize>, reason: Option<String>) -> Expected {
        if self.talks[talk].is_closed() {
            return refused("CONVERSATION_CLOSED", "Cannot transfer a closed conversation");
        }
        if self.talks[talk].assignee.is_none_or(|(holder, _)| holder != agent) {
            return refused("FORBIDDEN", "Only the currently assigned agent can initiate a handover");
        }
        if to == Some(agent) {
            return refused("VALIDATION_ERROR", "Cannot transfer to yourself");
        }
        let Some(to) = to else { return refused("NOT_FOUND", "Target admin not found") };
        if self.pending_handover(talk).is_some() {
            return refused("HANDOVER_PENDING", "There is already a pending handover for this conversation");
        }
        let id = self.ask_handover(talk, agent, to, reason);
        self.last = Some(talk);
        created(
            "Handover requested",
            json!({
                "handover_id": id, "conversation_id": self.talks[talk].id, "to_admin_id": self.people[to].id,
                "to_admin_name": self.people[to].name(), "status": "pending",
            }),
        )
    }

    pub(super) fn respond(&mut self) -> Option<Step> {
        let pending = if self.chance(0.85) { self.some_pending() } else { None };
        let talk = pending.or_else(|| self.some_talk())?;
        let handover = self.pending_handover(talk).or_else(|| self.talks[talk].handovers.len().checked_sub(1))?;
        let target = self.talks[talk].handovers[handover].to;
        let agent = if self.chance(0.8) { target } else { self.some_agent() };
        let status = self.pick(&["accepted", "rejected"]);
        if self.chance(0.05) {
            let path = format!("{TICKETS}/handovers/{}/respond", self.pick(&NOTHING));
            let body = Some(json!({ "status": status }));
            return Some(post(path, Some(agent), body, not_found("Handover")));
        }
        let id = self.talks[talk].handovers[handover].id;
        let path = format!("{TICKETS}/handovers/{}/respond", self.shown(id));
        if self.chance(0.05) {
            return Some(post(path, Some(agent), Some(json!({ "status": "maybe" })), Expected::Invalid("status")));
        }
        let expected = if self.talks[talk].handovers[handover].status != "pending" {
            refused("HANDOVER_RESOLVED", "This handover has already been resolved")
        } else if agent != target {
            refused("FORBIDDEN", "Only the target admin can respond to this handover")
        } else {
            let at = self.unknowns.moment();
            self.resolve(talk, handover, agent, status, false, at);
            self.last = Some(talk);
            let data = json!({ "handover_id": id, "conversation_id": self.talks[talk].id, "status": status });
            created(&format!("Handover {status}"), data)
        };
        Some(post(path, Some(agent), Some(json!({ "status": status })), expected))
    }

    pub(super) fn ticket_of_conversation(&mut self) -> Option<Step> {
        let (talk, agent, path) = self.action("create-ticket")?;
        let (subject, description) = (self.text(200, true), self.text(5000, false));
        let mut body = json!({ "subject": subject.sent, "description": description.sent });
        let (mut kind, mut priority) = ("GENERAL_INQUIRY", "medium");
        if self.chance(0.5) {
            (kind, priority) = (self.pick(&KINDS), self.pick(&PRIORITIES));
            body["support_type"] = json!(kind);
            body["priority"] = json!(priority);
        }
        let expected = match (subject.kept, talk) {
            (None, _) => Expected::Invalid("subject"),
            (_, None) => not_found("Conversation"),
            (Some(subject), Some(talk)) => match &self.talks[talk].ticket {
                Some(ticket) => {
                    refused("TICKET_EXISTS", format!("This conversation already has ticket {}", ticket.number))
                }
                None => {
                    let at = self.unknowns.moment();
                    let description = description.kept?;
                    self.make_ticket(talk, Some(agent), Draft { subject, description, kind, priority }, at);
                    self.last = Some(talk);
                    created("Ticket created from conversation", json!({ "ticket": self.made(talk) }))
                }
            },
        };
        Some(post(path, Some(agent), Some(body), expected))
    }

    fn made(&self, talk: usize) -> Value {
        let (talk, ticket) = (&self.talks[talk], self.talks[talk].ticket());
        json!({
            "id": ticket.id, "ticket_number": ticket.number, "subject": ticket.subject, "support_type": ticket.kind,
            "priority": ticket.priority, "status": ticket.status, "conversation_id": talk.id,
        })
    }

    /// A send that was done before, to the letter or under its name with another text.
    pub(super) fn repeat(&mut self) -> Option<Step> {
        let from = self.named.len().saturating_sub(if self.chance(0.8) { 10 } else { 200 });
        if from == self.named.len() {
            return None;
        }
        let at = self.random.random_range(from..self.named.len());
        let has_another_text = self.chance(0.3);
        let Self { named, talks, .. } = self;
        let named = &named[at];
        let talk = &talks[named.talk];
        let mut body = named.body.clone();
        let mut expected = named.answer.clone();
        if has_another_text {
            let key = if body.get("description").is_some() { "description" } else { "message" };
            body[key] = json!("Something else");
            expected = super::expected::reused();
        }
        // Whose it is stands before what was said.
        if let Writer::Agent(agent) = named.by
            && named.is_public_reply
            && !talk.is_thread
            && talk.is_held_by_another_than(agent)
        {
            expected = refused("FORBIDDEN", ASSIGNED);
        }
        Some(post(named.path.clone(), token_of(&named.by), Some(body), expected))
    }

    /// Somebody calls what is not for them.
    pub(super) fn intrude(&mut self) -> Option<Step> {
        let talk = self.some_talk()?;
        let id = self.shown(self.talks[talk].id);
        let actions = ["", "/timeline", "/claim", "/reply", "/close", "/handover", "/create-ticket"];
        let action = self.pick(&actions);
        let method = if ["", "/timeline"].contains(&action) { Method::GET } else { Method::POST };
        let body = (method == Method::POST).then(|| json!({ "message": "x", "to_admin_id": "mike" }));
        let who = if self.chance(0.7) { Some(self.some_customer()) } else { None };
        let expected = match who {
            Some(_) => refused("FORBIDDEN", "Admin access required"),
            None => refused("UNAUTHORIZED", "Unauthorized"),
        };
        Some(Step::Call { method, path: format!("{QUEUE}/{id}{action}"), who, body, expected })
    }
}
