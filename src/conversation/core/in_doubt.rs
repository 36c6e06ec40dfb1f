//! Events that were handed to the journal and of which it is not known whether they are stored: the commit failed, or
//! the machine panicked. They are looked for until something is stored at their position, or for a limited time; a
//! database that was halted finishes what it had begun.

use std::time::{Duration, Instant};

use crate::domain::{Event, EventId};

/// The shortest and the longest pause between two looks.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

#[derive(Debug, Default)]
pub(super) struct InDoubt {
    events: Vec<InDoubtEvent>,
    pause: Option<Duration>,
    is_scheduled: bool,
}

#[derive(Debug)]
struct InDoubtEvent {
    since: Instant,
    id: EventId,
    /// Where it is stored, if it is.
    position: i64,
}

impl InDoubt {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn add(&mut self, events: &[Event], now: Instant) {
        self.events.extend(events.iter().map(|event| InDoubtEvent {
            since: now,
            id: event.id,
            position: event.position,
        }));
        self.pause = None;
    }

    pub(super) fn first_position(&self) -> Option<i64> {
        self.events.iter().map(|event| event.position).min()
    }

    /// Forgets those whose position is taken, by themselves or by something else, and those in doubt for longer than
    /// `limit`.
    pub(super) fn resolve(&mut self, version: i64, limit: Duration, now: Instant) {
        self.events.retain(|event| event.position > version && now.saturating_duration_since(event.since) < limit);
    }

    /// Of loaded events those that are not announced yet, where the watermark is unknown: everything from the first of
    /// ours on. As far as this server knew it created the conversation then, and what precedes ours is announced by
    /// others.
    pub(super) fn since_first_own(&self, mut events: Vec<Event>) -> Vec<Event> {
        let first = events.iter().position(|event| self.events.iter().any(|in_doubt| in_doubt.id == event.id));
        events.split_off(first.unwrap_or(events.len()))
    }

    /// How long to wait before the next look; `None` if it is scheduled already.
    pub(super) fn schedule(&mut self) -> Option<Duration> {
        if self.is_scheduled {
            return None;
        }
        let (shortest, longest) = PAUSE;
        let pause = self.pause.map_or(shortest, |pause| (pause * 2).min(longest));
        self.pause = Some(pause);
        self.is_scheduled = true;
        Some(pause)
    }

    pub(super) fn elapsed(&mut self) {
        self.is_scheduled = false;
    }
}
