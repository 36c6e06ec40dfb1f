//! A socket as rooms and broadcasts see it, without the application's data.
//!
//! A peer outlives its connection. While it is suspended it keeps its rooms, its pending acknowledgements and the events
//! it is sent; a returning client's new connection takes over the same peer, so nothing has to be moved.
//!
//! `peer` and [`hub`](crate::hub) import each other: the hub owns the peers, and a peer reaches the rooms and limits of
//! its namespace through a weak reference to the hub.
//!
//! Invariants:
//! - events leave in the order in which they were sent, and never before the CONNECT answer;
//! - a peer that is not connected cannot join a room; a removed peer is in none;
//! - locks are taken in the order peer's rooms, room, outbound, engine outbox, and no code that could take an earlier
//!   one is called under a lock.

mod outbound;
mod rooms;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Instant;

use engineio::{CloseReason, Delivery, SessionHandle};
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::outbound::{Outbound, Phase};
use self::rooms::RoomSet;
use crate::ack::PendingAcks;
use crate::encode::{self, EncodedMessage};
use crate::hub::Hub;
use crate::offset::Sequence;
use crate::outbound_event::OutboundEvent;
use crate::replay::{Replay, ReplayPace};
use crate::replay_buffer::ReplayBuffer;
use crate::rooms::MemberKey;

/// One client's place in one namespace.
#[derive(Debug)]
pub(crate) struct Peer {
    key: MemberKey,
    id: Arc<str>,
    hub: Weak<Hub>,
    outbound: Mutex<Outbound>,
    rooms: Mutex<RoomSet>,
    pub(crate) acks: PendingAcks,
    /// Notified when the handlers of the peer's old connection have ended.
    handlers_ended: Notify,
}

impl Peer {
    pub(crate) fn new(
        hub: &Arc<Hub>,
        key: MemberKey,
        id: Arc<str>,
        session: SessionHandle,
        replay_buffer: Option<ReplayBuffer>,
    ) -> Self {
        Self {
            key,
            id,
            hub: Arc::downgrade(hub),
            outbound: Mutex::new(Outbound {
                phase: Phase::joining(session, None),
                replay_buffer: replay_buffer.map(Box::new),
            }),
            rooms: Mutex::new(RoomSet::open()),
            acks: PendingAcks::default(),
            handlers_ended: Notify::new(),
        }
    }

    pub(crate) fn key(&self) -> MemberKey {
        self.key
    }

    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Sends an event. Returns whether a client that is connected, or about to be, will receive it.
    pub(crate) fn send(&self, event: &Arc<OutboundEvent>, hub: &Hub) -> bool {
        let mut outbound = self.outbound.lock();
        let volatile = event.delivery == Delivery::Volatile;
        let accepted = match &mut outbound.phase {
            Phase::Joined { session, replay: None } => session.push(event.message.packets(), event.delivery),
            Phase::Joined { .. } | Phase::Joining { .. } | Phase::Suspended { .. } if volatile => false,
            // It is sent from the replay buffer, after the events that the client missed.
            Phase::Joined { replay: Some(_), .. } | Phase::Joining { replay: Some(_), .. } => true,
            Phase::Joining { session, held, held_cost, .. } => {
                *held_cost += event.cost;
                if *held_cost <= hub.config.max_held_bytes {
                    held.push(Arc::clone(event));
                } else {
                    session.close(CloseReason::ForcedClose);
                }
                true
            }
            Phase::Suspended { .. } => false,
            Phase::Removed => return false,
        };
        if let Some(limits) = &hub.config.recovery
            && event.sequence.is_some()
            && (accepted || !volatile)
        {
            let is_over_total = hub.total_cost.load(Ordering::Relaxed) > limits.max_total_bytes;
            outbound.record(event, limits, is_over_total);
        }
        accepted
    }

    /// Sends a packet that is not an event, such as an acknowledgement, if the client is connected.
    pub(crate) fn send_packet(&self, message: &EncodedMessage) {
        self.outbound.lock().send_packet(message);
    }

    /// Completes the join: sends the CONNECT answer, then the held events, or starts the replay of the missed ones. Does
    /// nothing in any other phase.
    ///
    /// A stock client keeps events that precede the CONNECT answer, without their offsets, and hands them to their handlers
    /// when an answer arrives. If it were cut in between, it would get them again and keep both. So the answer comes first,
    /// and the client's offset advances with each event.
    pub(crate) fn send_connect(&self, connected: &EncodedMessage) {
        let mut outbound = self.outbound.lock();
        let Phase::Joining { session, held, replay, is_kicked, .. } = &mut outbound.phase else {
            return;
        };
        for message in std::iter::once(connected).chain(held.iter().map(|event| &event.message)) {
            session.push(message.packets(), Delivery::Reliable);
        }
        let (session, replay, is_kicked) = (session.clone(), replay.take(), *is_kicked);
        outbound.phase = Phase::Joined { session, replay };
        outbound.continue_replay();
        drop(outbound);
        if is_kicked {
            self.kick();
        }
    }

    /// Disconnects the client from the namespace: sends `41`, and nothing after it. A suspended peer is removed.
    pub(crate) fn kick(&self) {
        let mut outbound = self.outbound.lock();
        let session = match &mut outbound.phase {
            Phase::Joining { is_kicked, .. } => {
                *is_kicked = true;
                return;
            }
            // What it missed and was not sent yet is dropped: a client that loses access loses it now.
            Phase::Joined { session, .. } => session.clone(),
            Phase::Suspended { .. } => {
                outbound.phase = Phase::Removed;
                drop(outbound);
                return self.remove();
            }
            Phase::Removed => return,
        };
        if let Some(hub) = self.hub.upgrade() {
            session.push(encode::disconnected(&hub.prefix).packets(), Delivery::Reliable);
        }
        outbound.phase = Phase::Removed;
        drop(outbound);
        self.close_rooms();
        // The connection's task may sleep; it has to run `on_disconnect`.
        session.wake();
    }

    /// Ends the peer for good: it leaves its rooms, is sent nothing any more and cannot be recovered. The client's
    /// connection is closed.
    pub(crate) fn evict(&self) {
        let session = self.session();
        self.remove();
        if let Some(session) = session {
            session.close(CloseReason::ForcedClose);
        }
    }

    /// The current connection's session.
    pub(crate) fn session(&self) -> Option<SessionHandle> {
        match &self.outbound.lock().phase {
            Phase::Joining { session, .. } | Phase::Joined { session, .. } => Some(session.clone()),
            Phase::Suspended { .. } | Phase::Removed => None,
        }
    }

    pub(crate) fn is_joined(&self) -> bool {
        matches!(self.outbound.lock().phase, Phase::Joined { .. })
    }

    pub(crate) fn is_removed(&self) -> bool {
        matches!(self.outbound.lock().phase, Phase::Removed)
    }

    pub(crate) fn ping_sent(&self) {
        self.outbound.lock().ping_sent();
    }

    pub(crate) fn ping_answered(&self) {
        self.outbound.lock().ping_answered();
    }

    /// Ends the connection for good: nothing is sent any more. The peer stays in its rooms until [`Peer::remove`], so
    /// that `on_disconnect` can read them.
    pub(crate) fn disconnect(&self) {
        self.outbound.lock().phase = Phase::Removed;
        self.close_rooms();
        self.acks.fail_all();
    }

    /// The connection broke and the client may return. Returns the time, or `None` if the peer is removed already.
    pub(crate) fn suspend(&self) -> Option<Instant> {
        let mut outbound = self.outbound.lock();
        if matches!(outbound.phase, Phase::Removed) {
            return None;
        }
        let since = Instant::now();
        outbound.phase = Phase::Suspended { since, handlers_ended: false };
        drop(outbound);
        self.close_rooms();
        Some(since)
    }

    /// The handlers of the old connection have ended: another connection may take the peer over.
    pub(crate) fn set_handlers_ended(&self) {
        if let Phase::Suspended { handlers_ended, .. } = &mut self.outbound.lock().phase {
            *handlers_ended = true;
        }
        self.handlers_ended.notify_waiters();
    }

    /// Aborts the current connection, if any, and waits until its handlers have ended.
    pub(crate) async fn detach(&self) {
        loop {
            // Registered before the phase is read, so that no notification is missed.
            let handlers_ended = self.handlers_ended.notified();
            match &self.outbound.lock().phase {
                Phase::Joining { session, .. } | Phase::Joined { session, .. } => {
                    session.abort(CloseReason::TransportClose);
                }
                Phase::Suspended { handlers_ended: false, .. } => {}
                Phase::Suspended { handlers_ended: true, .. } | Phase::Removed => return,
            }
            handlers_ended.await;
        }
    }

    /// Since when the peer is suspended, if it is.
    pub(crate) fn suspended_since(&self) -> Option<Instant> {
        match self.outbound.lock().phase {
            Phase::Suspended { since, .. } => Some(since),
            Phase::Joining { .. } | Phase::Joined { .. } | Phase::Removed => None,
        }
    }

    /// Gives a suspended peer to a new connection, for which the events after `last` are replayed. `false` if they are not
    /// all known, or another connection was faster.
    pub(crate) fn take_over(&self, session: &SessionHandle, last: Option<Sequence>, pace: ReplayPace) -> bool {
        let mut rooms = self.rooms.lock();
        let outbound = &mut *self.outbound.lock();
        let (Phase::Suspended { .. }, Some(replay_buffer)) = (&outbound.phase, &mut outbound.replay_buffer) else {
            return false;
        };
        let Some(start) = replay_buffer.index_after(last) else {
            return false;
        };
        let replay = Box::new(Replay::new(start, pace));
        outbound.phase = Phase::joining(session.clone(), Some(replay));
        rooms.is_open = true;
        true
    }

    /// Removes the peer: it leaves its rooms and cannot be found any more.
    pub(crate) fn remove(&self) {
        self.disconnect();
        self.leave_all_rooms();
        if let Some(hub) = self.hub.upgrade() {
            hub.peers.remove(&self.id);
        }
        self.handlers_ended.notify_waiters();
    }

    /// Like [`Peer::remove`], but only if the peer is suspended since a time that `matches`. Returns whether it was.
    pub(crate) fn remove_if_suspended(&self, matches: impl FnOnce(Instant) -> bool) -> bool {
        {
            let mut outbound = self.outbound.lock();
            match outbound.phase {
                Phase::Suspended { since, .. } if matches(since) => outbound.phase = Phase::Removed,
                _ => return false,
            }
        }
        self.remove();
        true
    }
}
