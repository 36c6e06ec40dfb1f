//! Taking packets out of an outbox: frames for a WebSocket's body, a payload for a poll.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::Outbox;
use super::state::{ActiveTransport, OutboxPhase, PendingPoll, UpgradePhase, store_waker};
use crate::close_reason::CloseReason;
use crate::frame::SharedPacket;
use crate::payload::PayloadWriter;

/// Why a poll may not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PollRefusal {
    /// Another poll waits. The session was aborted for this.
    Overlap,
    /// The session has moved to a WebSocket.
    Upgraded,
    /// The session is closed.
    Closed,
}

/// What the body of a WebSocket's response does next.
#[derive(Debug)]
pub(crate) enum Drained {
    /// It sends these frames.
    Frames(Bytes),
    /// It drains another outbox from now on.
    Successor(Arc<Outbox>),
    /// It ends.
    End,
}

impl Outbox {
    /// Drains frames into one chunk of at most `limit` bytes, unless packets that were pushed together are longer.
    pub(crate) fn poll_frames(&self, limit: usize, context: &mut Context<'_>) -> Poll<Drained> {
        let mut state = self.state.lock();
        if let Some(frames) = state.pop_frames(limit) {
            return Poll::Ready(Drained::Frames(frames));
        }
        if let Some(successor) = state.successor.take() {
            return Poll::Ready(Drained::Successor(successor));
        }
        if state.phase == OutboxPhase::Open {
            store_waker(&mut state.drain_waker, context);
            return Poll::Pending;
        }
        state.phase = OutboxPhase::Closed;
        let session_waker = state.session_waker.take();
        drop(state);
        if let Some(waker) = session_waker {
            waker.wake();
        }
        Poll::Ready(Drained::End)
    }

    /// Registers a poll. If it is accepted, its owner calls [`Outbox::poll_payload`] until that is ready, or
    /// [`Outbox::abandon_poll`].
    pub(crate) fn begin_poll(&self) -> Result<(), PollRefusal> {
        let mut state = self.state.lock();
        if state.phase == OutboxPhase::Closed {
            return Err(PollRefusal::Closed);
        }
        let ActiveTransport::Polling { poll, .. } = &mut state.transport else {
            return Err(PollRefusal::Upgraded);
        };
        if *poll == PendingPoll::None {
            *poll = PendingPoll::Waiting;
            return Ok(());
        }
        let wakers = state.abort(CloseReason::TransportError, PendingPoll::AnswerClose, None);
        drop(state);
        wakers.wake();
        Err(PollRefusal::Overlap)
    }

    /// The body that answers the waiting poll, of at most `limit` bytes unless packets that were pushed together are
    /// longer.
    pub(crate) fn poll_payload(&self, limit: usize, context: &mut Context<'_>) -> Poll<Vec<u8>> {
        let noop = SharedPacket::text("6");
        let close = SharedPacket::text("1");
        let mut state = self.state.lock();
        let ActiveTransport::Polling { poll, upgrade } = state.transport else {
            // A WebSocket has taken over since the poll began to wait.
            return Poll::Ready(noop.data().to_vec());
        };
        let mut payload = PayloadWriter::with_limit(limit);
        if state.phase == OutboxPhase::AwaitingLastPoll {
            payload.push(&noop);
            state.phase = OutboxPhase::Closed;
        } else if poll == PendingPoll::AnswerNoop {
            payload.push(&noop);
        } else {
            state.pop_payload(&mut payload);
            let is_last = state.queue.is_empty() && state.phase != OutboxPhase::Open;
            if is_last {
                // The reference server answers a poll that arrives after the close with a noop first.
                if poll == PendingPoll::Waiting && payload.is_empty() {
                    payload.push(&noop);
                }
                payload.push(&close);
                state.phase = OutboxPhase::Closed;
            } else if payload.is_empty() {
                if upgrade != UpgradePhase::Probed {
                    store_waker(&mut state.drain_waker, context);
                    return Poll::Pending;
                }
                payload.push(&noop);
            }
        }
        if let ActiveTransport::Polling { poll, .. } = &mut state.transport {
            *poll = PendingPoll::None;
        }
        let session_waker = (state.phase == OutboxPhase::Closed).then(|| state.session_waker.take());
        drop(state);
        if let Some(waker) = session_waker.flatten() {
            waker.wake();
        }
        Poll::Ready(payload.finish())
    }

    /// The client dropped its waiting poll, which aborts the session.
    pub(crate) fn abandon_poll(&self) {
        let mut state = self.state.lock();
        match &mut state.transport {
            ActiveTransport::Polling { poll, .. } => *poll = PendingPoll::None,
            // After an upgrade the poll no longer matters.
            ActiveTransport::WebSocket => return,
        }
        state.drain_waker = None;
        let wakers = state.abort(CloseReason::TransportError, PendingPoll::AnswerClose, None);
        drop(state);
        wakers.wake();
    }
}
