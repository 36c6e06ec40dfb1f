//! Which agents have a connection on this server.
//!
//! An agent is online from the acceptance of their first socket to the end of their last connection. A connection
//! counts before it is accepted: a client that replaces its connection, for example after a change of networks, stays
//! online. Changes are decided and reported under one lock, so the last report is always the current state. There is no
//! grace period.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::Cluster;
use crate::domain::{Agent, UserId};

/// Counts agents' connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Presence {
    state: Arc<PresenceState>,
}

#[derive(Debug)]
struct PresenceState {
    cluster: Arc<dyn Cluster>,
    agents: Mutex<HashMap<UserId, AgentConnections>>,
}

#[derive(Debug, Default)]
struct AgentConnections {
    /// Connections, including those not accepted yet.
    count: usize,
    /// The agent as reported online; `None` until a connection is accepted.
    online_as: Option<Agent>,
}

impl Presence {
    /// No agent is online. Changes are reported to the cluster.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>) -> Self {
        Self { state: Arc::new(PresenceState { cluster, agents: Mutex::default() }) }
    }

    /// Counts a connection that has not been accepted yet.
    #[must_use]
    pub fn track(&self, agent: Agent) -> PresenceGuard {
        self.state.agents.lock().entry(agent.id.clone()).or_default().count += 1;
        PresenceGuard { state: Arc::clone(&self.state), agent, is_released: AtomicBool::new(false) }
    }
}

/// One connection of an agent. It ends with [`PresenceGuard::release`], or when the guard is dropped.
#[derive(Debug)]
pub struct PresenceGuard {
    state: Arc<PresenceState>,
    agent: Agent,
    is_released: AtomicBool,
}

impl PresenceGuard {
    /// The connection is accepted: the agent is online. Does nothing after [`PresenceGuard::release`].
    pub fn set_online(&self) {
        let mut agents = self.state.agents.lock();
        if self.is_released.load(Ordering::Relaxed) {
            return;
        }
        let Some(connections) = agents.get_mut(&self.agent.id) else { return };
        if connections.online_as.is_none() {
            connections.online_as = Some(self.agent.clone());
            self.state.cluster.set_agent_online(&self.agent, true);
        }
    }

    /// The connection has ended. Further calls do nothing.
    pub fn release(&self) {
        let mut agents = self.state.agents.lock();
        // Relaxed is enough: the flag is only used under the lock.
        if self.is_released.swap(true, Ordering::Relaxed) {
            return;
        }
        let Some(connections) = agents.get_mut(&self.agent.id) else { return };
        connections.count = connections.count.saturating_sub(1);
        if connections.count > 0 {
            return;
        }
        if let Some(AgentConnections { online_as: Some(agent), .. }) = agents.remove(&self.agent.id) {
            self.state.cluster.set_agent_online(&agent, false);
        }
    }
}

impl Drop for PresenceGuard {
    fn drop(&mut self) {
        self.release();
    }
}
