//! Acknowledgements that a client owes the server: bounded in number, timed out, and failed when the socket is removed.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::arguments::Arguments;
use crate::encode::EncodeError;

/// Why [`Socket::emit_with_ack`](crate::Socket::emit_with_ack) has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AckError {
    /// The client did not answer in time.
    #[error("the acknowledgement did not arrive in time")]
    Timeout,
    /// The socket has disconnected.
    #[error("the socket has disconnected")]
    Disconnected,
    /// [`SocketIoConfig::max_pending_acks`](crate::SocketIoConfig::max_pending_acks) is reached.
    #[error("too many acknowledgements are pending for the socket")]
    TooMany,
    /// The event cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// The pending acknowledgements of one socket.
#[derive(Debug, Default)]
pub(crate) struct PendingAcks(Mutex<AckTable>);

#[derive(Debug, Default)]
struct AckTable {
    next_id: u64,
    senders: BTreeMap<u64, oneshot::Sender<Arguments>>,
}

impl PendingAcks {
    /// Allocates an ack id. `None` if `limit` acknowledgements are pending already.
    pub(crate) fn register(&self, limit: usize) -> Option<PendingAck<'_>> {
        let mut table = self.0.lock();
        if table.senders.len() >= limit {
            return None;
        }
        let id = table.next_id;
        table.next_id += 1;
        let (sender, answer) = oneshot::channel();
        table.senders.insert(id, sender);
        Some(PendingAck { acks: self, id, answer })
    }

    /// Completes an acknowledgement. An unknown id is ignored.
    pub(crate) fn resolve(&self, id: u64, arguments: Arguments) {
        if let Some(sender) = self.0.lock().senders.remove(&id) {
            // The receiver may have timed out in the meantime.
            let _ = sender.send(arguments);
        }
    }

    /// Fails every pending acknowledgement.
    pub(crate) fn fail_all(&self) {
        let senders = std::mem::take(&mut self.0.lock().senders);
        // Outside the lock, because dropping a sender runs its receiver's waker.
        drop(senders);
    }
}

/// An acknowledgement that the server waits for. Dropping it removes it from the table.
pub(crate) struct PendingAck<'a> {
    acks: &'a PendingAcks,
    pub(crate) id: u64,
    answer: oneshot::Receiver<Arguments>,
}

impl PendingAck<'_> {
    pub(crate) async fn answer(mut self) -> Result<Arguments, AckError> {
        (&mut self.answer).await.map_err(|_| AckError::Disconnected)
    }
}

impl Drop for PendingAck<'_> {
    fn drop(&mut self) {
        self.acks.0.lock().senders.remove(&self.id);
    }
}
