//! The state that an outbox's lock protects: the queue, the transport, and the phase of the outbox's life.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;

use super::Outbox;
use crate::close_reason::CloseReason;
use crate::frame::SharedPacket;
use crate::payload::PayloadWriter;

/// A queue with a larger capacity is freed when it becomes empty.
const RETAINED_CAPACITY: usize = 16;

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: VecDeque<QueuedPacket>,
    /// Sum of [`SharedPacket::cost`] over the queue.
    pub(super) cost: usize,
    pub(super) transport: ActiveTransport,
    pub(super) phase: OutboxPhase,
    /// A data request is being read or handled.
    pub(super) has_data_request: bool,
    /// The WebSocket that attempts an upgrade. It is closed together with the session.
    pub(super) probing_websocket: Option<Arc<Outbox>>,
    /// The session's outbox, which a probing WebSocket drains after the upgrade.
    pub(super) successor: Option<Arc<Outbox>>,
    /// Why the session closes, until its actor has taken it.
    pub(super) close_reason: Option<CloseReason>,
    pub(super) delayed_close: DelayedClose,
    /// The task that drains, while it waits for packets.
    pub(super) drain_waker: Option<Waker>,
    /// The session actor's task.
    pub(super) session_waker: Option<Waker>,
    /// The application asks for a ping before the next regular one.
    pub(super) is_ping_requested: bool,
}

#[derive(Debug)]
pub(super) struct QueuedPacket {
    pub(super) packet: SharedPacket,
    pub(super) is_volatile: bool,
    /// No packet follows that was pushed together with this one.
    pub(super) is_last: bool,
}

/// The transport that sends packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ActiveTransport {
    Polling { poll: PendingPoll, upgrade: UpgradePhase },
    WebSocket,
}

/// The poll that waits, and its answer once that is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PendingPoll {
    None,
    /// It waits for a packet.
    Waiting,
    /// It is answered with a noop, whatever is queued.
    AnswerNoop,
    /// It is answered with what is queued and a close packet.
    AnswerClose,
}

/// How far an upgrade to a WebSocket has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpgradePhase {
    None,
    /// A WebSocket is connected and has not probed yet.
    Connected,
    /// The WebSocket has probed. Polls are answered immediately, so that the client can stop polling.
    Probed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutboxPhase {
    Open,
    /// No packet is accepted; queued ones are sent.
    Draining,
    /// The client has closed while no poll waited. One that is still on its way is answered with a noop.
    AwaitingLastPoll,
    /// No packet is accepted or sent, except a close frame that is still queued.
    Closed,
}

/// A close at a later time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DelayedClose {
    None,
    /// The session's actor has not taken it yet.
    Requested(CloseReason, Duration),
    /// The session's actor has a timer for it.
    Scheduled,
}

/// What to wake after the lock is released: a waker may run code that takes the lock again.
#[must_use]
pub(super) struct Wakers {
    drain_waker: Option<Waker>,
    session_waker: Option<Waker>,
    probing_websocket: Option<Arc<Outbox>>,
}

impl Wakers {
    const NONE: Self = Self { drain_waker: None, session_waker: None, probing_websocket: None };

    pub(super) fn wake(self) {
        for waker in [self.drain_waker, self.session_waker].into_iter().flatten() {
            waker.wake();
        }
        if let Some(websocket) = self.probing_websocket {
            websocket.abort(CloseReason::TransportClose);
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
            has_data_request: false,
            probing_websocket: None,
            successor: None,
            close_reason: None,
            delayed_close: DelayedClose::None,
            drain_waker: None,
            session_waker: None,
            is_ping_requested: false,
        }
    }

    /// Queues packets that stay together.
    pub(super) fn queue_group<'a>(&mut self, packets: impl Iterator<Item = &'a SharedPacket>, is_volatile: bool) {
        let queued = packets.map(|packet| QueuedPacket { packet: packet.clone(), is_volatile, is_last: false });
        self.queue.extend(queued);
        if let Some(last) = self.queue.back_mut() {
            last.is_last = true;
        }
    }

    /// Whether a packet pushed now is sent without waiting.
    pub(super) fn can_send_now(&self) -> bool {
        self.queue.is_empty()
            && match self.transport {
                ActiveTransport::Polling { poll, .. } => poll == PendingPoll::Waiting,
                ActiveTransport::WebSocket => true,
            }
    }

    /// Drops volatile packets. Their groups are complete, as groups are popped completely: of a binary event whose head is
    /// sent no attachment can be missing.
    pub(super) fn drop_volatile(&mut self) {
        self.queue.retain(|queued| !queued.is_volatile);
        self.cost = self.queue.iter().map(|queued| queued.packet.cost()).sum();
    }

    /// Clears the queue and closes; a waiting poll gets `answer`, a WebSocket a close frame with `code`.
    pub(super) fn abort(&mut self, reason: CloseReason, answer: PendingPoll, code: Option<u16>) -> Wakers {
        if self.phase == OutboxPhase::Closed {
            return Wakers::NONE;
        }
        // A graceful close that is under way keeps its reason.
        if self.phase == OutboxPhase::Open {
            self.close_reason = Some(reason);
        }
        self.phase = OutboxPhase::Closed;
        self.queue.clear();
        self.cost = 0;
        self.queue_close(answer, code)
    }

    /// Queues the close for the transport: a close frame with `code` for a WebSocket, `answer` for a waiting poll.
    pub(super) fn queue_close(&mut self, answer: PendingPoll, code: Option<u16>) -> Wakers {
        match &mut self.transport {
            ActiveTransport::WebSocket => {
                self.queue_group(std::iter::once(&SharedPacket::close(code)), false);
            }
            ActiveTransport::Polling { poll, .. } => {
                if *poll != PendingPoll::None {
                    *poll = answer;
                }
            }
        }
        Wakers {
            drain_waker: self.drain_waker.take(),
            session_waker: self.session_waker.take(),
            probing_websocket: self.probing_websocket.take(),
        }
    }

    pub(super) fn pop(&mut self) -> Option<SharedPacket> {
        let queued = self.queue.pop_front()?;
        self.cost = self.cost.saturating_sub(queued.packet.cost());
        if self.queue.is_empty() && self.queue.capacity() > RETAINED_CAPACITY {
            self.queue = VecDeque::new();
        }
        Some(queued.packet)
    }

    /// Pops the frames of as many groups as fit into `limit` bytes, at least one group. A client that receives a part of a
    /// group, such as a binary event without its last attachment, would receive the event again after a reconnect.
    pub(super) fn pop_frames(&mut self, limit: usize) -> Option<Bytes> {
        let (mut length, mut frames) = (0, 0);
        let (mut group_length, mut group_frames) = (0, 0);
        for queued in &self.queue {
            group_length += queued.packet.frame().len();
            group_frames += 1;
            if !queued.is_last {
                continue;
            }
            if frames > 0 && length + group_length > limit {
                break;
            }
            length += std::mem::take(&mut group_length);
            frames += std::mem::take(&mut group_frames);
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

    /// Pops groups into a payload until it is full.
    pub(super) fn pop_payload(&mut self, payload: &mut PayloadWriter) {
        while let Some(last) = self.queue.iter().position(|queued| queued.is_last) {
            let group = self.queue.iter().take(last + 1).map(|queued| &queued.packet);
            if !payload.push_group(group) {
                return;
            }
            for _ in 0..=last {
                self.pop();
            }
        }
    }
}

/// Stores the task's waker, without a clone if it is the stored one.
pub(super) fn store_waker(slot: &mut Option<Waker>, context: &Context<'_>) {
    match slot {
        Some(waker) if waker.will_wake(context.waker()) => {}
        _ => *slot = Some(context.waker().clone()),
    }
}
