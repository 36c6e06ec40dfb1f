//! The outgoing half of a session, shared by all threads, and what bounds its incoming half ([`incoming`]).
//!
//! Any thread pushes packets here directly, without a message to the session's actor. Either the body of a WebSocket's
//! response ([`crate::websocket`]) or a waiting poll ([`crate::polling`]) drains it, through `draining`.
//!
//! Invariants:
//! - packets are sent in the order of the pushes, and packets pushed together are sent without another one in between and
//!   in one chunk or polling body, whatever the transport, before, during and after an upgrade;
//! - the cost of the queued packets never exceeds the budget: over it volatile packets are dropped, then the session is
//!   aborted;
//! - the lock is held for pushes and pops only, and no waker or other lock is used while it is held;
//! - once closed, an outbox accepts no packet and never reopens.

mod data_requests;
mod draining;
mod incoming;
mod state;
mod upgrade;

use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;

use self::incoming::Incoming;

pub(crate) use self::draining::{Drained, PollRefusal};
use self::state::{ActiveTransport, DelayedClose, OutboxPhase, PendingPoll, State, UpgradePhase, store_waker};
use crate::close_reason::CloseReason;
use crate::config::EngineConfig;
use crate::frame::SharedPacket;

/// The outgoing half of a session.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Maximum cost of the queued packets, see [`SharedPacket::cost`].
    budget: usize,
    incoming: Incoming,
}

/// What happens to packets that cannot be sent immediately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// They are queued.
    Reliable,
    /// They are dropped.
    Volatile,
}

impl Outbox {
    pub(crate) fn polling(config: &EngineConfig) -> Self {
        Self::new(config, ActiveTransport::Polling { poll: PendingPoll::None, upgrade: UpgradePhase::None })
    }

    pub(crate) fn websocket(config: &EngineConfig) -> Self {
        Self::new(config, ActiveTransport::WebSocket)
    }

    fn new(config: &EngineConfig, transport: ActiveTransport) -> Self {
        let incoming = Incoming::new(config);
        Self { state: Mutex::new(State::new(transport)), budget: config.outgoing_budget, incoming }
    }

    /// Queues packets that stay together. Returns `false` if they were not accepted: the outbox is not open, they
    /// exceed the budget, or they are volatile and the transport cannot send them now.
    pub(crate) fn push<'a>(&self, packets: impl Iterator<Item = &'a SharedPacket> + Clone, delivery: Delivery) -> bool {
        let mut state = self.state.lock();
        if state.phase != OutboxPhase::Open {
            return false;
        }
        let is_volatile = delivery == Delivery::Volatile;
        if is_volatile && !state.can_send_now() {
            return false;
        }
        let cost: usize = packets.clone().map(SharedPacket::cost).sum();
        if state.cost + cost > self.budget {
            state.drop_volatile();
        }
        if state.cost + cost > self.budget {
            let wakers = state.abort(CloseReason::ForcedClose, PendingPoll::AnswerClose, None);
            drop(state);
            wakers.wake();
            return false;
        }
        state.cost += cost;
        state.queue_group(packets, is_volatile);
        let drain_waker = state.drain_waker.take();
        drop(state);
        if let Some(waker) = drain_waker {
            waker.wake();
        }
        true
    }

    /// Accepts no more packets; sends what is queued, then closes the transport.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = self.state.lock();
        if state.phase != OutboxPhase::Open {
            return;
        }
        state.phase = OutboxPhase::Draining;
        state.close_reason = Some(reason);
        let wakers = state.queue_close(PendingPoll::AnswerClose, None);
        drop(state);
        wakers.wake();
    }

    /// Has the session's actor call [`Outbox::close`] after a delay. Only the first call counts.
    pub(crate) fn close_after(&self, reason: CloseReason, delay: Duration) {
        let mut state = self.state.lock();
        if state.delayed_close != DelayedClose::None {
            return;
        }
        state.delayed_close = DelayedClose::Requested(reason, delay);
        let session_waker = state.session_waker.take();
        drop(state);
        if let Some(waker) = session_waker {
            waker.wake();
        }
    }

    /// The delayed close that the session's actor has to schedule, once.
    pub(crate) fn take_delayed_close(&self) -> Option<(CloseReason, Duration)> {
        let mut state = self.state.lock();
        let DelayedClose::Requested(reason, delay) = state.delayed_close else { return None };
        state.delayed_close = DelayedClose::Scheduled;
        Some((reason, delay))
    }

    /// Drops what is queued and closes the transport.
    pub(crate) fn abort(&self, reason: CloseReason) {
        self.abort_with_code(reason, None);
    }

    /// As [`Outbox::abort`], with a status code in the WebSocket's close frame.
    pub(crate) fn abort_with_code(&self, reason: CloseReason, code: Option<u16>) {
        let mut state = self.state.lock();
        let wakers = state.abort(reason, PendingPoll::AnswerClose, code);
        drop(state);
        wakers.wake();
    }

    /// Closes on the client's close packet: its poll is answered with a noop, even if the poll arrives after the packet
    /// because another worker took it.
    pub(crate) fn close_by_client(&self) {
        let mut state = self.state.lock();
        let has_no_poll = matches!(state.transport, ActiveTransport::Polling { poll: PendingPoll::None, .. });
        let was_open = state.phase == OutboxPhase::Open;
        let wakers = state.abort(CloseReason::TransportClose, PendingPoll::AnswerNoop, None);
        if was_open && has_no_poll {
            state.phase = OutboxPhase::AwaitingLastPoll;
        }
        drop(state);
        wakers.wake();
    }

    /// Why the session closes. Ready once, for the session's actor.
    pub(crate) fn poll_close_reason(&self, context: &mut Context<'_>) -> Poll<CloseReason> {
        let mut state = self.state.lock();
        store_waker(&mut state.session_waker, context);
        state.close_reason.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// Wakes the session's actor, whose application or mailbox has changed.
    pub(crate) fn wake_session(&self) {
        let session_waker = self.state.lock().session_waker.take();
        if let Some(waker) = session_waker {
            waker.wake();
        }
    }

    /// Asks the session's actor for a ping.
    pub(crate) fn request_ping(&self) {
        let mut state = self.state.lock();
        state.is_ping_requested = true;
        let session_waker = state.session_waker.take();
        drop(state);
        if let Some(waker) = session_waker {
            waker.wake();
        }
    }

    /// Whether a ping was requested since the last call.
    pub(crate) fn take_ping_request(&self) -> bool {
        std::mem::take(&mut self.state.lock().is_ping_requested)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.lock().phase == OutboxPhase::Open
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().phase == OutboxPhase::Closed
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.state.lock().transport == ActiveTransport::WebSocket
    }
}

#[cfg(test)]
mod tests;
