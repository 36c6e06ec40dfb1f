//! What stands behind an outbox's lock: the queue, and the state machines of its transport and its life.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;

use super::Outbox;
use crate::close_reason::CloseReason;
use crate::frame::SharedPacket;
use crate::payload::PayloadWriter;

/// A queue that grew beyond this many places gives them back once it is empty.
const KEPT_PLACES: usize = 16;

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: VecDeque<Queued>,
    pub(super) cost: usize,
    pub(super) transport: ActiveTransport,
    pub(super) phase: OutboxPhase,
    /// A data request is being read or handed on.
    pub(super) posting: bool,
    /// The WebSocket that tries to take over, so that it goes when the session goes.
    pub(super) probe: Option<Arc<Outbox>>,
    /// Where a probing WebSocket goes on draining once it has taken over.
    pub(super) successor: Option<Arc<Outbox>>,
    /// Why the session ended, until its actor took notice.
    pub(super) ended: Option<CloseReason>,
    /// Whoever drains and found nothing.
    pub(super) drainer: Option<Waker>,
    /// The session actor's task.
    pub(super) owner: Option<Waker>,
}

#[derive(Debug)]
pub(super) struct Queued {
    pub(super) packet: SharedPacket,
    pub(super) volatile: bool,
}

/// Which transport takes packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ActiveTransport {
    Polling { poll: Waiting, upgrade: Upgrade },
    WebSocket,
}

/// The poll that is waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    None,
    /// Until there is something to say.
    Open,
    /// It is answered with a noop, whatever waits.
    Noop,
    /// It is answered with what waits and a close packet.
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upgrade {
    None,
    /// A WebSocket is there, and may or may not go on to probe.
    Connected,
    /// It has probed: polls are answered at once, so that the client can stop polling.
    Probed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutboxPhase {
    Open,
    /// Nothing more goes in; what waits may leave.
    Ending,
    /// The client has closed while no poll waited; one that is still on its way gets a noop.
    CloseFrame,
    /// Nothing goes in or out, but for a last word that still waits.
    Over,
}
/// Who has to look, once the lock is free again.
#[must_use]
pub(super) struct Wakers {
    pub(super) drainer: Option<Waker>,
    pub(super) owner: Option<Waker>,
    pub(super) probe: Option<Arc<Outbox>>,
}

impl Wakers {
    const NOBODY: Self = Self { drainer: None, owner: None, probe: None };

    pub(super) fn wake(self) {
        for waker in [self.drainer, self.owner].into_iter().flatten() {
            waker.wake();
        }
        if let Some(probe) = self.probe {
            probe.abort(CloseReason::TransportClose);
        }
    }
}
impl State {
    pub(super) fn new(transport: ActiveTransport) -> Self {
        Self {
            queue: VecDeque::new(),
            cost: 0,
            transport,
            phase: OutboxPhase::Open,
            posting: false,
            probe: None,
            successor: None,
            ended: None,
            drainer: None,
            owner: None,
        }
    }

    pub(super) fn takes_now(&self) -> bool {
        self.queue.is_empty()
            && match self.transport {
                ActiveTransport::Polling { poll, .. } => poll == Waiting::Open,
                ActiveTransport::WebSocket => true,
            }
    }

    pub(super) fn drop_volatile(&mut self) {
        self.queue.retain(|queued| !queued.volatile);
        self.cost = self.queue.iter().map(|queued| queued.packet.cost()).sum();
    }

    pub(super) fn abort(&mut self, reason: CloseReason, poll: Waiting) -> Wakers {
        self.break_off_with(reason, poll, None)
    }

    pub(super) fn break_off_with(&mut self, reason: CloseReason, poll: Waiting, code: Option<u16>) -> Wakers {
        if self.phase == OutboxPhase::Over {
            return Wakers::NOBODY;
        }
        // Where it was ending already, the first reason stands.
        if self.phase == OutboxPhase::Open {
            self.ended = Some(reason);
        }
        self.phase = OutboxPhase::Over;
        self.queue.clear();
        self.cost = 0;
        self.farewell(poll, code)
    }

    /// Leaves the last word to whoever drains.
    pub(super) fn farewell(&mut self, answer: Waiting, code: Option<u16>) -> Wakers {
        match &mut self.transport {
            ActiveTransport::WebSocket => {
                self.queue.push_back(Queued { packet: SharedPacket::close(code), volatile: false })
            }
            ActiveTransport::Polling { poll, .. } => {
                if *poll != Waiting::None {
                    *poll = answer;
                }
            }
        }
        Wakers { drainer: self.drainer.take(), owner: self.owner.take(), probe: self.probe.take() }
    }

    pub(super) fn pop(&mut self) -> Option<SharedPacket> {
        let queued = self.queue.pop_front()?;
        self.cost = self.cost.saturating_sub(queued.packet.cost());
        if self.queue.is_empty() && self.queue.capacity() > KEPT_PLACES {
            self.queue = VecDeque::new();
        }
        Some(queued.packet)
    }

    pub(super) fn pop_frames(&mut self, limit: usize) -> Option<Bytes> {
        let mut length = 0;
        let mut frames = 0;
        for queued in &self.queue {
            let more = queued.packet.frame().len();
            if frames > 0 && length + more > limit {
                break;
            }
            length += more;
            frames += 1;
        }
        if frames <= 1 {
            return self.pop().map(SharedPacket::into_bytes);
        }
        let mut chunk = Vec::with_capacity(length);
        for packet in std::iter::from_fn(|| self.pop()).take(frames) {
            chunk.extend_from_slice(packet.frame());
        }
        Some(chunk.into())
    }

    pub(super) fn pop_payload(&mut self, payload: &mut PayloadWriter) {
        while let Some(queued) = self.queue.front() {
            if !payload.push(&queued.packet) {
                return;
            }
            self.pop();
        }
    }
}
pub(super) fn register(place: &mut Option<Waker>, context: &Context<'_>) {
    match place {
        Some(waker) if waker.will_wake(context.waker()) => {}
        _ => *place = Some(context.waker().clone()),
    }
}
