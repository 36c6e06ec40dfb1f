//! The events that a socket was sent and that may not have arrived, for replay when its client returns.
//!
//! A stock client keeps the last offset it received and presents it when it reconnects. The buffer holds what was sent
//! after the event of that offset. A pong proves that everything sent before its ping arrived, so those events
//! are evicted and the buffer of a quiet socket is empty.
//!
//! An entry's index counts all events of the socket, so that it does not change when older ones are evicted.
//!
//! Invariants: entries are in sending order; their number and size are bounded; a replay is complete, or refused.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::RecoveryConfig;
use crate::offset::Sequence;
use crate::outbound_event::OutboundEvent;

/// The replay buffer of one socket.
#[derive(Debug)]
pub(crate) struct ReplayBuffer {
    entries: VecDeque<Arc<OutboundEvent>>,
    bytes: usize,
    /// The number of evicted events: the index of the first entry.
    evicted: u64,
    /// The last evicted event.
    last_evicted: Option<Sequence>,
    /// The namespace's next sequence number when the socket was created.
    first_sequence: Sequence,
    /// The number of entries that were sent before the unanswered ping.
    sent_before_ping: usize,
}

impl ReplayBuffer {
    /// The buffer of a new socket; `next_sequence` is the namespace's next sequence number.
    pub(crate) fn new(next_sequence: Sequence) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            evicted: 0,
            last_evicted: None,
            first_sequence: next_sequence,
            sent_before_ping: 0,
        }
    }

    /// Appends an event and evicts the oldest ones above the limits. A volatile event that has an offset is
    /// appended too, because that may be the client's last one, but it is never replayed.
    pub(crate) fn push(&mut self, event: Arc<OutboundEvent>, limits: &RecoveryConfig) {
        self.append(event);
        while self.exceeds(limits) {
            self.evict_oldest();
        }
    }

    /// Appends an event during a replay: entries from index `unsent` on are not sent yet. They may exceed the limits, which
    /// the backlog alone may reach, by `slack` bytes; above it the oldest is evicted although it was not sent.
    pub(crate) fn push_unsent(
        &mut self,
        event: Arc<OutboundEvent>,
        limits: &RecoveryConfig,
        unsent: u64,
        slack: usize,
    ) {
        self.append(event);
        while self.exceeds(limits) && (self.start() < unsent || self.bytes > limits.max_bytes + slack) {
            self.evict_oldest();
        }
    }

    fn append(&mut self, event: Arc<OutboundEvent>) {
        self.bytes += event.cost;
        self.entries.push_back(event);
    }

    fn exceeds(&self, limits: &RecoveryConfig) -> bool {
        self.entries.len() > limits.max_packets || self.bytes > limits.max_bytes
    }

    /// Index of the first entry.
    pub(crate) fn start(&self) -> u64 {
        self.evicted
    }

    /// Index after the last entry.
    pub(crate) fn end(&self) -> u64 {
        self.evicted + self.entries.len() as u64
    }

    /// The entry with this index, unless it is evicted.
    pub(crate) fn get(&self, index: u64) -> Option<&Arc<OutboundEvent>> {
        self.entries.get(usize::try_from(index.checked_sub(self.evicted)?).ok()?)
    }

    /// A ping is about to be sent; the entries from index `unsent` on are not sent yet.
    pub(crate) fn ping_sent(&mut self, unsent: u64) {
        let sent = usize::try_from(unsent.saturating_sub(self.evicted)).unwrap_or(usize::MAX);
        self.sent_before_ping = self.entries.len().min(sent);
    }

    /// The ping was answered: evicts what was sent before it.
    pub(crate) fn ping_answered(&mut self) {
        for _ in 0..self.sent_before_ping {
            self.evict_oldest();
        }
        self.entries.shrink_to(self.entries.len().max(8) * 2);
    }

    /// Evicts everything.
    pub(crate) fn clear(&mut self) {
        while !self.entries.is_empty() {
            self.evict_oldest();
        }
        self.entries = VecDeque::new();
    }

    fn evict_oldest(&mut self) {
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(entry.cost);
        self.evicted += 1;
        self.last_evicted = entry.sequence;
        self.sent_before_ping = self.sent_before_ping.saturating_sub(1);
    }

    /// The index of the first event that a client whose last event was `last` has missed, or `None` if not all that it
    /// missed are known.
    ///
    /// A client without an offset, or with one from before this socket, has received nothing. The entries are searched
    /// first, because an event may have got its number just before the socket was created and still have been sent to
    /// it.
    pub(crate) fn index_after(&mut self, last: Option<Sequence>) -> Option<u64> {
        self.sent_before_ping = 0;
        let position = last.and_then(|last| self.entries.iter().rposition(|entry| entry.sequence == Some(last)));
        let start = match (position, self.last_evicted) {
            (Some(position), _) => position + 1,
            (None, Some(_)) if last == self.last_evicted => 0,
            (None, None) if last.is_none_or(|last| last < self.first_sequence) => 0,
            (None, _) => return None,
        };
        Some(self.evicted + start as u64)
    }
}

#[cfg(test)]
mod tests {
    use engineio::{Delivery, SharedPacket};

    use super::*;

    fn event(sequence: u64, delivery: Delivery) -> Arc<OutboundEvent> {
        let message = SharedPacket::text(&sequence.to_string()).into();
        Arc::new(OutboundEvent::new(message, Some(sequence), delivery, &Arc::default()))
    }

    /// The buffer of a socket that was created when 10 was the next sequence number.
    fn buffer(events: impl IntoIterator<Item = u64>, limits: &RecoveryConfig) -> ReplayBuffer {
        let mut buffer = ReplayBuffer::new(10);
        for sequence in events {
            buffer.push(event(sequence, Delivery::Reliable), limits);
        }
        buffer
    }

    fn replay(buffer: &mut ReplayBuffer, last: Option<u64>) -> Option<Vec<String>> {
        let missed = buffer.index_after(last)?..buffer.end();
        let events = missed.filter_map(|index| buffer.get(index)).filter(|event| event.is_replayed());
        let texts = events.map(|event| {
            let data = |packet: &SharedPacket| String::from_utf8_lossy(packet.data()).into_owned();
            event.message.packets().map(data).collect()
        });
        Some(texts.collect())
    }

    fn some(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn events_after_the_last_received_one_are_replayed() {
        // Two threads may send in a different order than that of their numbers.
        let mut buffer = buffer([11, 13, 12, 14], &RecoveryConfig::default());
        assert_eq!(replay(&mut buffer, Some(13)), some(&["12", "14"]));
        assert_eq!(replay(&mut buffer, Some(14)), some(&[]));
        assert_eq!(replay(&mut buffer, None), some(&["11", "13", "12", "14"]));
        assert_eq!(replay(&mut buffer, Some(3)), replay(&mut buffer, None));
        assert_eq!(replay(&mut buffer, Some(99)), None);
    }

    #[test]
    fn an_event_numbered_before_the_socket_was_created_is_not_sent_twice() {
        let mut buffer = buffer([9, 11], &RecoveryConfig::default());
        assert_eq!(replay(&mut buffer, Some(9)), some(&["11"]));
        assert_eq!(replay(&mut buffer, Some(8)), some(&["9", "11"]));
        buffer.evict_oldest();
        assert_eq!(replay(&mut buffer, Some(9)), some(&["11"]));
        assert_eq!(replay(&mut buffer, Some(8)), None);
    }

    #[test]
    fn a_replay_that_needs_an_evicted_event_is_refused() {
        let limits = RecoveryConfig { max_packets: 2, ..RecoveryConfig::default() };
        let mut buffer = buffer([11, 12, 13, 14], &limits);
        assert_eq!(replay(&mut buffer, None), None);
        assert_eq!(replay(&mut buffer, Some(11)), None);
        assert_eq!(replay(&mut buffer, Some(12)), some(&["13", "14"]));
    }

    #[test]
    fn a_pong_evicts_what_was_sent_before_its_ping() {
        let limits = RecoveryConfig::default();
        let mut buffer = buffer([11, 12], &limits);
        buffer.ping_sent(u64::MAX);
        buffer.push(event(13, Delivery::Reliable), &limits);
        buffer.ping_answered();
        buffer.ping_answered();
        assert_eq!(replay(&mut buffer, Some(12)), some(&["13"]));
        assert_eq!(replay(&mut buffer, Some(11)), None);
    }

    #[test]
    fn volatile_events_are_valid_offsets_but_are_not_replayed() {
        let limits = RecoveryConfig::default();
        let mut buffer = buffer([11], &limits);
        buffer.push(event(12, Delivery::Volatile), &limits);
        buffer.push(event(13, Delivery::Reliable), &limits);
        assert_eq!(replay(&mut buffer, Some(11)), some(&["13"]));
        assert_eq!(replay(&mut buffer, Some(12)), some(&["13"]));
    }
}
