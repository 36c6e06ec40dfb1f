//! A replay under way: a returning client receives what it missed in portions, the next when it has confirmed the last.
//!
//! The events stay in the [`ReplayBuffer`]; a replay is a position in it, so it needs no memory of its own. What is sent
//! meanwhile follows in order: events are appended to the buffer, other packets wait here.
//!
//! Each portion is followed by a ping, whose pong shows that the client has received the portion. Without portions a ping
//! would wait for the complete backlog, and on a thin line the client would count as dead while it still receives. The
//! window, which limits a portion, adapts to the line.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engineio::SharedPacket;

use crate::config::RecoveryConfig;
use crate::encode::EncodedMessage;
use crate::outbound_event::OutboundEvent;
use crate::replay_buffer::ReplayBuffer;

/// The first window. It passes a line of 400 bytes per second within the default ping timeout.
const FIRST_WINDOW: usize = 8 * 1024;
/// The smallest window. A portion of one event may be larger.
const MIN_WINDOW: usize = 1024;
/// The largest window.
const MAX_WINDOW: usize = 256 * 1024;

/// Limits of a replay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReplayPace {
    /// How long the client has to answer a ping.
    pub(crate) ping_timeout: Duration,
    /// Maximum cost of the events by which a replay may exceed the limits of the replay buffer, and of the packets that
    /// wait for events in front of them.
    pub(crate) max_waiting_cost: usize,
}

/// A replay under way.
#[derive(Debug)]
pub(crate) struct Replay {
    pace: ReplayPace,
    /// Index in the replay buffer of the next event to send.
    next: u64,
    /// Maximum cost of the events that are sent and not confirmed.
    window: usize,
    /// Cost of the events that are sent and not confirmed.
    in_flight: usize,
    /// The unanswered ping, if events were sent before it.
    ping: Option<SentPing>,
    /// Packets that are not in the buffer, each with the index of the event that it precedes.
    waiting: VecDeque<(u64, Box<[SharedPacket]>)>,
    waiting_cost: usize,
}

#[derive(Debug)]
struct SentPing {
    at: Instant,
    /// Cost of the events that its pong confirms.
    confirms: usize,
}

/// What is sent next.
#[derive(Debug)]
pub(crate) enum Step {
    Event(Arc<OutboundEvent>),
    Packets(Box<[SharedPacket]>),
    /// The client has to confirm what it was sent.
    Wait,
    /// Everything is sent.
    Done,
    /// An event that was not sent has been evicted.
    Lost,
}

impl Replay {
    /// A replay of the buffer's events from this index on.
    pub(crate) fn new(start: u64, pace: ReplayPace) -> Self {
        Self {
            pace,
            next: start,
            window: FIRST_WINDOW,
            in_flight: 0,
            ping: None,
            waiting: VecDeque::new(),
            waiting_cost: 0,
        }
    }

    /// Index of the next event to send.
    pub(crate) fn next_index(&self) -> u64 {
        self.next
    }

    /// Whether an event that was not sent has been evicted.
    pub(crate) fn is_lost(&self, buffer: &ReplayBuffer) -> bool {
        self.next < buffer.start()
    }

    /// Appends an event to the replay buffer, after those that are not sent yet.
    pub(crate) fn append_to(&self, buffer: &mut ReplayBuffer, event: Arc<OutboundEvent>, limits: &RecoveryConfig) {
        buffer.push_unsent(event, limits, self.next, self.pace.max_waiting_cost);
    }

    /// Has packets sent after the events that are in the buffer now. Returns `false` if too many wait.
    pub(crate) fn push(&mut self, message: &EncodedMessage, buffer: &ReplayBuffer) -> bool {
        self.waiting_cost += message.cost();
        self.waiting.push_back((buffer.end(), message.packets().cloned().collect()));
        self.waiting_cost <= self.pace.max_waiting_cost
    }

    /// Takes what is sent next.
    pub(crate) fn step(&mut self, buffer: &ReplayBuffer) -> Step {
        loop {
            if let Some((_, packets)) = self.waiting.pop_front_if(|(before, _)| *before <= self.next) {
                self.waiting_cost -= packets.iter().map(SharedPacket::cost).sum::<usize>();
                return Step::Packets(packets);
            }
            if self.is_lost(buffer) {
                return Step::Lost;
            }
            let Some(event) = buffer.get(self.next) else {
                return Step::Done;
            };
            if event.is_replayed() {
                if self.in_flight > 0 && self.in_flight + event.cost > self.window {
                    return Step::Wait;
                }
                self.in_flight += event.cost;
                self.next += 1;
                return Step::Event(Arc::clone(event));
            }
            self.next += 1;
        }
    }

    /// A ping is about to be sent.
    pub(crate) fn ping_sent(&mut self, now: Instant) {
        self.ping = Some(SentPing { at: now, confirms: self.in_flight });
    }

    /// The ping was answered: the client has received the portion, and the time it took gives the next window.
    pub(crate) fn ping_answered(&mut self, now: Instant) {
        let Some(SentPing { at, confirms }) = self.ping.take() else {
            return;
        };
        self.in_flight -= confirms;
        if confirms == 0 {
            return;
        }
        let took = now.saturating_duration_since(at);
        if took > self.pace.ping_timeout / 4 {
            self.window = (self.window / 2).max(MIN_WINDOW);
        } else if took < self.pace.ping_timeout / 8 {
            self.window = (self.window * 2).min(MAX_WINDOW);
        }
    }
}

#[cfg(test)]
mod tests;
