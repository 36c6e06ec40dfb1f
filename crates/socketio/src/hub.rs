//! What all sockets of a namespace share, without the application's data: names, rooms, numbers, limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::DashMap;
use serde::Serialize;

use super::config::SocketIoConfig;
use super::encode::{self, Content, EncodeError, EventHead};
use super::peer::{Outgoing, Peer};
use super::replay_buffer::{History, Sequence};
use super::rooms::Rooms;
use super::stats::NamespaceStats;
use engineio::{Delivery, SessionHandle};

/// Random bytes in the public id of a socket.
const ID_LENGTH: usize = 15;

/// See the module.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) name: Arc<str>,
    /// The namespace as it stands in packets.
    pub(crate) prefix: String,
    pub(crate) rooms: Rooms,
    pub(crate) peers: DashMap<Arc<str>, Arc<Peer>>,
    pub(crate) limits: Arc<SocketIoConfig>,
    /// What all events cost that anybody still keeps, each counted once.
    pub(crate) kept: Arc<AtomicUsize>,
    next_key: AtomicU64,
    next_sequence: AtomicU64,
}

impl Hub {
    pub(crate) fn new(name: Arc<str>, limits: Arc<SocketIoConfig>) -> Self {
        // Numbers go on above those of an earlier run, so that an offset from before a restart is known for what it is.
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let first = u64::try_from(started.as_micros()).unwrap_or(1);
        Self {
            prefix: encode::prefix(&name),
            name,
            rooms: Rooms::default(),
            peers: DashMap::new(),
            limits,
            kept: Arc::default(),
            next_key: AtomicU64::new(0),
            next_sequence: AtomicU64::new(first),
        }
    }

    /// A new socket of a session.
    pub(crate) fn add_peer(self: &Arc<Self>, session: SessionHandle) -> Arc<Peer> {
        let key = self.next_key.fetch_add(1, Ordering::Relaxed);
        let id: Arc<str> = URL_SAFE_NO_PAD.encode(rand::random::<[u8; ID_LENGTH]>()).into();
        let history = self.limits.recovery.as_ref().map(|_| History::new(self.next_sequence.load(Ordering::Relaxed)));
        let peer = Arc::new(Peer::new(self, key, Arc::clone(&id), session, history));
        self.peers.insert(id, Arc::clone(&peer));
        peer
    }

    /// Encodes an event for everyone. Where the namespace recovers it ends with its number.
    pub(crate) fn event<T: Serialize + ?Sized>(
        &self,
        name: &str,
        content: &Content<'_, T>,
        id: Option<u64>,
        delivery: Delivery,
    ) -> Result<Arc<Outgoing>, EncodeError> {
        let sequence = self.limits.recovery.as_ref().map(|_| self.next_sequence.fetch_add(1, Ordering::Relaxed));
        let offset = sequence.map(offset_of);
        let head = EventHead { prefix: &self.prefix, name, id, offset: offset.as_deref() };
        let message = encode::event(&head, content)?;
        Ok(Arc::new(Outgoing::new(message, sequence, delivery, &self.kept)))
    }

    /// What is kept here.
    pub(crate) fn stats(&self) -> NamespaceStats {
        NamespaceStats {
            sockets: self.peers.len(),
            rooms: self.rooms.len(),
            kept_bytes: self.kept.load(Ordering::Relaxed),
            ..NamespaceStats::default()
        }
    }

    /// Sockets that are connected.
    pub(crate) fn connected(&self) -> usize {
        self.peers.iter().filter(|peer| peer.is_joined()).count()
    }
}

/// An event's number as clients keep it.
fn offset_of(sequence: Sequence) -> String {
    URL_SAFE_NO_PAD.encode(sequence.to_be_bytes())
}

/// An event's number from what a client kept. `None` for what is no number of ours.
pub(crate) fn sequence_of(offset: &str) -> Option<Sequence> {
    let mut bytes = [0; size_of::<Sequence>()];
    let length = URL_SAFE_NO_PAD.decode_slice(offset, &mut bytes).ok()?;
    (length == bytes.len()).then(|| Sequence::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_as_it_was_written() {
        for sequence in [0, 1, u64::MAX] {
            assert_eq!(sequence_of(&offset_of(sequence)), Some(sequence));
        }
        for text in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "§"] {
            assert_eq!(sequence_of(text), None);
        }
    }
}
