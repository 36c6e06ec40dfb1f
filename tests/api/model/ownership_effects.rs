//! The effects on the model of what moves a conversation from one agent to another, and of handovers.

use serde_json::{Value, json};

use super::effects::with;
use super::placeholders::Placeholder;
use super::state::{Handover, Model, Room, Writer};

impl Model {
    /// Assigns the conversation to this agent and publishes `conversation_claimed`.
    fn assign_holder(&mut self, conversation: usize, agent: usize, at: Placeholder) {
        self.move_to(conversation, Some(agent), at);
        self.publish_conversation_claimed(conversation, self.holder(agent));
    }

    /// The holder changes, and that of the ticket with it; a closed conversation stays closed.
    pub(super) fn move_to(&mut self, conversation: usize, agent: Option<usize>, at: Placeholder) {
        let state = &mut self.conversations[conversation];
        state.assignee = agent.map(|agent| (agent, at));
        if !state.is_closed() {
            state.status = if agent.is_some() { "active" } else { "waiting_support" };
        }
        state.updated_at = at;
        if let Some(ticket) = &mut state.ticket {
            (ticket.assignee, ticket.updated_at) = (agent, at);
        }
    }

    fn publish_conversation_claimed(&mut self, conversation: usize, holder: Value) {
        let payload = with(holder, "conversation_id", json!(self.conversations[conversation].id));
        self.publish(&[Room::Conversation(conversation)], "conversation_claimed", &payload);
    }

    fn holder(&self, agent: usize) -> Value {
        json!({ "assigned_to": self.users[agent].id, "assigned_admin_name": self.users[agent].name() })
    }

    pub(super) fn claim(&mut self, conversation: usize, agent: usize, at: Placeholder) {
        self.record(conversation, "claimed", Some(&Writer::Agent(agent)), json!({}), at);
        self.assign_holder(conversation, agent, at);
        self.publish_to_agents(conversation, with(self.holder(agent), "event", json!("claimed")));
        self.publish_to_owner(
            conversation,
            json!({ "event": "claimed", "assigned_admin_name": self.users[agent].name() }),
        );
        self.publish_ticket_assigned(conversation, agent);
    }

    /// To those who have joined the ticket, if there is one.
    pub(super) fn publish_ticket_assigned(&mut self, conversation: usize, agent: usize) {
        let Some(ticket) = &self.conversations[conversation].ticket else { return };
        let (id, number) = (ticket.id, ticket.number.clone());
        let payload = with(with(self.holder(agent), "ticket_id", json!(id)), "ticket_number", json!(number));
        self.publish(&[Room::Ticket(conversation)], "ticket_assigned", &payload);
    }

    /// Ends the pending handover of a conversation that moves.
    pub(super) fn supersede(&mut self, conversation: usize, by: usize, at: Placeholder) {
        if let Some(pending) = self.pending_handover(conversation) {
            self.resolve(conversation, pending, by, Some("superseded"), at);
        }
    }

    pub(super) fn pending_handover(&self, conversation: usize) -> Option<usize> {
        self.conversations[conversation].handovers.iter().position(|handover| handover.status == "pending")
    }

    pub(super) fn add_handover(
        &mut self,
        conversation: usize,
        from: usize,
        to: usize,
        reason: Option<String>,
    ) -> Placeholder {
        let (id, at) = (self.placeholders.id(), self.placeholders.timestamp());
        let data = json!({
            "handover_id": id, "to_admin_id": self.users[to].id, "to_admin_name": self.users[to].name(),
            "reason": reason,
        });
        self.record(conversation, "handover_requested", Some(&Writer::Agent(from)), data, at);
        let payload = json!({
            "handover_id": id, "conversation_id": self.conversations[conversation].id, "from_admin_id": self.users[from].id,
            "from_admin_name": self.users[from].name(), "reason": reason,
        });
        self.publish(&[Room::User(to)], "handover_requested", &payload);
        let handover = Handover { id, from, to, reason, status: "pending", resolution: None, at, responded_at: None };
        self.conversations[conversation].handovers.push(handover);
        id
    }

    pub(super) fn resolve(
        &mut self,
        conversation: usize,
        handover: usize,
        by: usize,
        resolution: Option<&'static str>,
        at: Placeholder,
    ) {
        let status = if resolution.is_some() { "rejected" } else { "accepted" };
        let resolved = &mut self.conversations[conversation].handovers[handover];
        (resolved.status, resolved.resolution) = (status, resolution);
        resolved.responded_at = Some(at);
        let (id, from, to) = (resolved.id, resolved.from, resolved.to);
        let update = if resolution.is_none() { "handover_accepted" } else { "handover_rejected" };
        let kind = if resolution == Some("withdrawn") { "handover_withdrawn" } else { update };
        let data = json!({ "handover_id": id, "from_admin_id": self.users[from].id });
        self.record(conversation, kind, Some(&Writer::Agent(by)), data, at);
        if status == "accepted" {
            self.assign_holder(conversation, by, at);
            let name = self.users[by].name();
            self.publish_to_owner(conversation, json!({ "event": "handover_completed", "assigned_admin_name": name }));
        }
        self.publish_to_agents(conversation, json!({ "event": update }));
        let mut payload = json!({
            "handover_id": id, "conversation_id": self.conversations[conversation].id, "status": status,
            "to_admin_name": self.users[to].name(),
        });
        if let Some(resolution) = resolution {
            payload["resolution"] = json!(resolution);
        }
        let is_answer = matches!(resolution, None | Some("declined"));
        let rooms = if is_answer { vec![Room::User(from)] } else { vec![Room::User(from), Room::User(to)] };
        self.publish(&rooms, "handover_resolved", &payload);
        if status == "accepted" {
            self.publish_ticket_assigned(conversation, by);
        }
    }

    /// Assigns a ticket, and the conversation that it belongs to.
    pub(super) fn assign(&mut self, conversation: usize, by: usize, to: usize) {
        let at = self.placeholders.timestamp();
        let mut data = self.holder(to);
        if self.conversations[conversation].is_thread {
            self.record(conversation, "ticket_assigned", Some(&Writer::Agent(by)), data, at);
            self.change_ticket(conversation, at).assignee = Some(to);
        } else {
            self.supersede(conversation, by, at);
            let previous = self.conversations[conversation].assignee.map(|(previous, _)| previous);
            if let Some(previous) = previous {
                data["previous_admin_id"] = json!(self.users[previous].id);
                data["previous_admin_name"] = json!(self.users[previous].name());
            }
            self.record(conversation, "ticket_assigned", Some(&Writer::Agent(by)), data, at);
            self.move_to(conversation, Some(to), at);
            let mut holder = self.holder(to);
            if let Some(previous) = previous {
                holder["previous_admin_id"] = json!(self.users[previous].id);
            }
            self.publish_conversation_claimed(conversation, holder.clone());
            self.publish_to_agents(conversation, with(holder, "event", json!("claimed")));
            let name = self.users[to].name();
            self.publish_to_owner(conversation, json!({ "event": "claimed", "assigned_admin_name": name }));
        }
        self.publish_ticket_assigned(conversation, to);
        self.publish_ticket_update(conversation, &[Room::Admins], with(self.holder(to), "event", json!("assigned")));
    }
}
