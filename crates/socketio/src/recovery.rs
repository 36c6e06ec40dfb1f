//! Connection state recovery: each socket has a private id (pid), and the client that presents it gets the socket back
//! with its rooms and the events it missed.
//!
//! A connection whose client changed networks may look alive to the server for a long time. Therefore a client that
//! presents the pid of a connected socket takes it over: the old connection is closed, its handlers end, then the new
//! connection continues.
//!
//! Invariants: a pid gives one socket to one client at a time, and only after the namespace's middleware has accepted
//! that client; suspended sockets are bounded in number, size and time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::DashMap;
use engineio::SessionHandle;
use parking_lot::Mutex;
use serde_json::Value;

use crate::config::RecoveryConfig;
use crate::offset::{Sequence, decode_offset};
use crate::peer::Peer;
use crate::replay::ReplayPace;
use crate::socket::Socket;
use crate::stats::NamespaceStats;

/// Random bytes in a pid: 168 bits.
const PID_LENGTH: usize = 21;

/// The private id of a socket. A secret: it gives access to the socket's rooms and missed events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pid([u8; PID_LENGTH]);

impl Pid {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    pub(crate) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; PID_LENGTH];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == PID_LENGTH).then_some(Self(bytes))
    }
}

/// What a client presents to get its socket back.
#[derive(Clone, Copy)]
pub(crate) struct RecoveryRequest {
    pid: Pid,
    last: Option<Sequence>,
}

impl RecoveryRequest {
    /// Reads `{"pid", "offset"}` from an auth payload. A malformed offset makes the request invalid; a missing one does
    /// not, because a client that received no event has none.
    pub(crate) fn from_auth(auth: Option<&Value>) -> Option<Self> {
        let auth = auth?;
        let pid = Pid::parse(auth.get("pid")?.as_str()?)?;
        let last = match auth.get("offset") {
            None | Some(Value::Null) => None,
            Some(offset) => Some(decode_offset(offset.as_str()?)?),
        };
        Some(Self { pid, last })
    }
}

/// A peer that a client got back.
pub(crate) struct RecoveredPeer {
    pub(crate) peer: Arc<Peer>,
    pub(crate) pid: Pid,
}

/// The sockets of a namespace that can be recovered.
pub(crate) struct Recovery<D> {
    config: RecoveryConfig,
    sockets: DashMap<Pid, Socket<D>>,
    /// The total cost of the namespace's live events.
    total_cost: Arc<AtomicUsize>,
    suspended: Mutex<Suspended>,
}

/// The suspended sockets.
#[derive(Default)]
struct Suspended {
    /// Ordered by the time of suspension. A recovered socket is removed at once, so that it does not count in
    /// `max_sockets`.
    queue: BTreeSet<(Instant, Pid)>,
    /// Whether a task waits for the first of them to expire.
    has_expiry_task: bool,
}

impl<D> Recovery<D> {
    /// Forgets a socket that is removed.
    pub(crate) fn remove(&self, pid: Pid) {
        self.sockets.remove(&pid);
    }

    /// Adds the recovery's part to the namespace's counts.
    pub(crate) fn add_to(&self, stats: &mut NamespaceStats) {
        let suspended = self.suspended.lock();
        stats.suspended = suspended.queue.len();
        stats.expiry_tasks = usize::from(suspended.has_expiry_task);
        drop(suspended);
        stats.recoverable = self.sockets.len();
    }

    /// Whether another connection has taken over the peer of this socket.
    pub(crate) fn is_taken_over(&self, pid: Pid, socket: &Socket<D>) -> bool {
        self.sockets.get(&pid).is_some_and(|current| !current.is_same(socket))
    }
}

impl<D: Send + Sync + 'static> Recovery<D> {
    /// `total_cost` is the total cost of the namespace's live events.
    pub(crate) fn new(config: RecoveryConfig, total_cost: &Arc<AtomicUsize>) -> Self {
        Self { config, total_cost: Arc::clone(total_cost), sockets: DashMap::new(), suspended: Mutex::default() }
    }

    /// Makes a socket recoverable.
    pub(crate) fn insert(&self, pid: Pid, socket: Socket<D>) {
        self.sockets.insert(pid, socket);
    }

    /// Hands a socket over if it exists, its owner is the same, and all missed events are known.
    pub(crate) async fn recover(
        &self,
        request: RecoveryRequest,
        session: &SessionHandle,
        is_same_owner: impl FnOnce(&D) -> bool,
        pace: ReplayPace,
    ) -> Option<RecoveredPeer> {
        let socket = self.sockets.get(&request.pid).map(|socket| socket.clone())?;
        if !is_same_owner(socket.data()) {
            return None;
        }
        let peer = Arc::clone(socket.peer());
        // On a timeout the takeover continues: the old connection is closed already, so a handler that still runs cannot
        // send on it.
        let _ = tokio::time::timeout(self.config.takeover_timeout, peer.detach()).await;
        if let Some(since) = peer.suspended_since() {
            self.suspended.lock().queue.remove(&(since, request.pid));
        }
        if !peer.take_over(session, request.last, pace) {
            // Events are missing: the client gets a new socket, so the old one is of no use. Unless another connection
            // was faster, in which case the peer is not suspended.
            if peer.remove_if_suspended(|_| true) {
                self.remove(request.pid);
            }
            return None;
        }
        Some(RecoveredPeer { peer, pid: request.pid })
    }

    /// Expires a suspended socket after [`RecoveryConfig::max_disconnection`]. Must run on an actix worker, because the
    /// expiry task is spawned there.
    pub(crate) fn schedule_expiry(self: &Arc<Self>, pid: Pid, since: Instant) {
        let starts_task = {
            let mut suspended = self.suspended.lock();
            suspended.queue.insert((since, pid));
            !std::mem::replace(&mut suspended.has_expiry_task, true)
        };
        while let Some((since, pid)) = self.pop_excess() {
            self.expire(pid, since);
        }
        if starts_task {
            actix_rt::spawn(Arc::clone(self).run_expiry());
        }
    }

    /// Takes the socket suspended for the longest time, if too many are suspended or too many bytes are kept.
    fn pop_excess(&self) -> Option<(Instant, Pid)> {
        let mut suspended = self.suspended.lock();
        let too_many = suspended.queue.len() > self.config.max_sockets;
        let too_large = self.total_cost.load(Ordering::Relaxed) > self.config.max_total_bytes;
        (too_many || too_large).then(|| suspended.queue.pop_first()).flatten()
    }

    /// Expires sockets until none is suspended.
    async fn run_expiry(self: Arc<Self>) {
        loop {
            let next = {
                let mut suspended = self.suspended.lock();
                let next = suspended.queue.first().copied();
                suspended.has_expiry_task = next.is_some();
                next
            };
            let Some((since, pid)) = next else { return };
            tokio::time::sleep_until((since + self.config.max_disconnection).into()).await;
            let mut suspended = self.suspended.lock();
            // It may have been recovered in the meantime.
            if suspended.queue.remove(&(since, pid)) {
                drop(suspended);
                self.expire(pid, since);
            }
        }
    }

    fn expire(&self, pid: Pid, since: Instant) {
        let Some(peer) = self.sockets.get(&pid).map(|socket| Arc::clone(socket.peer())) else {
            return;
        };
        if peer.remove_if_suspended(|suspended_since| suspended_since == since) || peer.is_removed() {
            self.sockets.remove(&pid);
        }
    }
}
