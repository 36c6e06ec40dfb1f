//! Moving from polls to a WebSocket. The state machine stands in [`super::state::Upgrade`].

use std::sync::Arc;

use super::{
    Outbox,
    state::{Carrier, Stage, Upgrade},
};
use crate::engineio::close::CloseReason;

impl Outbox {
    /// A WebSocket wants to take over. `false` where one already does or did, or the session is closing.
    pub(in crate::engineio) fn begin_upgrade(&self, websocket: &Arc<Outbox>) -> bool {
        let mut state = self.state.lock();
        match &mut state.carrier {
            Carrier::Polling { upgrade, .. } if *upgrade == Upgrade::None => {
                *upgrade = Upgrade::Connected;
            }
            _ => return false,
        }
        if state.stage != Stage::Open {
            return false;
        }
        state.probe = Some(Arc::clone(websocket));
        true
    }

    /// The WebSocket has probed: from now on every poll is answered at once.
    pub(in crate::engineio) fn probe_seen(&self) {
        let mut state = self.state.lock();
        if let Carrier::Polling { upgrade, .. } = &mut state.carrier {
            *upgrade = Upgrade::Probed;
        }
        let drainer = state.drainer.take();
        drop(state);
        if let Some(drainer) = drainer {
            drainer.wake();
        }
    }

    /// The WebSocket did not make it; the session goes on polling.
    pub(in crate::engineio) fn abandon_upgrade(&self) {
        let mut state = self.state.lock();
        state.probe = None;
        if let Carrier::Polling { upgrade, .. } = &mut state.carrier {
            *upgrade = Upgrade::None;
        }
    }

    /// The WebSocket takes over: what waits leaves on it. `false` where the session ended meanwhile.
    pub(in crate::engineio) fn complete_upgrade(self: &Arc<Self>) -> bool {
        let mut state = self.state.lock();
        let Some(probe) = state.probe.take() else {
            return false;
        };
        if state.stage != Stage::Open {
            return false;
        }
        state.carrier = Carrier::WebSocket;
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
        if state.stage == Stage::Over {
            // Its connection was lost in this very moment.
            drop(state);
            return successor.break_off(CloseReason::TransportClose);
        }
        state.successor = Some(successor);
        let drainer = state.drainer.take();
        drop(state);
        if let Some(drainer) = drainer {
            drainer.wake();
        }
    }

    /// The WebSocket that drained this is gone, and whatever it was to go on with goes too.
    pub(in crate::engineio) fn lose_connection(&self) {
        let successor = self.state.lock().successor.take();
        self.break_off(CloseReason::TransportClose);
        if let Some(successor) = successor {
            successor.break_off(CloseReason::TransportClose);
        }
    }
}
