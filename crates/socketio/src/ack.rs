//! Acknowledgements that a client owes us: bounded, timed out, and gone with their socket.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::packet::Arguments;

/// Why an acknowledgement did not come.
#[derive(Debug, thiserror::Error)]
pub enum AckError {
    /// Not in time.
    #[error("the acknowledgement did not come in time")]
    Timeout,
    /// The socket has disconnected.
    #[error("the socket has disconnected")]
    Disconnected,
    /// The socket owes too many already.
    #[error("the socket owes too many acknowledgements")]
    TooMany,
    /// The event could not be sent.
    #[error(transparent)]
    Encode(#[from] super::EncodeError),
}

/// The acknowledgements that one socket owes.
#[derive(Debug, Default)]
pub(crate) struct PendingAcks(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    next: u64,
    waiting: BTreeMap<u64, oneshot::Sender<Arguments>>,
}

impl PendingAcks {
    /// An id for an event, and its answer. `None` where `limit` are waiting already.
    pub(crate) fn expect(&self, limit: usize) -> Option<AwaitedAck<'_>> {
        let mut pending = self.0.lock();
        if pending.waiting.len() >= limit {
            return None;
        }
        let id = pending.next;
        pending.next += 1;
        let (sender, answer) = oneshot::channel();
        pending.waiting.insert(id, sender);
        Some(AwaitedAck { acks: self, id, answer })
    }

    /// An answer came. One that nobody waits for is ignored.
    pub(crate) fn resolve(&self, id: u64, arguments: Arguments) {
        if let Some(waiting) = self.0.lock().waiting.remove(&id) {
            // Where nobody waits any more it is ignored as well.
            let _ = waiting.send(arguments);
        }
    }

    /// None of them will come.
    pub(crate) fn fail_all(&self) {
        let waiting = std::mem::take(&mut self.0.lock().waiting);
        drop(waiting);
    }
}

/// An acknowledgement that is waited for. Dropped, it is not any more.
pub(crate) struct AwaitedAck<'a> {
    acks: &'a PendingAcks,
    pub(crate) id: u64,
    answer: oneshot::Receiver<Arguments>,
}

impl AwaitedAck<'_> {
    pub(crate) async fn answer(mut self) -> Result<Arguments, AckError> {
        (&mut self.answer).await.map_err(|_| AckError::Disconnected)
    }
}

impl Drop for AwaitedAck<'_> {
    fn drop(&mut self) {
        self.acks.0.lock().waiting.remove(&self.id);
    }
}
