//! Taking packets out of an outbox: frames for a WebSocket's body, a payload for a poll.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::Outbox;
use super::state::{ActiveTransport, OutboxPhase, Upgrade, Waiting, register};
use crate::close_reason::CloseReason;
use crate::frame::SharedPacket;
use crate::payload::PayloadWriter;

/// Why a poll may not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PollRefusal {
    /// Another one waits; the session is dead now.
    Overlap,
    /// The session has moved to a WebSocket.
    Upgraded,
    /// The session is over.
    Over,
}
/// What a WebSocket's body gets.
#[derive(Debug)]
pub(crate) enum Drained {
    /// Finished frames.
    Frames(Bytes),
    /// This one is done, another one goes on.
    Successor(Arc<Outbox>),
    /// Nothing will come any more.
    End,
}
impl Outbox {
    /// Drains finished frames into one chunk of at most about `limit` bytes.
    pub(crate) fn poll_frames(&self, limit: usize, context: &mut Context<'_>) -> Poll<Drained> {
        let mut state = self.state.lock();
        if let Some(frames) = state.pop_frames(limit) {
            return Poll::Ready(Drained::Frames(frames));
        }
        if let Some(successor) = state.successor.take() {
            return Poll::Ready(Drained::Successor(successor));
        }
        if state.phase == OutboxPhase::Open {
            register(&mut state.drainer, context);
            return Poll::Pending;
        }
        state.phase = OutboxPhase::Over;
        let owner = state.owner.take();
        drop(state);
        if let Some(owner) = owner {
            owner.wake();
        }
        Poll::Ready(Drained::End)
    }

    /// A poll arrives. Where this is `Ok`, [`Outbox::poll_payload`] is its to call until it is ready.
    pub(crate) fn begin_poll(&self) -> Result<(), PollRefusal> {
        let mut state = self.state.lock();
        if state.phase == OutboxPhase::Over {
            return Err(PollRefusal::Over);
        }
        let ActiveTransport::Polling { poll, .. } = &mut state.transport else {
            return Err(PollRefusal::Upgraded);
        };
        if *poll == Waiting::None {
            *poll = Waiting::Open;
            return Ok(());
        }
        let wakers = state.abort(CloseReason::TransportError, Waiting::Close);
        drop(state);
        wakers.wake();
        Err(PollRefusal::Overlap)
    }

    /// The body that answers the waiting poll, at most `limit` bytes unless one packet is longer.
    pub(crate) fn poll_payload(&self, limit: usize, context: &mut Context<'_>) -> Poll<Vec<u8>> {
        let noop = SharedPacket::text("6");
        let close = SharedPacket::text("1");
        let mut state = self.state.lock();
        let ActiveTransport::Polling { poll, upgrade } = state.transport else {
            // It took over in this very moment.
            return Poll::Ready(noop.data().to_vec());
        };
        let mut payload = PayloadWriter::with_limit(limit);
        if state.phase == OutboxPhase::CloseFrame {
            payload.push(&noop);
            state.phase = OutboxPhase::Over;
        } else if poll == Waiting::Noop {
            payload.push(&noop);
        } else {
            state.pop_payload(&mut payload);
            let last = state.queue.is_empty() && state.phase != OutboxPhase::Open;
            if last {
                // One that comes after the close gets a noop in front, as a client expects of a poll that was not
                // waiting.
                if poll == Waiting::Open && payload.is_empty() {
                    payload.push(&noop);
                }
                payload.push(&close);
                state.phase = OutboxPhase::Over;
            } else if payload.is_empty() {
                if upgrade != Upgrade::Probed {
                    register(&mut state.drainer, context);
                    return Poll::Pending;
                }
                payload.push(&noop);
            }
        }
        if let ActiveTransport::Polling { poll, .. } = &mut state.transport {
            *poll = Waiting::None;
        }
        let owner = (state.phase == OutboxPhase::Over).then(|| state.owner.take());
        drop(state);
        if let Some(owner) = owner.flatten() {
            owner.wake();
        }
        Poll::Ready(payload.finish())
    }

    /// The client gave its waiting poll up.
    pub(crate) fn abandon_poll(&self) {
        let mut state = self.state.lock();
        match &mut state.transport {
            ActiveTransport::Polling { poll, .. } => *poll = Waiting::None,
            // It was not needed any more.
            ActiveTransport::WebSocket => return,
        }
        state.drainer = None;
        let wakers = state.abort(CloseReason::TransportError, Waiting::Close);
        drop(state);
        wakers.wake();
    }
}
