//! The outgoing half of a session, shared by every thread.
//!
//! Whoever has something for a client pushes it here, from any thread and without passing through the session's
//! mailbox. What drains it is either the body of a WebSocket's response or a waiting poll; [`crate::websocket`] and
//! [`crate::polling`] do that through `draining`.
//!
//! Always true:
//! - packets leave in the order of the pushes, and packets pushed together leave together, whatever the transport,
//!   before, during and after an upgrade;
//! - what waits is at most the budget: over it volatile packets go, then the session;
//! - the lock is held for pushes and pops only, and nothing is called under it that could take another lock;
//! - once it is not open any more, nothing can be pushed, and it never opens again.

mod data_requests;
mod draining;
mod state;
mod takeover;

use std::task::{Context, Poll};

use parking_lot::Mutex;

pub(crate) use self::draining::{Drained, PollRefusal};
use self::state::{ActiveTransport, OutboxPhase, Queued, State, Upgrade, Waiting, register};
use crate::close_reason::CloseReason;
use crate::frame::SharedPacket;

/// See the module.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    budget: usize,
}
/// How much a push cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It is kept until it can leave.
    Reliable,
    /// It is dropped where it cannot leave now.
    Volatile,
}
impl Outbox {
    pub(crate) fn polling(budget: usize) -> Self {
        Self::new(budget, ActiveTransport::Polling { poll: Waiting::None, upgrade: Upgrade::None })
    }

    pub(crate) fn websocket(budget: usize) -> Self {
        Self::new(budget, ActiveTransport::WebSocket)
    }

    fn new(budget: usize, transport: ActiveTransport) -> Self {
        Self { state: Mutex::new(State::new(transport)), budget }
    }

    /// Queues packets that stay together. `false` where they were not taken: the session is over, or they were volatile
    /// and the transport could not take them now.
    pub(crate) fn push<'a>(&self, packets: impl Iterator<Item = &'a SharedPacket> + Clone, delivery: Delivery) -> bool {
        let mut state = self.state.lock();
        if state.phase != OutboxPhase::Open {
            return false;
        }
        let volatile = delivery == Delivery::Volatile;
        if volatile && !state.takes_now() {
            return false;
        }
        let cost: usize = packets.clone().map(SharedPacket::cost).sum();
        if state.cost + cost > self.budget {
            state.drop_volatile();
        }
        if state.cost + cost > self.budget {
            let wakers = state.abort(CloseReason::ForcedClose, Waiting::Close);
            drop(state);
            wakers.wake();
            return false;
        }
        state.cost += cost;
        state.queue.extend(packets.map(|packet| Queued { packet: packet.clone(), volatile }));
        let drainer = state.drainer.take();
        drop(state);
        if let Some(drainer) = drainer {
            drainer.wake();
        }
        true
    }

    /// Nothing more goes in; what waits leaves, then the transport closes.
    pub(crate) fn end(&self, reason: CloseReason) {
        let mut state = self.state.lock();
        if state.phase != OutboxPhase::Open {
            return;
        }
        state.phase = OutboxPhase::Ending;
        state.ended = Some(reason);
        let wakers = state.farewell(Waiting::Close, None);
        drop(state);
        wakers.wake();
    }

    /// The session is over at once: what waits is dropped.
    pub(crate) fn abort(&self, reason: CloseReason) {
        let mut state = self.state.lock();
        let wakers = state.abort(reason, Waiting::Close);
        drop(state);
        wakers.wake();
    }

    /// As [`Outbox::abort`], with a status code in the WebSocket's close frame.
    pub(crate) fn break_off_with_code(&self, reason: CloseReason, code: u16) {
        let mut state = self.state.lock();
        let wakers = state.break_off_with(reason, Waiting::Close, Some(code));
        drop(state);
        wakers.wake();
    }

    /// The client closed with a packet: its poll gets a noop. It may come in after the packet, on another worker.
    pub(crate) fn closed_by_client(&self) {
        let mut state = self.state.lock();
        let unanswered = matches!(state.transport, ActiveTransport::Polling { poll: Waiting::None, .. });
        let open = state.phase == OutboxPhase::Open;
        let wakers = state.abort(CloseReason::TransportClose, Waiting::Noop);
        if open && unanswered {
            state.phase = OutboxPhase::CloseFrame;
        }
        drop(state);
        wakers.wake();
    }

    /// Why the session ended, once, for its actor.
    pub(crate) fn poll_ended(&self, context: &mut Context<'_>) -> Poll<CloseReason> {
        let mut state = self.state.lock();
        register(&mut state.owner, context);
        state.ended.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// Has the actor look around: something that it asks others about has changed.
    pub(crate) fn wake_owner(&self) {
        let owner = self.state.lock().owner.take();
        if let Some(owner) = owner {
            owner.wake();
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.lock().phase == OutboxPhase::Open
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state.lock().phase == OutboxPhase::Over
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.state.lock().transport == ActiveTransport::WebSocket
    }
}

#[cfg(test)]
mod tests;
