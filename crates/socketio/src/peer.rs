//! A socket as rooms and broadcasts know it, without the application's data.
//!
//! A peer outlives its connection: while the client is away it keeps its rooms, its acknowledgements and what it is
//! sent, so that nothing has to be moved when the client comes back. Then another connection takes the same peer.
//!
//! Always true:
//! - what is sent to a peer leaves in the order in which it was sent, and never before its CONNECT answer;
//! - a peer that is not connected cannot be put into a room; one that is gone is in none;
//! - locks are taken in the order places, room, line, outbox, and nothing is called under them that could go back.

mod rooms;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

use self::rooms::RoomSet;
use super::ack::PendingAcks;
use super::encode::{self, EncodedMessage};
use super::hub::Hub;
use super::replay_buffer::{History, Sequence};
use engineio::{CloseReason, Delivery, SessionHandle};

/// Counts the peers of a namespace; compared where a name would be long.
pub(crate) type PeerKey = u64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Peer {
    key: PeerKey,
    id: Arc<str>,
    hub: Weak<Hub>,
    line: Mutex<Outbound>,
    places: Mutex<RoomSet>,
    pub(crate) acks: PendingAcks,
    /// Told when the old connection of a peer is done with it.
    settled: Notify,
}

/// Where what is sent goes.
#[derive(Debug)]
struct Outbound {
    stage: Phase,
    history: Option<Box<History>>,
}

#[derive(Debug)]
enum Phase {
    /// The client has no answer to its CONNECT yet; what is sent waits for it.
    Joining {
        session: SessionHandle,
        held: Vec<Arc<Outgoing>>,
        /// What the held events cost in a queue.
        cost: usize,
        /// Put out again before it was in.
        leave: bool,
    },
    Joined {
        session: SessionHandle,
    },
    /// The connection broke; what is sent goes into the history alone.
    Away {
        since: Instant,
        /// The old connection's handlers are done.
        settled: bool,
    },
    Gone,
}

/// An event to be sent, shared by all who get it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) message: EncodedMessage,
    /// Its number, where the namespace recovers.
    pub(crate) sequence: Option<Sequence>,
    pub(crate) delivery: Delivery,
    /// What it costs in a queue.
    pub(crate) cost: usize,
    /// What all events that are kept anywhere cost together.
    kept: Arc<AtomicUsize>,
}

impl Outgoing {
    /// It is counted in `kept` as long as anybody keeps it.
    pub(crate) fn new(
        message: EncodedMessage,
        sequence: Option<Sequence>,
        delivery: Delivery,
        kept: &Arc<AtomicUsize>,
    ) -> Self {
        let cost = message.cost();
        kept.fetch_add(cost, Ordering::Relaxed);
        Self { cost, message, sequence, delivery, kept: Arc::clone(kept) }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.kept.fetch_sub(self.cost, Ordering::Relaxed);
    }
}

impl Peer {
    pub(crate) fn new(
        hub: &Arc<Hub>,
        key: PeerKey,
        id: Arc<str>,
        session: SessionHandle,
        history: Option<History>,
    ) -> Self {
        Self {
            key,
            id,
            hub: Arc::downgrade(hub),
            line: Mutex::new(Outbound {
                stage: Phase::Joining { session, held: Vec::new(), cost: 0, leave: false },
                history: history.map(Box::new),
            }),
            places: Mutex::new(RoomSet::open()),
            acks: PendingAcks::default(),
            settled: Notify::new(),
        }
    }

    pub(crate) fn key(&self) -> PeerKey {
        self.key
    }

    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Sends an event. Whether a client that is connected gets it.
    pub(crate) fn send(&self, event: &Arc<Outgoing>, hub: &Hub) -> bool {
        let mut line = self.line.lock();
        let volatile = event.delivery == Delivery::Volatile;
        let taken = match &mut line.stage {
            Phase::Joined { session } => session.push(event.message.packets(), event.delivery),
            Phase::Joining { .. } | Phase::Away { .. } if volatile => false,
            Phase::Joining { session, held, cost, .. } => {
                *cost += event.cost;
                if *cost <= hub.limits.max_held_bytes {
                    held.push(Arc::clone(event));
                } else {
                    session.close(CloseReason::ForcedClose);
                }
                true
            }
            Phase::Away { .. } => false,
            Phase::Gone => return false,
        };
        if let (Some(limits), Some(history)) = (&hub.limits.recovery, &mut line.history)
            && (taken || !volatile)
        {
            history.push(Arc::clone(event), limits);
            if hub.kept.load(Ordering::Relaxed) > limits.max_total_bytes {
                history.forget_all();
            }
        }
        taken
    }

    /// Sends what is no event, an acknowledgement say, to a client that is connected.
    pub(crate) fn answer(&self, message: &EncodedMessage) {
        if let Phase::Joined { session } = &self.line.lock().stage {
            session.push(message.packets(), Delivery::Reliable);
        }
    }

    /// The client is in: sends what it missed, the CONNECT answer, and what was held back. `false` where it is gone
    /// already.
    pub(crate) fn send_connect(&self, missed: &[Arc<Outgoing>], connected: &EncodedMessage) -> bool {
        let mut line = self.line.lock();
        let Phase::Joining { session, held, leave, .. } = &mut line.stage else {
            return false;
        };
        for message in missed
            .iter()
            .map(|event| &event.message)
            .chain(std::iter::once(connected))
            .chain(held.iter().map(|event| &event.message))
        {
            session.push(message.packets(), Delivery::Reliable);
        }
        let (session, leave) = (session.clone(), *leave);
        line.stage = Phase::Joined { session };
        drop(line);
        if leave {
            self.kick();
        }
        true
    }

    /// Puts the client out of the namespace: sends `41`, and nothing after it. One that is away has nothing to come
    /// back to.
    pub(crate) fn kick(&self) {
        let mut line = self.line.lock();
        let session = match &mut line.stage {
            Phase::Joining { leave, .. } => {
                *leave = true;
                return;
            }
            Phase::Joined { session } => session.clone(),
            Phase::Away { .. } => {
                line.stage = Phase::Gone;
                drop(line);
                return self.remove();
            }
            Phase::Gone => return,
        };
        if let Some(hub) = self.hub.upgrade() {
            session.push(encode::disconnected(&hub.prefix).packets(), Delivery::Reliable);
        }
        line.stage = Phase::Gone;
        drop(line);
        self.close_rooms();
        session.wake();
    }

    /// The connection it has now.
    pub(crate) fn session(&self) -> Option<SessionHandle> {
        match &self.line.lock().stage {
            Phase::Joining { session, .. } | Phase::Joined { session } => Some(session.clone()),
            Phase::Away { .. } | Phase::Gone => None,
        }
    }

    pub(crate) fn is_joined(&self) -> bool {
        matches!(self.line.lock().stage, Phase::Joined { .. })
    }

    pub(crate) fn is_removed(&self) -> bool {
        matches!(self.line.lock().stage, Phase::Gone)
    }

    pub(crate) fn ping_sent(&self) {
        let line = &mut *self.line.lock();
        if let (Phase::Joined { .. }, Some(history)) = (&line.stage, &mut line.history) {
            history.ping_sent();
        }
    }

    pub(crate) fn ping_answered(&self) {
        if let Some(history) = &mut self.line.lock().history {
            history.ping_answered();
        }
    }

    /// The connection is over for good: nothing is sent any more. It stays in its rooms until [`Peer::remove`].
    pub(crate) fn leave(&self) {
        self.line.lock().stage = Phase::Gone;
        self.close_rooms();
        self.acks.fail_all();
    }

    /// The connection broke, and the client may come back. Since when, unless it is gone already.
    pub(crate) fn go_away(&self) -> Option<Instant> {
        let mut line = self.line.lock();
        if matches!(line.stage, Phase::Gone) {
            return None;
        }
        let since = Instant::now();
        line.stage = Phase::Away { since, settled: false };
        drop(line);
        self.close_rooms();
        Some(since)
    }

    /// The old connection's handlers are done with it.
    pub(crate) fn settle(&self) {
        if let Phase::Away { settled, .. } = &mut self.line.lock().stage {
            *settled = true;
        }
        self.settled.notify_waiters();
    }

    /// Ends the connection it has, if any, and waits until that is done with it.
    pub(crate) async fn detach(&self) {
        loop {
            let settled = self.settled.notified();
            match &self.line.lock().stage {
                Phase::Joining { session, .. } | Phase::Joined { session } => {
                    session.abort(CloseReason::TransportClose);
                }
                Phase::Away { settled: false, .. } => {}
                Phase::Away { settled: true, .. } | Phase::Gone => return,
            }
            settled.await;
        }
    }

    /// Since when it is away, if it is.
    pub(crate) fn away_since(&self) -> Option<Instant> {
        match self.line.lock().stage {
            Phase::Away { since, .. } => Some(since),
            _ => None,
        }
    }

    /// Gives a peer that is away to another connection: what its client missed after `last`, or `None` where that is
    /// not known or somebody was faster.
    pub(crate) fn take_over(&self, session: &SessionHandle, last: Option<Sequence>) -> Option<Vec<Arc<Outgoing>>> {
        let mut places = self.places.lock();
        let mut line = self.line.lock();
        let Phase::Away { .. } = line.stage else {
            return None;
        };
        let missed = line.history.as_mut()?.since(last)?;
        line.stage = Phase::Joining { session: session.clone(), held: Vec::new(), cost: 0, leave: false };
        places.open = true;
        Some(missed)
    }

    /// It will not come back: it leaves its rooms and is not found any more.
    pub(crate) fn remove(&self) {
        self.leave();
        self.leave_all();
        if let Some(hub) = self.hub.upgrade() {
            hub.peers.remove(&self.id);
        }
        self.settled.notify_waiters();
    }

    /// As [`Peer::remove`], but only if it is away, since a time that is right.
    pub(crate) fn vanish_if_away(&self, is_right: impl FnOnce(Instant) -> bool) -> bool {
        {
            let mut line = self.line.lock();
            match line.stage {
                Phase::Away { since, .. } if is_right(since) => line.stage = Phase::Gone,
                _ => return false,
            }
        }
        self.remove();
        true
    }
}
