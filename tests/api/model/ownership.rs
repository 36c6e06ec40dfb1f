//! Releasing, reopening and withdrawing (`additions.md`, 5).

use serde_json::{Value, json};

use super::expected::{created, not_found, refused};
use super::generator::{Step, post};
use super::placeholders::anything;
use super::state::{Conversation, Model, Writer};
use crate::support::TICKETS;

impl Model {
    pub(super) fn release_any(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.action("release")?;
        let Some(conversation) = conversation else {
            return Some(post(path, Some(agent), None, not_found("Conversation")));
        };
        let state = &self.conversations[conversation];
        let expected = if state.assignee.is_none_or(|(holder, _)| holder != agent) {
            refused("FORBIDDEN", "Only the currently assigned agent can release this conversation")
        } else if state.is_closed() {
            refused("CONVERSATION_CLOSED", "Cannot release a closed conversation")
        } else {
            let at = self.placeholders.timestamp();
            self.supersede(conversation, agent, at);
            self.record(conversation, "released", Some(&Writer::Agent(agent)), json!({}), at);
            self.move_to(conversation, None, at);
            self.last = Some(conversation);
            created("Conversation released", json!({ "conversation_id": self.conversations[conversation].id }))
        };
        Some(post(path, Some(agent), None, expected))
    }

    pub(super) fn reopen_any(&mut self) -> Option<Step> {
        let (conversation, agent, path) = self.action("reopen")?;
        let expected = match conversation {
            None => not_found("Conversation"),
            Some(conversation) if !self.conversations[conversation].is_closed() => {
                refused("CONVERSATION_OPEN", "Conversation is not closed")
            }
            Some(conversation) => {
                let at = self.placeholders.timestamp();
                self.record(conversation, "reopened", Some(&Writer::Agent(agent)), json!({}), at);
                let state = &mut self.conversations[conversation];
                state.is_rating_replaceable = state.rating.is_some();
                state.status = "active";
                self.move_to(conversation, Some(agent), at);
                self.publish_ticket_assigned(conversation, agent);
                self.last = Some(conversation);
                let id = self.conversations[conversation].id;
                let (assigned_to, name) = (self.users[agent].id, self.users[agent].name());
                let data = json!({ "conversation_id": id, "assigned_to": assigned_to, "assigned_admin_name": name });
                created("Conversation reopened", data)
            }
        };
        Some(post(path, Some(agent), None, expected))
    }

    pub(super) fn withdraw_handover(&mut self) -> Option<Step> {
        let conversation = self.any_with_pending_handover().or_else(|| self.any_conversation())?;
        let handovers = &self.conversations[conversation].handovers;
        let handover = self.pending_handover(conversation).or_else(|| handovers.len().checked_sub(1))?;
        let from = handovers[handover].from;
        let is_pending = handovers[handover].status == "pending";
        let id = handovers[handover].id;
        let agent = if self.chance(0.6) { from } else { self.any_agent() };
        let path = format!("{TICKETS}/handovers/{}/withdraw", self.value_of(id));
        let expected = if !is_pending {
            refused("HANDOVER_RESOLVED", "This handover has already been resolved")
        } else if agent != from {
            refused("FORBIDDEN", "Only the agent who requested the handover can withdraw it")
        } else {
            let at = self.placeholders.timestamp();
            self.resolve(conversation, handover, agent, Some("withdrawn"), at);
            self.last = Some(conversation);
            created(
                "Handover withdrawn",
                json!({
                    "handover_id": id, "conversation_id": self.conversations[conversation].id, "status": "rejected",
                    "resolution": "withdrawn",
                }),
            )
        };
        Some(post(path, Some(agent), None, expected))
    }

    /// The pending handover as lists and details show it.
    pub(super) fn pending(&self, conversation: &Conversation) -> Value {
        let pending = conversation.handovers.iter().find(|handover| handover.status == "pending");
        let Some(handover) = pending else { return Value::Null };
        json!({
            "id": handover.id, "from_admin_id": self.users[handover.from].id,
            "to_admin_id": self.users[handover.to].id, "from_admin_name": self.users[handover.from].name(),
            "to_admin_name": self.users[handover.to].name(), "reason": handover.reason, "createdAt": handover.at,
            "expires_at": anything(),
        })
    }
}
