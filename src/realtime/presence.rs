//! Presence of agents: their sockets are counted, and all agents are notified (`agent_presence`) when an agent's first
//! socket connects and when the last one disconnects.

use super::emit::EmitEvent;
use std::ops::Deref;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::Serialize;

use super::rooms;
use crate::cluster::{Presence, PresenceGuard, PresenceListener};
use crate::domain::Agent;
use crate::identity::Principal;
use socketio::NamespaceHandle;

/// The account of a socket on `/support`. An agent is online from the socket's connect until it disconnects or is
/// dropped.
pub(super) struct SupportUser {
    principal: Principal,
    presence: Option<PresenceGuard>,
}

impl SupportUser {
    /// An authenticated account whose socket is not connected yet.
    pub(super) fn new(principal: Principal, presence: &Presence) -> Self {
        let presence = principal.is_agent.then(|| presence.track(principal.as_agent()));
        Self { principal, presence }
    }

    pub(super) fn connected(&self) {
        if let Some(presence) = &self.presence {
            presence.set_online();
        }
    }

    pub(super) fn disconnected(&self) {
        if let Some(presence) = &self.presence {
            presence.release();
        }
    }
}

impl Deref for SupportUser {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentPresence")]
pub(super) struct AgentPresenceEvent<'a> {
    admin_id: &'a str,
    admin_name: &'a str,
    online: bool,
}

/// Notifies the agents on this server.
#[derive(Debug, Default)]
pub struct PresenceBroadcaster {
    /// Set when the namespaces exist; before that, no agent can connect.
    support: OnceLock<NamespaceHandle>,
}

impl PresenceBroadcaster {
    /// Sets the namespace to publish on. Only the first call has an effect.
    pub fn publish_on(&self, support: NamespaceHandle) {
        let _ = self.support.set(support);
    }
}

impl PresenceListener for PresenceBroadcaster {
    fn agent_presence_changed(&self, agent: &Agent, is_online: bool) {
        let Some(support) = self.support.get() else { return };
        let payload = AgentPresenceEvent { admin_id: agent.id.as_str(), admin_name: &agent.name, online: is_online };
        support.to(rooms::ADMINS).emit_event(&payload);
    }
}
