//! Events in doubt: they were handed to the journal, but the commit failed or the machine panicked, so it is unknown
//! whether they are stored. The machine reloads until an event is stored at their position, or for a limited time: a
//! database that stalled may still complete the commit.

use std::time::{Duration, Instant};

use crate::domain::{Event, EventId};

/// The shortest and the longest pause between two reloads.
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
    /// The position at which it is stored, if it is stored.
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

    /// Forgets events whose position is taken, by themselves or by others, and those in doubt for longer than `limit`.
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

    /// The pause before the next reload; `None` if it is scheduled already.
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
