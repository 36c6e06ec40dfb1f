//! Clients that come back: each socket has a secret, and whoever presents it gets the socket with its rooms and what it
//! missed.
//!
//! The connection of a client that changed networks may look alive from here for a long time. So a client that presents
//! the secret of a connected socket takes it over: the old connection is closed, its handlers end, and then the client
//! goes on.
//!
//! Always true: a secret opens one socket, to one client at a time, and only after the namespace's middleware said yes
//! to that client; sockets whose clients stay away are kept for a configured time and up to a configured number.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::DashMap;
use parking_lot::Mutex;
use serde_json::Value;

use super::config::RecoveryConfig;
use super::hub::sequence_of;
use super::peer::{Outgoing, Peer};
use super::replay_buffer::Sequence;
use super::socket::Socket;
use super::stats::NamespaceStats;
use engineio::SessionHandle;

/// Random bytes in a secret: 168 bits.
const LENGTH: usize = 21;

/// The secret of a socket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pid([u8; LENGTH]);

impl Pid {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    pub(crate) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; LENGTH];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == LENGTH).then_some(Self(bytes))
    }
}

/// What a client presents to get its socket back.
#[derive(Clone, Copy)]
pub(crate) struct Claim {
    pid: Pid,
    last: Option<Sequence>,
}

impl Claim {
    /// Reads it from what a client says of itself. An offset that is no offset makes it no claim.
    pub(crate) fn read(auth: Option<&Value>) -> Option<Self> {
        let auth = auth?;
        let pid = Pid::parse(auth.get("pid")?.as_str()?)?;
        let last = match auth.get("offset") {
            None | Some(Value::Null) => None,
            Some(offset) => Some(sequence_of(offset.as_str()?)?),
        };
        Some(Self { pid, last })
    }
}

/// A socket that a client got back.
pub(crate) struct Recovered {
    pub(crate) peer: Arc<Peer>,
    pub(crate) pid: Pid,
    pub(crate) missed: Vec<Arc<Outgoing>>,
}

/// The sockets of a namespace that can be recovered.
pub(crate) struct Recovery<D> {
    config: RecoveryConfig,
    sockets: DashMap<Pid, Socket<D>>,
    /// What the namespace keeps in all.
    kept: Arc<AtomicUsize>,
    /// Those whose clients are away.
    away: Mutex<Away>,
}

#[derive(Default)]
struct Away {
    /// The longest first. One that came back is not in it, so that it takes nobody's place.
    queue: BTreeSet<(Instant, Pid)>,
    /// Somebody waits for the first of them to expire.
    watched: bool,
}

impl<D> Recovery<D> {
    /// A socket has left for good.
    pub(crate) fn forget(&self, pid: Pid) {
        self.sockets.remove(&pid);
    }

    /// Adds what is kept here.
    pub(crate) fn count(&self, stats: &mut NamespaceStats) {
        let away = self.away.lock();
        stats.away = away.queue.len();
        stats.watchers = usize::from(away.watched);
        drop(away);
        stats.claimable = self.sockets.len();
    }

    /// Whether another connection has got this socket's peer.
    pub(crate) fn is_taken(&self, pid: Pid, socket: &Socket<D>) -> bool {
        self.sockets.get(&pid).is_some_and(|keeper| !keeper.is(socket))
    }
}

impl<D: Send + Sync + 'static> Recovery<D> {
    pub(crate) fn new(config: RecoveryConfig, kept: &Arc<AtomicUsize>) -> Self {
        Self { config, kept: Arc::clone(kept), sockets: DashMap::new(), away: Mutex::default() }
    }

    /// A socket can be claimed from now on.
    pub(crate) fn keep(&self, pid: Pid, socket: Socket<D>) {
        self.sockets.insert(pid, socket);
    }

    /// Hands a socket over, if it is there, its owner is the same, and all that was missed is known.
    pub(crate) async fn claim(
        &self,
        claim: Claim,
        session: &SessionHandle,
        same_owner: impl FnOnce(&D) -> bool,
    ) -> Option<Recovered> {
        let socket = self.sockets.get(&claim.pid).map(|found| found.clone())?;
        if !same_owner(socket.data()) {
            return None;
        }
        let peer = Arc::clone(socket.peer());
        // A handler that does not end is not waited for: the old connection is closed, so it cannot do harm.
        let _ = tokio::time::timeout(self.config.takeover_timeout, peer.detach()).await;
        if let Some(since) = peer.away_since() {
            self.away.lock().queue.remove(&(since, claim.pid));
        }
        let Some(missed) = peer.take_over(session, claim.last) else {
            // Its client begins anew, so nobody will ask for it again, unless somebody was faster and has it.
            if peer.vanish_if_away(|_| true) {
                self.forget(claim.pid);
            }
            return None;
        };
        Some(Recovered { peer, pid: claim.pid, missed })
    }

    /// The client of a socket is away since then. Runs on a worker, which sees to it that the socket expires.
    pub(crate) fn expire_later(self: &Arc<Self>, pid: Pid, since: Instant) {
        let watch = {
            let mut away = self.away.lock();
            away.queue.insert((since, pid));
            !std::mem::replace(&mut away.watched, true)
        };
        while let Some((since, pid)) = self.surplus() {
            self.expire(pid, since);
        }
        if watch {
            actix_rt::spawn(Arc::clone(self).watch());
        }
    }

    /// The one that is away longest, where there are too many or too much is kept.
    fn surplus(&self) -> Option<(Instant, Pid)> {
        let mut away = self.away.lock();
        let too_many = away.queue.len() > self.config.max_sockets;
        let too_much = self.kept.load(Ordering::Relaxed) > self.config.max_total_bytes;
        (too_many || too_much).then(|| away.queue.pop_first()).flatten()
    }

    /// Lets sockets expire until none is away any more.
    async fn watch(self: Arc<Self>) {
        loop {
            let next = {
                let mut away = self.away.lock();
                let next = away.queue.first().copied();
                away.watched = next.is_some();
                next
            };
            let Some((since, pid)) = next else { return };
            tokio::time::sleep_until((since + self.config.max_disconnection).into()).await;
            let mut away = self.away.lock();
            if away.queue.remove(&(since, pid)) {
                drop(away);
                self.expire(pid, since);
            }
        }
    }

    fn expire(&self, pid: Pid, since: Instant) {
        let Some(peer) = self.sockets.get(&pid).map(|socket| Arc::clone(socket.peer())) else {
            return;
        };
        if peer.vanish_if_away(|away| away == since) || peer.is_removed() {
            self.sockets.remove(&pid);
        }
    }
}
