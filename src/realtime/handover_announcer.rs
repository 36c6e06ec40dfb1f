//! Announces handovers to targets who had no socket when these were requested: at their next connection, once
//! (`additions.md`, 5).

use entity::handovers;

use super::emit::EmitEvent;
use super::payload::HandoverRequestedEvent;
use super::presence::SupportUser;
use super::rooms;
use crate::cluster::AgentSockets;
use crate::database::Database;
use crate::domain::{ConversationId, HandoverId, UserId};
use crate::handovers::take_unannounced;
use socketio::{NamespaceHandle, Socket};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct HandoverAnnouncer {
    database: Database,
    agent_sockets: AgentSockets,
}

impl HandoverAnnouncer {
    pub(super) fn new(database: Database, agent_sockets: AgentSockets) -> Self {
        Self { database, agent_sockets }
    }

    /// An agent has connected.
    pub(super) fn connected(&self, agent: &UserId, socket: &Socket<SupportUser>) {
        let socket = socket.clone();
        self.announce(agent.clone(), move |event| socket.emit_event(event));
    }

    /// A handover was stored whose target had no socket when it was requested. They may have connected since, before it
    /// was stored.
    pub(super) fn requested(&self, support: &NamespaceHandle, target: &UserId) {
        if self.agent_sockets.is_connected_here(target) {
            let (support, room) = (support.clone(), rooms::of_user(target));
            self.announce(target.clone(), move |event| support.to(&room).emit_event(event));
        }
    }

    /// In the background: neither a connection nor a conversation waits for the database.
    fn announce(&self, target: UserId, emit: impl Fn(&HandoverRequestedEvent<'_>) + Send + 'static) {
        let database = self.database.clone();
        self.database.runtime().spawn(async move {
            match take_unannounced(&database, &target).await {
                Ok(waiting) => waiting.iter().for_each(|handover| emit(&event(handover))),
                Err(error) => tracing::warn!(%error, "pending handovers could not be announced to their target"),
            }
        });
    }
}

fn event(handover: &handovers::Model) -> HandoverRequestedEvent<'_> {
    HandoverRequestedEvent {
        handover_id: HandoverId(handover.id),
        conversation_id: ConversationId(handover.conversation_id),
        from_admin_id: &handover.from_id,
        from_admin_name: &handover.from_name,
        reason: handover.reason.as_deref(),
    }
}
