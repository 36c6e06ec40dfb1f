//! The outgoing half of a session, shared by every thread.
//!
//! Whoever has something for a client pushes it here, from any thread and without passing through the session's mailbox. What
//! drains it is either the body of a WebSocket's response or a waiting poll; [`super::websocket`] and [`super::polling`] do that.
//!
//! Always true:
//! - packets leave in the order of the pushes, and packets pushed together leave together, whatever the transport, before,
//!   during and after an upgrade;
//! - what waits is at most the budget: over it volatile packets go, then the session;
//! - the lock is held for pushes and pops only, and nothing is called under it that could take another lock;
//! - once it is not open any more, nothing can be pushed, and it never opens again.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{close::CloseReason, frame::SharedPacket, payload::PayloadWriter};

/// What a packet costs besides its bytes.
const PACKET_OVERHEAD: usize = 64;
/// A queue that grew beyond this many places gives them back once it is empty.
const KEPT_PLACES: usize = 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Outbox {
    state: Mutex<State>,
    budget: usize,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Queued>,
    cost: usize,
    carrier: Carrier,
    stage: Stage,
    /// A data request is being read or handed on.
    posting: bool,
    /// The WebSocket that tries to take over, so that it goes when the session goes.
    probe: Option<Arc<Outbox>>,
    /// Where a probing WebSocket goes on draining once it has taken over.
    successor: Option<Arc<Outbox>>,
    /// Why the session ended, until its actor took notice.
    ended: Option<CloseReason>,
    /// Whoever drains and found nothing.
    drainer: Option<Waker>,
    /// The session actor's task.
    owner: Option<Waker>,
}

#[derive(Debug)]
struct Queued {
    packet: SharedPacket,
    volatile: bool,
}

/// Which transport takes packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Polling { poll: Waiting, upgrade: Upgrade },
    WebSocket,
}

/// The poll that is waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    None,
    /// Until there is something to say.
    Open,
    /// It is answered with a noop, whatever waits.
    Noop,
    /// It is answered with what waits and a close packet.
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upgrade {
    None,
    /// A WebSocket is there, and may or may not go on to probe.
    Connected,
    /// It has probed: polls are answered at once, so that the client can stop polling.
    Probed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// Nothing more goes in; what waits may leave.
    Ending,
    /// Nothing goes in or out, but for a last word that still waits.
    Over,
}

/// How much a push cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It is kept until it can leave.
    Reliable,
    /// It is dropped where it cannot leave now.
    Volatile,
}

/// Why a poll may not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PollRefusal {
    /// Another one waits; the session is dead now.
    Overlap,
    /// The session has moved to a WebSocket.
    Upgraded,
    /// The session is over.
    Over,
}

/// What a WebSocket's body gets.
#[derive(Debug)]
pub(super) enum Drained {
    /// Finished frames.
    Frames(Bytes),
    /// This one is done, another one goes on.
    Successor(Arc<Outbox>),
    /// Nothing will come any more.
    End,
}

impl Outbox {
    pub(super) fn polling(budget: usize) -> Self {
        Self::new(budget, Carrier::Polling { poll: Waiting::None, upgrade: Upgrade::None })
    }

    pub(super) fn websocket(budget: usize) -> Self {
        Self::new(budget, Carrier::WebSocket)
    }

    fn new(budget: usize, carrier: Carrier) -> Self {
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                cost: 0,
                carrier,
                stage: Stage::Open,
                posting: false,
                probe: None,
                successor: None,
                ended: None,
                drainer: None,
                owner: None,
            }),
            budget,
        }
    }

    /// Queues packets that stay together. `false` where they were not taken: the session is over, or they were volatile and the
    /// transport could not take them now.
    pub(super) fn push<'a>(&self, packets: impl Iterator<Item = &'a SharedPacket> + Clone, delivery: Delivery) -> bool {
        let mut state = self.state.lock();
        if state.stage != Stage::Open {
            return false;
        }
        let volatile = delivery == Delivery::Volatile;
        if volatile && !state.takes_now() {
            return false;
        }
        let cost: usize = packets.clone().map(cost).sum();
        if state.cost + cost > self.budget {
            state.drop_volatile();
        }
        if state.cost + cost > self.budget {
            let wakers = state.break_off(CloseReason::ForcedClose, Waiting::Close);
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

    /// Drains finished frames into one chunk of at most about `limit` bytes.
    pub(super) fn poll_frames(&self, limit: usize, context: &mut Context<'_>) -> Poll<Drained> {
        let mut state = self.state.lock();
        if let Some(frames) = state.pop_frames(limit) {
            return Poll::Ready(Drained::Frames(frames));
        }
        if let Some(successor) = state.successor.take() {
            return Poll::Ready(Drained::Successor(successor));
        }
        if state.stage == Stage::Open {
            register(&mut state.drainer, context);
            return Poll::Pending;
        }
        state.stage = Stage::Over;
        let owner = state.owner.take();
        drop(state);
        if let Some(owner) = owner {
            owner.wake();
        }
        Poll::Ready(Drained::End)
    }

    /// A poll arrives. Where this is `Ok`, [`Outbox::poll_payload`] is its to call until it is ready.
    pub(super) fn begin_poll(&self) -> Result<(), PollRefusal> {
        let mut state = self.state.lock();
        if state.stage == Stage::Over {
            return Err(PollRefusal::Over);
        }
        let Carrier::Polling { poll, .. } = &mut state.carrier else {
            return Err(PollRefusal::Upgraded);
        };
        if *poll == Waiting::None {
            *poll = Waiting::Open;
            return Ok(());
        }
        let wakers = state.break_off(CloseReason::TransportError, Waiting::Close);
        drop(state);
        wakers.wake();
        Err(PollRefusal::Overlap)
    }

    /// The body that answers the waiting poll, at most `limit` bytes unless one packet is longer.
    pub(super) fn poll_payload(&self, limit: usize, context: &mut Context<'_>) -> Poll<Vec<u8>> {
        let noop = SharedPacket::text("6");
        let close = SharedPacket::text("1");
        let mut state = self.state.lock();
        let Carrier::Polling { poll, upgrade } = state.carrier else {
            // It took over in this very moment.
            return Poll::Ready(noop.data().to_vec());
        };
        let mut payload = PayloadWriter::with_limit(limit);
        if poll == Waiting::Noop {
            payload.push(&noop);
        } else {
            state.pop_payload(&mut payload);
            let last = state.queue.is_empty() && state.stage != Stage::Open;
            if last {
                // One that comes after the close gets a noop in front, as a client expects of a poll that was not waiting.
                if poll == Waiting::Open && payload.is_empty() {
                    payload.push(&noop);
                }
                payload.push(&close);
                state.stage = Stage::Over;
            } else if payload.is_empty() {
                if upgrade != Upgrade::Probed {
                    register(&mut state.drainer, context);
                    return Poll::Pending;
                }
                payload.push(&noop);
            }
        }
        if let Carrier::Polling { poll, .. } = &mut state.carrier {
            *poll = Waiting::None;
        }
        let owner = (state.stage == Stage::Over).then(|| state.owner.take());
        drop(state);
        if let Some(owner) = owner.flatten() {
            owner.wake();
        }
        Poll::Ready(payload.finish())
    }

    /// The client gave its waiting poll up.
    pub(super) fn abandon_poll(&self) {
        let mut state = self.state.lock();
        state.drainer = None;
        if let Carrier::Polling { poll, .. } = &mut state.carrier {
            *poll = Waiting::None;
        }
        let wakers = state.break_off(CloseReason::TransportError, Waiting::Close);
        drop(state);
        wakers.wake();
    }

    /// A data request begins. `false` where another one is under way: the session is dead now.
    pub(super) fn begin_post(&self) -> bool {
        let mut state = self.state.lock();
        if !state.posting {
            state.posting = true;
            return true;
        }
        let wakers = state.break_off(CloseReason::TransportError, Waiting::Close);
        drop(state);
        wakers.wake();
        false
    }

    /// The data request is done with.
    pub(super) fn end_post(&self) {
        self.state.lock().posting = false;
    }

    /// A WebSocket wants to take over. `false` where one already does or did, or the session is closing.
    pub(super) fn begin_upgrade(&self, websocket: &Arc<Outbox>) -> bool {
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
    pub(super) fn probe_seen(&self) {
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
    pub(super) fn abandon_upgrade(&self) {
        let mut state = self.state.lock();
        state.probe = None;
        if let Carrier::Polling { upgrade, .. } = &mut state.carrier {
            *upgrade = Upgrade::None;
        }
    }

    /// The WebSocket takes over: what waits leaves on it. `false` where the session ended meanwhile.
    pub(super) fn complete_upgrade(self: &Arc<Self>) -> bool {
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
        state.successor = Some(successor);
        let drainer = state.drainer.take();
        drop(state);
        if let Some(drainer) = drainer {
            drainer.wake();
        }
    }

    /// Nothing more goes in; what waits leaves, then the transport closes.
    pub(super) fn end(&self, reason: CloseReason) {
        let mut state = self.state.lock();
        if state.stage != Stage::Open {
            return;
        }
        state.stage = Stage::Ending;
        state.ended = Some(reason);
        let wakers = state.farewell(Waiting::Close, None);
        drop(state);
        wakers.wake();
    }

    /// The session is over at once: what waits is dropped.
    pub(super) fn break_off(&self, reason: CloseReason) {
        let mut state = self.state.lock();
        let wakers = state.break_off(reason, Waiting::Close);
        drop(state);
        wakers.wake();
    }

    /// As [`Outbox::break_off`], with a status code in the WebSocket's close frame.
    pub(super) fn break_off_with_code(&self, reason: CloseReason, code: u16) {
        let mut state = self.state.lock();
        let wakers = state.break_off_with(reason, Waiting::Close, Some(code));
        drop(state);
        wakers.wake();
    }

    /// The client closed with a packet: a waiting poll gets a noop.
    pub(super) fn closed_by_client(&self) {
        let mut state = self.state.lock();
        let wakers = state.break_off(CloseReason::TransportClose, Waiting::Noop);
        drop(state);
        wakers.wake();
    }

    /// Why the session ended, once, for its actor.
    pub(super) fn poll_ended(&self, context: &mut Context<'_>) -> Poll<CloseReason> {
        let mut state = self.state.lock();
        register(&mut state.owner, context);
        state.ended.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// Has the actor look around: something that it asks others about has changed.
    pub(super) fn wake_owner(&self) {
        let owner = self.state.lock().owner.take();
        if let Some(owner) = owner {
            owner.wake();
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.lock().stage == Stage::Open
    }

    pub(super) fn is_over(&self) -> bool {
        self.state.lock().stage == Stage::Over
    }

    pub(super) fn is_websocket(&self) -> bool {
        self.state.lock().carrier == Carrier::WebSocket
    }
}

/// Who has to look, once the lock is free again.
#[must_use]
struct Wakers {
    drainer: Option<Waker>,
    owner: Option<Waker>,
    probe: Option<Arc<Outbox>>,
}

impl Wakers {
    const NOBODY: Self = Self { drainer: None, owner: None, probe: None };

    fn wake(self) {
        for waker in [self.drainer, self.owner].into_iter().flatten() {
            waker.wake();
        }
        if let Some(probe) = self.probe {
            probe.break_off(CloseReason::TransportClose);
        }
    }
}

impl State {
    fn takes_now(&self) -> bool {
        self.queue.is_empty()
            && match self.carrier {
                Carrier::Polling { poll, .. } => poll == Waiting::Open,
                Carrier::WebSocket => true,
            }
    }

    fn drop_volatile(&mut self) {
        self.queue.retain(|queued| !queued.volatile);
        self.cost = self.queue.iter().map(|queued| cost(&queued.packet)).sum();
    }

    fn break_off(&mut self, reason: CloseReason, poll: Waiting) -> Wakers {
        self.break_off_with(reason, poll, None)
    }

    fn break_off_with(&mut self, reason: CloseReason, poll: Waiting, code: Option<u16>) -> Wakers {
        if self.stage == Stage::Over {
            return Wakers::NOBODY;
        }
        // Where it was ending already, the first reason stands.
        if self.stage == Stage::Open {
            self.ended = Some(reason);
        }
        self.stage = Stage::Over;
        self.queue.clear();
        self.cost = 0;
        self.farewell(poll, code)
    }

    /// Leaves the last word to whoever drains.
    fn farewell(&mut self, answer: Waiting, code: Option<u16>) -> Wakers {
        match &mut self.carrier {
            Carrier::WebSocket => self.queue.push_back(Queued { packet: SharedPacket::close(code), volatile: false }),
            Carrier::Polling { poll, .. } => {
                if *poll != Waiting::None {
                    *poll = answer;
                }
            }
        }
        Wakers { drainer: self.drainer.take(), owner: self.owner.take(), probe: self.probe.take() }
    }

    fn pop(&mut self) -> Option<SharedPacket> {
        let queued = self.queue.pop_front()?;
        self.cost = self.cost.saturating_sub(cost(&queued.packet));
        if self.queue.is_empty() && self.queue.capacity() > KEPT_PLACES {
            self.queue = VecDeque::new();
        }
        Some(queued.packet)
    }

    fn pop_frames(&mut self, limit: usize) -> Option<Bytes> {
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
            return self.pop().map(|packet| packet.frame().clone());
        }
        let mut chunk = Vec::with_capacity(length);
        for packet in std::iter::from_fn(|| self.pop()).take(frames) {
            chunk.extend_from_slice(packet.frame());
        }
        Some(chunk.into())
    }

    fn pop_payload(&mut self, payload: &mut PayloadWriter) {
        while let Some(queued) = self.queue.front() {
            if !payload.push(&queued.packet) {
                return;
            }
            self.pop();
        }
    }
}

fn cost(packet: &SharedPacket) -> usize {
    packet.frame().len() + PACKET_OVERHEAD
}

fn register(place: &mut Option<Waker>, context: &Context<'_>) {
    match place {
        Some(waker) if waker.will_wake(context.waker()) => {}
        _ => *place = Some(context.waker().clone()),
    }
}
