//! A server by itself: what is true here is true everywhere.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Cluster, PresenceListener};
use crate::domain::{Agent, UserId};

/// See the module.
#[derive(Debug)]
pub struct Alone {
    listener: Arc<dyn PresenceListener>,
    online: Mutex<HashMap<UserId, Agent>>,
}

impl Alone {
    /// Whoever listens hears what happens here.
    #[must_use]
    pub fn new(listener: Arc<dyn PresenceListener>) -> Self {
        Self { listener, online: Mutex::default() }
    }
}

impl Cluster for Alone {
    fn agent_presence(&self, agent: &Agent, is_online: bool) {
        {
            let mut online = self.online.lock();
            if is_online {
                online.insert(agent.id.clone(), agent.clone());
            } else {
                online.remove(&agent.id);
            }
        }
        self.listener.agent_presence(agent, is_online);
    }

    fn agents_online(&self) -> Vec<Agent> {
        self.online.lock().values().cloned().collect()
    }
}
