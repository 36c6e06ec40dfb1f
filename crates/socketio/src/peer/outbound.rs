//! The outbound side of a peer: where the events that it is sent go.

use std::sync::Arc;
use std::time::Instant;

use engineio::SessionHandle;

use crate::outbound_event::OutboundEvent;
use crate::replay_buffer::ReplayBuffer;

/// The phase of a peer and its replay buffer, under one lock so that sending order is replay order.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) phase: Phase,
    /// `None` if the namespace does not recover. Boxed, because most phases of most peers do not use it.
    pub(super) replay_buffer: Option<Box<ReplayBuffer>>,
}

/// How far a peer's connection is.
#[derive(Debug)]
pub(super) enum Phase {
    /// The client has no answer to its CONNECT yet; events are held back until it has.
    Joining {
        session: SessionHandle,
        held: Vec<Arc<OutboundEvent>>,
        /// The cost of the held events.
        held_cost: usize,
        /// The server disconnected the peer; takes effect after the CONNECT answer.
        is_kicked: bool,
    },
    /// The client is connected.
    Joined { session: SessionHandle },
    /// The connection broke and the client may return; events go to the replay buffer only.
    Suspended {
        since: Instant,
        /// The handlers of the old connection have ended.
        handlers_ended: bool,
    },
    /// The peer is removed, or is about to be.
    Removed,
}

impl Phase {
    /// The first phase of a connection.
    pub(super) fn joining(session: SessionHandle) -> Self {
        Self::Joining { session, held: Vec::new(), held_cost: 0, is_kicked: false }
    }
}
