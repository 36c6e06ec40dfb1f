//! What servers that share a database tell each other beside it: who is there.
//!
//! [`Presence`] counts this server's own sockets and says when an agent's first has come or last has gone; a
//! [`Cluster`] makes of that what is true on all servers. [`Alone`] is a server by itself, which is also what each of
//! several is as long as nothing connects them.

mod presence;
mod single_node;

#[cfg(test)]
mod presence_tests;

pub use presence::{Presence, PresenceGuard};
pub use single_node::Alone;

use std::fmt::Debug;

use crate::domain::Agent;

/// What servers share beside the database.
pub trait Cluster: Debug + Send + Sync {
    /// An agent's first socket on this server has come, or the last has gone. Called in the order in which it happened,
    /// one call at a time for each agent; must not block.
    fn agent_presence(&self, agent: &Agent, is_online: bool);

    /// Agents with a socket on any server, in no order.
    fn agents_online(&self) -> Vec<Agent>;
}

/// Hears whenever an agent's presence changes, wherever in the cluster.
pub trait PresenceListener: Debug + Send + Sync {
    /// An agent's first socket anywhere has come, or the last has gone. Called in order; must not block.
    fn agent_presence(&self, agent: &Agent, is_online: bool);
}
