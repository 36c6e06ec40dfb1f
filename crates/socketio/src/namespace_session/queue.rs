//! The events of one namespace session that wait for their handlers.

use std::collections::VecDeque;

use crate::packet::Payload;

/// An event that waits for its handler.
pub(crate) struct IncomingEvent {
    /// Name and arguments, as received.
    pub(crate) payload: Payload,
    /// Set if the client waits for an acknowledgement.
    pub(crate) ack_id: Option<u64>,
    /// In bytes, attachments included, as received.
    pub(crate) length: usize,
    /// A bound for the memory that its arguments will take, in bytes.
    pub(crate) parsed_bytes: usize,
    /// The event exceeds the rate limit: `on_rate_limited` runs instead of the event's handler.
    pub(crate) is_rate_limited: bool,
}

/// How much is in a queue, or in several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct QueueDepth {
    pub(crate) events: usize,
    /// The sum of the events' lengths.
    pub(crate) bytes: usize,
}

impl std::iter::Sum for QueueDepth {
    fn sum<I: Iterator<Item = Self>>(depths: I) -> Self {
        depths.fold(Self::default(), |sum, depth| Self {
            events: sum.events + depth.events,
            bytes: sum.bytes + depth.bytes,
        })
    }
}

/// A queue of events. Not bounded itself: the connection stops reading while its queues are full.
#[derive(Default)]
pub(super) struct EventQueue {
    events: VecDeque<IncomingEvent>,
    bytes: usize,
    /// The largest `parsed_bytes` since the queue was empty.
    largest_parsed: usize,
}

impl EventQueue {
    pub(super) fn push(&mut self, event: IncomingEvent) {
        self.bytes += event.length;
        self.largest_parsed = self.largest_parsed.max(event.parsed_bytes);
        self.events.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<IncomingEvent> {
        let event = self.events.pop_front()?;
        self.bytes -= event.length;
        if self.events.is_empty() {
            self.largest_parsed = 0;
        }
        Some(event)
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
        self.largest_parsed = 0;
    }

    /// In bytes.
    pub(super) fn largest_parsed(&self) -> usize {
        self.largest_parsed
    }

    pub(super) fn depth(&self) -> QueueDepth {
        QueueDepth { events: self.events.len(), bytes: self.bytes }
    }
}
