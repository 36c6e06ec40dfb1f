//! Who is there: agents' sockets are counted as they come and go, and the agents hear when one's first has come or
//! last has gone (`agent_presence`).

use std::ops::Deref;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::Serialize;

use super::rooms;
use crate::cluster::{Presence, PresenceGuard, PresenceListener};
use crate::domain::Agent;
use crate::identity::Principal;
use socketio::NamespaceHandle;

/// A socket's person. An agent counts as there from when they are let in until the socket has left, or is forgotten
/// without a word.
pub(super) struct SupportUser {
    principal: Principal,
    stay: Option<PresenceGuard>,
}

impl SupportUser {
    /// Somebody whose token was good; not there yet.
    pub(super) fn new(principal: Principal, presence: &Presence) -> Self {
        let stay = principal.is_agent.then(|| presence.track(principal.as_agent()));
        Self { principal, stay }
    }

    /// The socket is let in.
    pub(super) fn comes(&self) {
        if let Some(stay) = &self.stay {
            stay.set_online();
        }
    }

    /// The socket has left.
    pub(super) fn goes(&self) {
        if let Some(stay) = &self.stay {
            stay.release();
        }
    }
}

impl Deref for SupportUser {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

/// `agent_presence`, to the agents.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentPresence")]
pub(super) struct AgentPresence<'a> {
    admin_id: &'a str,
    admin_name: &'a str,
    online: bool,
}

/// Tells the agents on this server. The sockets are named when they are there; before that nobody can come.
#[derive(Debug, Default)]
pub struct PresenceBroadcaster {
    support: OnceLock<NamespaceHandle>,
}

impl PresenceBroadcaster {
    /// Names the sockets to announce to. Only the first call counts.
    pub fn announce_on(&self, support: NamespaceHandle) {
        let _ = self.support.set(support);
    }
}

impl PresenceListener for PresenceBroadcaster {
    fn agent_presence_changed(&self, agent: &Agent, is_online: bool) {
        let Some(support) = self.support.get() else { return };
        let payload = AgentPresence { admin_id: agent.id.as_str(), admin_name: &agent.name, online: is_online };
        support.to(rooms::ADMINS).emit("agent_presence", &payload);
    }
}
