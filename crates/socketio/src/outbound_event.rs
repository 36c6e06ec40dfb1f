//! An event on its way to clients: encoded once, shared by all sockets that receive it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engineio::Delivery;

use crate::encode::EncodedMessage;
use crate::offset::Sequence;

/// An encoded event, shared by all its receivers.
#[derive(Debug)]
pub(crate) struct OutboundEvent {
    pub(crate) message: EncodedMessage,
    /// Its position; `None` if it is sent without an offset.
    pub(crate) sequence: Option<Sequence>,
    pub(crate) delivery: Delivery,
    /// Its cost in a queue: bytes, plus 64 for each packet.
    pub(crate) cost: usize,
    /// The total cost of the namespace's live events.
    total_cost: Arc<AtomicUsize>,
}

impl OutboundEvent {
    /// The event counts in `total_cost` until it is dropped.
    pub(crate) fn new(
        message: EncodedMessage,
        sequence: Option<Sequence>,
        delivery: Delivery,
        total_cost: &Arc<AtomicUsize>,
    ) -> Self {
        let cost = message.cost();
        total_cost.fetch_add(cost, Ordering::Relaxed);
        Self { cost, message, sequence, delivery, total_cost: Arc::clone(total_cost) }
    }

    /// Whether a client that missed the event is sent it when it returns.
    pub(crate) fn is_replayed(&self) -> bool {
        self.delivery == Delivery::Reliable
    }
}

impl Drop for OutboundEvent {
    fn drop(&mut self) {
        self.total_cost.fetch_sub(self.cost, Ordering::Relaxed);
    }
}
