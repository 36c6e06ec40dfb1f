//! What a socket was sent and may not have arrived, so that a client that comes back misses nothing.
//!
//! A stock client keeps the last argument of the last event that it got and presents it when it comes back. What it was
//! sent after that event stands here. A pong proves that everything before its ping arrived: that much is forgotten, so
//! that a quiet socket keeps nothing.
//!
//! Always true: entries stand in the order in which they were sent; what is kept is bounded in packets and bytes; the
//! answer is all that is missing, or that it cannot be known.

use std::collections::VecDeque;
use std::sync::Arc;

use super::config::RecoveryConfig;
use super::peer::Outgoing;
use engineio::Delivery;

/// An event's number in its namespace; also its offset.
pub(crate) type Sequence = u64;

/// See the module.
#[derive(Debug)]
pub(crate) struct History {
    entries: VecDeque<Arc<Outgoing>>,
    bytes: usize,
    /// The last event that is not kept any more.
    floor: Option<Sequence>,
    /// The number that was to be given next when the socket came.
    born: Sequence,
    /// How many of the entries were sent before the ping that is not answered yet.
    pinged: usize,
}

impl History {
    /// Of a socket that came when `born` was the number to be given next.
    pub(crate) fn new(born: Sequence) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, floor: None, born, pinged: 0 }
    }

    /// An event is sent. A volatile one is only kept as a place to go on from.
    pub(crate) fn push(&mut self, event: Arc<Outgoing>, limits: &RecoveryConfig) {
        self.bytes += event.cost;
        self.entries.push_back(event);
        while self.entries.len() > limits.max_packets || self.bytes > limits.max_bytes {
            self.forget();
        }
    }

    /// A ping is about to be sent.
    pub(crate) fn ping_sent(&mut self) {
        self.pinged = self.entries.len();
    }

    /// The ping was answered: what was sent before has arrived.
    pub(crate) fn ping_answered(&mut self) {
        for _ in 0..self.pinged {
            self.forget();
        }
        self.entries.shrink_to(self.entries.len().max(8) * 2);
    }

    /// Nothing is kept of what was sent until now.
    pub(crate) fn forget_all(&mut self) {
        while !self.entries.is_empty() {
            self.forget();
        }
        self.entries = VecDeque::new();
    }

    fn forget(&mut self) {
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(entry.cost);
        self.floor = entry.sequence;
        self.pinged = self.pinged.saturating_sub(1);
    }

    /// What a client misses whose last event was `last`, or `None` where that is not known any more. A client that
    /// presents an event from before this socket, or none, has got none of it; but an event may have got its number
    /// just before the socket came and have reached it all the same, so that what was sent is looked through first.
    pub(crate) fn since(&mut self, last: Option<Sequence>) -> Option<Vec<Arc<Outgoing>>> {
        self.pinged = 0;
        let sent = last.and_then(|last| self.entries.iter().rposition(|entry| entry.sequence == Some(last)));
        let start = match (sent, self.floor) {
            (Some(place), _) => place + 1,
            (None, Some(_)) if last == self.floor => 0,
            (None, None) if last.is_none_or(|last| last < self.born) => 0,
            (None, _) => return None,
        };
        Some(self.entries.iter().skip(start).filter(|entry| entry.delivery == Delivery::Reliable).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engineio::SharedPacket;

    fn event(sequence: u64, delivery: Delivery) -> Arc<Outgoing> {
        let message = SharedPacket::text(&sequence.to_string()).into();
        Arc::new(Outgoing::new(message, Some(sequence), delivery, &Arc::default()))
    }

    fn history(events: impl IntoIterator<Item = u64>, limits: &RecoveryConfig) -> History {
        let mut history = History::new(10);
        for sequence in events {
            history.push(event(sequence, Delivery::Reliable), limits);
        }
        history
    }

    fn missed(history: &mut History, last: Option<u64>) -> Option<Vec<String>> {
        let missed = history.since(last)?;
        let texts = missed.iter().map(|event| {
            let data = |packet: &SharedPacket| String::from_utf8_lossy(packet.data()).into_owned();
            event.message.packets().map(data).collect()
        });
        Some(texts.collect())
    }

    fn some(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn what_came_after_the_last_event_is_missed() {
        // Two threads may send in another order than that of their numbers.
        let mut history = history([11, 13, 12, 14], &RecoveryConfig::default());
        assert_eq!(missed(&mut history, Some(13)), some(&["12", "14"]));
        assert_eq!(missed(&mut history, Some(14)), some(&[]));
        assert_eq!(missed(&mut history, None), some(&["11", "13", "12", "14"]));
        assert_eq!(missed(&mut history, Some(3)), missed(&mut history, None));
        assert_eq!(missed(&mut history, Some(99)), None);
    }

    #[test]
    fn an_event_that_got_its_number_before_the_socket_came_is_not_sent_twice() {
        let mut history = history([9, 11], &RecoveryConfig::default());
        assert_eq!(missed(&mut history, Some(9)), some(&["11"]));
        assert_eq!(missed(&mut history, Some(8)), some(&["9", "11"]));
        history.forget();
        assert_eq!(missed(&mut history, Some(9)), some(&["11"]));
        assert_eq!(missed(&mut history, Some(8)), None);
    }

    #[test]
    fn what_is_forgotten_cannot_be_promised() {
        let limits = RecoveryConfig { max_packets: 2, ..RecoveryConfig::default() };
        let mut history = history([11, 12, 13, 14], &limits);
        assert_eq!(missed(&mut history, None), None);
        assert_eq!(missed(&mut history, Some(11)), None);
        assert_eq!(missed(&mut history, Some(12)), some(&["13", "14"]));
    }

    #[test]
    fn a_pong_confirms_what_was_sent_before_its_ping() {
        let limits = RecoveryConfig::default();
        let mut history = history([11, 12], &limits);
        history.ping_sent();
        history.push(event(13, Delivery::Reliable), &limits);
        history.ping_answered();
        history.ping_answered();
        assert_eq!(missed(&mut history, Some(12)), some(&["13"]));
        assert_eq!(missed(&mut history, Some(11)), None);
    }

    #[test]
    fn volatile_events_are_places_only() {
        let limits = RecoveryConfig::default();
        let mut history = history([11], &limits);
        history.push(event(12, Delivery::Volatile), &limits);
        history.push(event(13, Delivery::Reliable), &limits);
        assert_eq!(missed(&mut history, Some(11)), some(&["13"]));
        assert_eq!(missed(&mut history, Some(12)), some(&["13"]));
    }
}
