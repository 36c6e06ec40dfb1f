//! Which agents have a socket on this server.
//!
//! An agent is there from the moment in which one of their sockets is let in until the last connection of theirs has
//! ended. A connection counts from before it is let in: a client that changes networks and takes its old connection
//! over was there all the time. What comes and goes is decided and told under one lock, so that the last word told is
//! always the truth. There is no period of grace: `online` says what is, now.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::Cluster;
use crate::domain::{Agent, UserId};

/// Counts agents' connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Presence {
    room: Arc<Room>,
}

#[derive(Debug)]
struct Room {
    cluster: Arc<dyn Cluster>,
    agents: Mutex<HashMap<UserId, Here>>,
}

#[derive(Debug, Default)]
struct Here {
    /// Connections of theirs, those not let in yet among them.
    connections: usize,
    /// As who they were told of; `None` as long as none was let in.
    told_of: Option<Agent>,
}

impl Presence {
    /// Nobody is there. The cluster is told of changes.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>) -> Self {
        Self { room: Arc::new(Room { cluster, agents: Mutex::default() }) }
    }

    /// An agent has a connection that may be let in.
    #[must_use]
    pub fn arrive(&self, agent: Agent) -> PresenceGuard {
        self.room.agents.lock().entry(agent.id.clone()).or_default().connections += 1;
        PresenceGuard { room: Arc::clone(&self.room), agent, has_ended: AtomicBool::new(false) }
    }
}

/// One connection of an agent. It ends with [`PresenceGuard::end`], or when this is dropped.
#[derive(Debug)]
pub struct PresenceGuard {
    room: Arc<Room>,
    agent: Agent,
    has_ended: AtomicBool,
}

impl PresenceGuard {
    /// The connection was let in: the agent is there.
    pub fn begin(&self) {
        let mut agents = self.room.agents.lock();
        if self.has_ended.load(Ordering::Relaxed) {
            return;
        }
        let Some(here) = agents.get_mut(&self.agent.id) else { return };
        if here.told_of.is_none() {
            here.told_of = Some(self.agent.clone());
            self.room.cluster.agent_presence(&self.agent, true);
        }
    }

    /// The connection has ended. Once is enough.
    pub fn end(&self) {
        let mut agents = self.room.agents.lock();
        // Under the lock, as everything that is decided here.
        if self.has_ended.swap(true, Ordering::Relaxed) {
            return;
        }
        let Some(here) = agents.get_mut(&self.agent.id) else { return };
        here.connections = here.connections.saturating_sub(1);
        if here.connections > 0 {
            return;
        }
        if let Some(Here { told_of: Some(agent), .. }) = agents.remove(&self.agent.id) {
            self.room.cluster.agent_presence(&agent, false);
        }
    }
}

impl Drop for PresenceGuard {
    fn drop(&mut self) {
        self.end();
    }
}
