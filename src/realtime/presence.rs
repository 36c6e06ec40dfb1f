//! Presence of agents: their sockets are counted, and all agents are notified (`agent_presence`) when an agent's first
//! socket connects and when the last one disconnects.

use super::emit::EmitEvent;
use std::ops::Deref;
use std::sync::OnceLock;

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;

use super::connection_deadlines::DeadlineGuard;
use super::rooms;
use crate::cluster::{Presence, PresenceGuard, PresenceListener};
use crate::domain::{Agent, UserId};
use crate::identity::{Person, RoleListener};
use crate::services::Identified;
use socketio::NamespaceHandle;

/// The account or the guest of a socket on `/support`. An agent is online from the socket's connect until it
/// disconnects or is dropped.
pub(super) struct SupportUser {
    person: Person,
    presence: Option<PresenceGuard>,
    /// The last second since 1970 at which the token is valid.
    token_until: u64,
    /// When the connection ends, while it is connected.
    deadline: Mutex<Option<DeadlineGuard>>,
}

impl SupportUser {
    /// An identified person whose socket is not connected yet.
    pub(super) fn new(identified: Identified, presence: &Presence) -> Self {
        let Identified { person, last_second: token_until } = identified;
        let presence = person.agent().map(|agent| presence.track(agent.as_agent()));
        Self { person, presence, token_until, deadline: Mutex::default() }
    }

    /// The last second since 1970 at which the token is valid.
    pub(super) fn token_until(&self) -> u64 {
        self.token_until
    }

    pub(super) fn connected(&self, deadline: Option<DeadlineGuard>) {
        *self.deadline.lock() = deadline;
        if let Some(presence) = &self.presence {
            presence.set_online();
        }
    }

    pub(super) fn disconnected(&self) {
        *self.deadline.lock() = None;
        if let Some(presence) = &self.presence {
            presence.release();
        }
    }
}

impl Deref for SupportUser {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.person
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

/// A former agent's sockets end: also those that could be recovered. Their clients connect again, without an agent's rights.
impl RoleListener for PresenceBroadcaster {
    fn agent_role_changed(&self, person: &UserId) {
        let Some(support) = self.support.get() else { return };
        support.to(&rooms::of_agent(person)).evict();
    }
}
