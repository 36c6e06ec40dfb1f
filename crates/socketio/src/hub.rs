//! What the sockets of a namespace share, without the application's data: peers, rooms, sequence numbers, limits.
//!
//! `hub` and [`peer`](crate::peer) import each other: the hub owns the peers, and a peer reaches the rooms and limits of
//! its namespace through a weak reference to the hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::DashMap;
use engineio::{Delivery, SessionHandle};
use serde::Serialize;

use crate::config::SocketIoConfig;
use crate::encode::{self, Content, EncodeError, EventHead};
use crate::offset::encode_offset;
use crate::outbound_event::OutboundEvent;
use crate::peer::Peer;
use crate::replay::ReplayPace;
use crate::replay_buffer::ReplayBuffer;
use crate::rooms::Rooms;
use crate::stats::NamespaceStats;

/// Random bytes in a socket's public id.
const ID_LENGTH: usize = 15;

/// The shared state of one namespace's sockets.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) name: Arc<str>,
    /// The namespace as packets spell it: empty for `/`, otherwise the name and a comma.
    pub(crate) prefix: String,
    pub(crate) rooms: Rooms<Peer>,
    pub(crate) peers: DashMap<Arc<str>, Arc<Peer>>,
    pub(crate) config: Arc<SocketIoConfig>,
    /// Limits of the replays to returning clients.
    pub(crate) replay_pace: ReplayPace,
    /// Whether any client may join, see [`Namespace::anonymous`](crate::Namespace::anonymous).
    pub(crate) is_anonymous: bool,
    /// The total cost of all live events, each counted once.
    pub(crate) total_cost: Arc<AtomicUsize>,
    next_key: AtomicU64,
    next_sequence: AtomicU64,
}

impl Hub {
    /// `ping_timeout` is the engine's.
    pub(crate) fn new(name: Arc<str>, config: Arc<SocketIoConfig>, ping_timeout: Duration, is_anonymous: bool) -> Self {
        // Sequence numbers start at the clock's microseconds, so that they continue above those of an earlier run and
        // an offset from before a restart is recognised as such.
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let first = u64::try_from(started.as_micros()).unwrap_or(1);
        Self {
            prefix: encode::prefix(&name),
            name,
            rooms: Rooms::default(),
            peers: DashMap::new(),
            replay_pace: ReplayPace { ping_timeout, max_waiting_cost: config.max_held_bytes },
            config,
            is_anonymous,
            total_cost: Arc::default(),
            next_key: AtomicU64::new(0),
            next_sequence: AtomicU64::new(first),
        }
    }

    /// Creates the peer of a new socket.
    pub(crate) fn add_peer(self: &Arc<Self>, session: SessionHandle) -> Arc<Peer> {
        let key = self.next_key.fetch_add(1, Ordering::Relaxed);
        let id: Arc<str> = URL_SAFE_NO_PAD.encode(rand::random::<[u8; ID_LENGTH]>()).into();
        let recovery = self.config.recovery.as_ref();
        let replay_buffer = recovery.map(|_| ReplayBuffer::new(self.next_sequence.load(Ordering::Relaxed)));
        let peer = Arc::new(Peer::new(self, key, Arc::clone(&id), session, replay_buffer));
        self.peers.insert(id, Arc::clone(&peer));
        peer
    }

    /// Encodes an event for all its receivers. In a namespace that recovers, an event that carries its offset follows.
    ///
    /// A volatile event is never replayed and so needs no offset, unless a stock client would take its last argument for
    /// one.
    pub(crate) fn event<T: Serialize + ?Sized>(
        &self,
        name: &str,
        content: &Content<'_, T>,
        id: Option<u64>,
        delivery: Delivery,
    ) -> Result<Arc<OutboundEvent>, EncodeError> {
        let head = EventHead { prefix: &self.prefix, name, id };
        let mut message = encode::event(&head, content)?;
        let has_offset =
            self.config.recovery.is_some() && (delivery == Delivery::Reliable || message.ends_with_string());
        let sequence = has_offset.then(|| self.next_sequence.fetch_add(1, Ordering::Relaxed));
        if let Some(sequence) = sequence {
            message = message.with_offset(&self.prefix, &encode_offset(sequence));
        }
        Ok(Arc::new(OutboundEvent::new(message, sequence, delivery, &self.total_cost)))
    }

    /// The hub's part of the namespace's counts.
    pub(crate) fn stats(&self) -> NamespaceStats {
        NamespaceStats {
            sockets: self.peers.len(),
            rooms: self.rooms.len(),
            replay_bytes: self.total_cost.load(Ordering::Relaxed),
            ..NamespaceStats::default()
        }
    }

    /// The number of connected sockets.
    pub(crate) fn connected_count(&self) -> usize {
        self.peers.iter().filter(|peer| peer.is_joined()).count()
    }
}
