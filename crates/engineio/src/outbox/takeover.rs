//! Moving from polls to a WebSocket. The state machine stands in [`super::state::Upgrade`].

use std::sync::Arc;

use super::Outbox;
use super::state::{ActiveTransport, OutboxPhase, Upgrade};
use crate::close_reason::CloseReason;

impl Outbox {
    /// A WebSocket wants to take over. `false` where one already does or did, or the session is closing.
    pub(crate) fn begin_upgrade(&self, websocket: &Arc<Outbox>) -> bool {
        let mut state = self.state.lock();
        match &mut state.transport {
            ActiveTransport::Polling { upgrade, .. } if *upgrade == Upgrade::None => {
                *upgrade = Upgrade::Connected;
            }
            _ => return false,
        }
        if state.phase != OutboxPhase::Open {
            return false;
        }
        state.probe = Some(Arc::clone(websocket));
        true
    }

    /// The WebSocket has probed: from now on every poll is answered at once.
    pub(crate) fn probe_seen(&self) {
        let mut state = self.state.lock();
        if let ActiveTransport::Polling { upgrade, .. } = &mut state.transport {
            *upgrade = Upgrade::Probed;
        }
        let drainer = state.drainer.take();
        drop(state);
        if let Some(drainer) = drainer {
            drainer.wake();
        }
    }

    /// The WebSocket did not make it; the session goes on polling.
    pub(crate) fn abandon_upgrade(&self) {
        let mut state = self.state.lock();
        state.probe = None;
        if let ActiveTransport::Polling { upgrade, .. } = &mut state.transport {
            *upgrade = Upgrade::None;
        }
    }

    /// The WebSocket takes over: what waits leaves on it. `false` where the session ended meanwhile.
    pub(crate) fn complete_upgrade(self: &Arc<Self>) -> bool {
        let mut state = self.state.lock();
        let Some(probe) = state.probe.take() else {
            return false;
        };
        if state.phase != OutboxPhase::Open {
            return false;
        }
        state.transport = ActiveTransport::WebSocket;
        let poll = state.drainer.take();
        drop(state);
        if let Some(poll) = poll {
            poll.wake();
        }
        probe.continue_with(Arc::clone(self));
        true
    }

    fn continue_with(&self, successor: Arc<Outbox>) {
        let mut state = self.state.lock();
        if state.phase == OutboxPhase::Over {
            // Its connection was lost in this very moment.
            drop(state);
            return successor.abort(CloseReason::TransportClose);
        }
        state.successor = Some(successor);
        let drainer = state.drainer.take();
        drop(state);
        if let Some(drainer) = drainer {
            drainer.wake();
        }
    }

    /// The WebSocket that drained this is gone, and whatever it was to go on with goes too.
    pub(crate) fn lose_connection(&self) {
        let successor = self.state.lock().successor.take();
        self.abort(CloseReason::TransportClose);
        if let Some(successor) = successor {
            successor.abort(CloseReason::TransportClose);
        }
    }
}
