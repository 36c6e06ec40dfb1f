//! A cluster of one server: presence on this server is presence in the cluster.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{AgentSockets, Cluster, PresenceListener};
use crate::domain::{Agent, UserId};

/// A cluster of one server.
#[derive(Debug)]
pub(crate) struct SingleNode {
    listener: Arc<dyn PresenceListener>,
    sockets: Option<AgentSockets>,
    online: Mutex<HashMap<UserId, Agent>>,
}

impl SingleNode {
    /// Changes are passed to the listener.
    #[must_use]
    pub(crate) fn new(listener: Arc<dyn PresenceListener>) -> Self {
        Self { listener, sockets: None, online: Mutex::default() }
    }

    /// Changes are also recorded for other servers.
    #[must_use]
    pub(crate) fn record_in(self, sockets: AgentSockets) -> Self {
        Self { sockets: Some(sockets), ..self }
    }
}

impl Cluster for SingleNode {
    fn set_agent_online(&self, agent: &Agent, is_online: bool) {
        {
            let mut online = self.online.lock();
            if is_online {
                online.insert(agent.id.clone(), agent.clone());
            } else {
                online.remove(&agent.id);
            }
        }
        if let Some(sockets) = &self.sockets {
            sockets.set_connected(&agent.id, is_online);
        }
        self.listener.agent_presence_changed(agent, is_online);
    }

    fn agents_online(&self) -> Vec<Agent> {
        self.online.lock().values().cloned().collect()
    }
}
