//! Handing a session's outbox from polls to a WebSocket. [`UpgradePhase`] has the steps.

use std::sync::Arc;

use super::Outbox;
use super::state::{ActiveTransport, OutboxPhase, UpgradePhase};
use crate::close_reason::CloseReason;

impl Outbox {
    /// Registers a WebSocket that attempts an upgrade. Returns `false` if another one does or did, or the session is
    /// closing.
    pub(crate) fn begin_upgrade(&self, websocket: &Arc<Outbox>) -> bool {
        let mut state = self.state.lock();
        match &mut state.transport {
            ActiveTransport::Polling { upgrade, .. } if *upgrade == UpgradePhase::None => {
                *upgrade = UpgradePhase::Connected;
            }
            _ => return false,
        }
        if state.phase != OutboxPhase::Open {
            return false;
        }
        state.probing_websocket = Some(Arc::clone(websocket));
        true
    }

    /// The WebSocket has probed: from now on every poll is answered immediately.
    pub(crate) fn mark_probed(&self) {
        let mut state = self.state.lock();
        if let ActiveTransport::Polling { upgrade, .. } = &mut state.transport {
            *upgrade = UpgradePhase::Probed;
        }
        let drain_waker = state.drain_waker.take();
        drop(state);
        if let Some(waker) = drain_waker {
            waker.wake();
        }
    }

    /// The upgrade failed; the session continues with polling.
    pub(crate) fn abandon_upgrade(&self) {
        let mut state = self.state.lock();
        state.probing_websocket = None;
        if let ActiveTransport::Polling { upgrade, .. } = &mut state.transport {
            *upgrade = UpgradePhase::None;
        }
    }

    /// Makes the WebSocket drain this outbox. Returns `false` if the session has closed meanwhile.
    pub(crate) fn complete_upgrade(self: &Arc<Self>) -> bool {
        let mut state = self.state.lock();
        let Some(websocket) = state.probing_websocket.take() else {
            return false;
        };
        if state.phase != OutboxPhase::Open {
            return false;
        }
        state.transport = ActiveTransport::WebSocket;
        let poll_waker = state.drain_waker.take();
        drop(state);
        if let Some(waker) = poll_waker {
            waker.wake();
        }
        websocket.continue_with(Arc::clone(self));
        true
    }

    /// Has the WebSocket that drains this outbox drain `successor` next.
    fn continue_with(&self, successor: Arc<Outbox>) {
        let mut state = self.state.lock();
        if state.phase == OutboxPhase::Closed {
            // The connection was lost between the probe and now.
            drop(state);
            return successor.abort(CloseReason::TransportClose);
        }
        state.successor = Some(successor);
        let drain_waker = state.drain_waker.take();
        drop(state);
        if let Some(waker) = drain_waker {
            waker.wake();
        }
    }

    /// The connection of the WebSocket that drains this outbox is lost; its successor is aborted too.
    pub(crate) fn lose_connection(&self) {
        let successor = self.state.lock().successor.take();
        self.abort(CloseReason::TransportClose);
        if let Some(successor) = successor {
            successor.abort(CloseReason::TransportClose);
        }
    }
}
