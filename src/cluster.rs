//! What servers that share a database share besides it: which agents are online.
//!
//! [`Presence`] counts the connections on this server and reports when an agent's first one is accepted and the last
//! one ends. A [`Cluster`] turns these reports into what holds on all servers. [`SingleNode`] is a cluster of one;
//! several servers also use it as long as nothing connects them.

mod agent_sockets;
mod presence;
mod single_node;

pub(crate) use agent_sockets::AgentSockets;
pub(crate) use presence::{Presence, PresenceGuard};
pub(crate) use single_node::SingleNode;

use std::fmt::Debug;

use crate::domain::Agent;

/// What servers share besides the database.
pub trait Cluster: Debug + Send + Sync {
    /// An agent got their first connection on this server, or lost the last one. Calls for one agent are sequential and
    /// in order. Must not block.
    fn set_agent_online(&self, agent: &Agent, is_online: bool);

    /// Agents with a connection on any server, in no particular order.
    fn agents_online(&self) -> Vec<Agent>;
}

/// Receives every change of an agent's presence in the cluster.
pub(crate) trait PresenceListener: Debug + Send + Sync {
    /// An agent got their first connection on any server, or lost the last one. Called in order. Must not block.
    fn agent_presence_changed(&self, agent: &Agent, is_online: bool);
}
