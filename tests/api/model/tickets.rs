//! What agents do with tickets (`support-admin.md`, "Tickets").

use serde_json::json;

use super::agents::ASSIGNED;
use super::expected::{Expected, created, fetched, not_found, refused};
use super::generator::{NOTHING, Step, post, put};
use super::views::{PRIORITIES, STATUSES};
use super::world::{World, Writer};
use crate::support::TICKETS;

impl World {
    /// A path of an agent's action, where to and as whom; now and then of nothing.
    fn ticket_action(&mut self, name: &str) -> Option<(Option<usize>, usize, String)> {
        let talk = self.some_ticket()?;
        let agent = self.agent_for(talk);
        if self.chance(0.02) {
            return Some((None, agent, format!("{TICKETS}/{}/{name}", self.pick(&NOTHING))));
        }
        Some((Some(talk), agent, format!("{TICKETS}/{}/{name}", self.shown(self.talks[talk].ticket().id))))
    }

    pub(super) fn reply_in_ticket(&mut self) -> Option<Step> {
        let (talk, agent, path) = self.ticket_action("reply")?;
        let is_note = self.chance(0.35);
        let text = if is_note { self.note() } else { self.text(5000, true) };
        let mut body = json!({ "message": text.sent, "is_internal": is_note });
        let name = self.name(false).ok().flatten();
        if let Some(name) = &name {
            body["client_message_id"] = json!(name);
        }
        let expected = match (text.kept, talk) {
            (None, _) => Expected::Invalid("message"),
            (_, None) => not_found("Ticket"),
            (Some(text), Some(talk)) => {
                let state = &self.talks[talk];
                if !is_note && !state.is_thread && state.is_held_by_another_than(agent) {
                    refused("FORBIDDEN", ASSIGNED)
                } else if state.is_closed() {
                    refused("CONVERSATION_CLOSED", "Cannot reply to a closed conversation")
                } else {
                    let message = if is_note {
                        let at = self.unknowns.moment();
                        self.post(talk, Writer::Agent(agent), &text, true, at)
                    } else {
                        self.answer(talk, agent, &text)
                    };
                    self.last = Some(talk);
                    created("Reply sent", self.replied_in_ticket(&message))
                }
            }
        };
        if name.is_some() {
            self.remember(&path, &Writer::Agent(agent), &body, &expected, !is_note);
        }
        Some(post(path, Some(agent), Some(body), expected))
    }

    pub(super) fn change_status(&mut self) -> Option<Step> {
        let (talk, agent, path) = self.ticket_action("status")?;
        let status = self.pick(&STATUSES);
        let notes = if self.chance(0.3) { self.text(5000, false).kept } else { None };
        let mut body = json!({ "status": status });
        if let Some(notes) = &notes {
            body["resolution_notes"] = json!(notes);
        }
        if self.chance(0.05) {
            body["status"] = json!("done");
            return Some(put(path, agent, body, Expected::Invalid("status")));
        }
        let Some(talk) = talk else { return Some(put(path, agent, body, not_found("Ticket"))) };
        let ticket = self.talks[talk].ticket();
        if ticket.status != status || notes.is_some() {
            let notes = notes.or_else(|| ticket.notes.clone());
            let at = self.unknowns.moment();
            self.set_status(talk, agent, status, notes, at);
        }
        Some(put(path, agent, body, self.changed(talk, &format!("Ticket {status}"))))
    }

    fn changed(&mut self, talk: usize, message: &str) -> Expected {
        self.last = Some(talk);
        fetched(message, self.ticket_row(&self.talks[talk], false))
    }

    pub(super) fn assign_something(&mut self) -> Option<Step> {
        let (talk, agent, path) = self.ticket_action("assign")?;
        if self.chance(0.1) {
            let to = self.pick(&["nobody", "ada"]);
            let noun = if talk.is_some() { "Assignee" } else { "Ticket" };
            return Some(put(path, agent, json!({ "assigned_to": to }), not_found(noun)));
        }
        let to = self.some_agent();
        let body = json!({ "assigned_to": self.people[to].id });
        let Some(talk) = talk else { return Some(put(path, agent, body, not_found("Ticket"))) };
        if self.talks[talk].ticket().assignee != Some(to) {
            self.assign(talk, agent, to);
        }
        Some(put(path, agent, body, self.changed(talk, "Ticket assigned")))
    }

    pub(super) fn prioritise_something(&mut self) -> Option<Step> {
        let (talk, agent, path) = self.ticket_action("priority")?;
        let priority = self.pick(&PRIORITIES);
        let body = json!({ "priority": priority });
        let Some(talk) = talk else { return Some(put(path, agent, body, not_found("Ticket"))) };
        if self.talks[talk].ticket().priority != priority {
            self.prioritise(talk, agent, priority);
        }
        Some(put(path, agent, body, self.changed(talk, "Priority updated")))
    }
}
