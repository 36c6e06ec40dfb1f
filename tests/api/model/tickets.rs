//! Agents' actions on tickets (`support-admin.md`, "Tickets").

use serde_json::json;

use super::agents::ASSIGNED;
use super::expected::{Expected, created, fetched, not_found, refused};
use super::generator::{Step, UNKNOWN_IDS, post, put};
use super::state::{Model, Writer};
use super::views::{PRIORITIES, STATUSES};
use crate::support::TICKETS;

impl Model {
    /// The path of an agent's action, its target, and the agent; sometimes of an unknown id.
    fn ticket_action(&mut self, name: &str) -> Option<(Option<usize>, usize, String)> {
        let conversation = self.any_ticket()?;
        let agent = self.agent_for(conversation);
        if self.chance(0.02) {
            return Some((None, agent, format!("{TICKETS}/{}/{name}", self.pick(&UNKNOWN_IDS))));
        }
        Some((
            Some(conversation),
            agent,
            format!("{TICKETS}/{}/{name}", self.value_of(self.conversations[conversation].ticket().id)),
        ))
    }

    pub(super) fn reply_in_ticket(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.ticket_action("reply")?;
        let is_note = self.chance(0.35);
        let text = if is_note { self.note() } else { self.text(5000, true) };
        let mut body = json!({ "message": text.sent, "is_internal": is_note });
        let key = self.client_message_id(false).ok().flatten();
        if let Some(key) = &key {
            body["client_message_id"] = json!(key);
        }
        self.client_message_id.clone_from(&key);
        let expected = match (text.stored, conversation) {
            (None, _) => Expected::Invalid("message"),
            (_, None) => not_found("Ticket"),
            (Some(text), Some(conversation)) => {
                let state = &self.conversations[conversation];
                if !is_note && !state.is_thread && state.is_held_by_another_than(agent) {
                    refused("FORBIDDEN", ASSIGNED)
                } else if state.is_closed() {
                    refused("CONVERSATION_CLOSED", "Cannot reply to a closed conversation")
                } else {
                    let message = if is_note {
                        let at = self.placeholders.timestamp();
                        self.post(conversation, Writer::Agent(agent), &text, true, at)
                    } else {
                        self.reply_publicly(conversation, agent, &text)
                    };
                    self.last = Some(conversation);
                    created("Reply sent", self.replied_in_ticket(&message))
                }
            }
        };
        self.client_message_id = None;
        if key.is_some() {
            self.keep_for_repeat(&path, &Writer::Agent(agent), &body, &expected, !is_note);
        }
        Some(post(path, Some(agent), Some(body), expected))
    }

    pub(super) fn change_status(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.ticket_action("status")?;
        let status = self.pick(&STATUSES);
        let notes = if self.chance(0.3) { self.text(5000, false).stored } else { None };
        let mut body = json!({ "status": status });
        if let Some(notes) = &notes {
            body["resolution_notes"] = json!(notes);
        }
        if self.chance(0.05) {
            body["status"] = json!("done");
            return Some(put(path, agent, body, Expected::Invalid("status")));
        }
        let Some(conversation) = conversation else { return Some(put(path, agent, body, not_found("Ticket"))) };
        let ticket = self.conversations[conversation].ticket();
        if ticket.status != status || notes.is_some() {
            let notes = notes.or_else(|| ticket.notes.clone());
            let at = self.placeholders.timestamp();
            self.set_status(conversation, Some(agent), status, notes, at);
        }
        Some(put(path, agent, body, self.changed(conversation, &format!("Ticket {status}"))))
    }

    fn changed(&mut self, conversation: usize, message: &str) -> Expected {
        self.last = Some(conversation);
        fetched(message, self.ticket_row(&self.conversations[conversation], false))
    }

    pub(super) fn assign_any(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.ticket_action("assign")?;
        if self.chance(0.1) {
            let to = self.pick(&["unknown", "ada"]);
            let noun = if conversation.is_some() { "Assignee" } else { "Ticket" };
            return Some(put(path, agent, json!({ "assigned_to": to }), not_found(noun)));
        }
        let to = self.any_agent();
        let body = json!({ "assigned_to": self.users[to].id });
        let Some(conversation) = conversation else { return Some(put(path, agent, body, not_found("Ticket"))) };
        let state = &self.conversations[conversation];
        if !state.is_thread && state.is_held_by_another_than(agent) {
            let expected = if to == agent {
                // Every holder has become so a short time ago.
                let text = "The assigned agent is present. Use the handover flow to request a transfer.";
                refused("HOLDER_PRESENT", text)
            } else {
                refused("FORBIDDEN", "This ticket belongs to a conversation that is assigned to another support agent")
            };
            return Some(put(path, agent, body, expected));
        }
        if self.conversations[conversation].ticket().assignee != Some(to) {
            self.assign(conversation, agent, to);
        }
        Some(put(path, agent, body, self.changed(conversation, "Ticket assigned")))
    }

    pub(super) fn prioritise_any(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.ticket_action("priority")?;
        let priority = self.pick(&PRIORITIES);
        let body = json!({ "priority": priority });
        let Some(conversation) = conversation else { return Some(put(path, agent, body, not_found("Ticket"))) };
        if self.conversations[conversation].ticket().priority != priority {
            self.prioritise(conversation, agent, priority);
        }
        Some(put(path, agent, body, self.changed(conversation, "Priority updated")))
    }
}
