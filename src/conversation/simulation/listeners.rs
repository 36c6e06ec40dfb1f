//! The listeners of a simulated run: clients that join the conversation, are cut and return.

use switchboard_loadtest::history::{self, Message, Notice};

use super::world::{Happening, World};
use crate::conversation::core::{Backlog, CommandError, Input, SubscriberId};
use crate::domain::{Change, Event, Posted};

pub(super) struct Listener {
    pub(super) record: history::Listener,
    /// `None` for the customer.
    pub(super) agent: Option<usize>,
    /// Position of the last message that it was shown.
    pub(super) last: i64,
    pub(super) link: Link,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// It is not there, and does not want to be.
    Absent,
    /// It will return.
    Returning,
    /// It waits to be attached on this server.
    Waiting(usize, SubscriberId),
    /// It is attached on this server.
    Attached(usize),
}

impl World {
    /// A listener joins at a server, after it has left where it was.
    pub(super) fn subscribe(&mut self, listener: usize, server: Option<usize>) {
        if server.is_none() && self.clients.listeners[listener].link != Link::Returning {
            return;
        }
        self.disconnect(listener);
        let server = match server {
            Some(server) => server,
            None => usize::try_from(self.number(0, self.servers.len() as u64)).expect("a server"),
        };
        let server = self.next_up(server);
        if self.database.version() == 0 {
            // There is no conversation yet.
            self.return_later(listener);
            return;
        }
        self.clients.subscribers += 1;
        let subscriber = SubscriberId(self.clients.subscribers);
        self.clients.listeners[listener].link = Link::Waiting(server, subscriber);
        let (record, now) = (self.clients.listeners[listener].record, self.elapsed());
        self.clients.history.begin_join(record, now);
        self.note(|| format!("listener {listener} joins server {server} as subscriber {}", subscriber.0));
        let version = self.database.version();
        self.deliver(server, Input::Subscribe { subscriber, version });
    }

    fn return_later(&mut self, listener: usize) {
        self.clients.listeners[listener].link = Link::Returning;
        let pause = self.number(1_000, 30_000);
        self.later(pause, Happening::Return(listener));
    }

    pub(super) fn disconnect(&mut self, listener: usize) {
        if matches!(self.clients.listeners[listener].link, Link::Waiting(..) | Link::Attached(_)) {
            let (record, now) = (self.clients.listeners[listener].record, self.elapsed());
            self.clients.history.end_session(record, now);
        }
        self.clients.listeners[listener].link = Link::Absent;
    }

    /// Disconnects every listener of a server; they return.
    pub(super) fn cut_listeners(&mut self, server: usize) {
        for listener in 0..self.clients.listeners.len() {
            let is_here = match self.clients.listeners[listener].link {
                Link::Waiting(at, _) | Link::Attached(at) => at == server,
                Link::Absent | Link::Returning => false,
            };
            if is_here {
                self.disconnect(listener);
                self.return_later(listener);
            }
        }
    }

    pub(super) fn has_listeners(&self, server: usize) -> bool {
        self.clients.listeners.iter().any(|listener| match listener.link {
            Link::Waiting(at, _) | Link::Attached(at) => at == server,
            Link::Absent | Link::Returning => false,
        })
    }

    /// What a subscriber has missed.
    pub(super) fn missed_messages(&self, subscriber: SubscriberId) -> Vec<Posted> {
        let waits = |listener: &&Listener| matches!(listener.link, Link::Waiting(_, waiting) if waiting == subscriber);
        let last = self.clients.listeners.iter().find(waits).map_or(i64::MAX, |listener| listener.last);
        self.database.messages_after(last)
    }

    pub(super) fn subscribed(
        &mut self,
        server: usize,
        subscriber: SubscriberId,
        backlog: Result<Backlog, CommandError>,
    ) {
        let waits = |listener: &Listener| listener.link == Link::Waiting(server, subscriber);
        // One that is gone is not attached.
        let Some(listener) = self.clients.listeners.iter().position(waits) else { return };
        match backlog {
            Ok(backlog) => {
                self.clients.listeners[listener].link = Link::Attached(server);
                for posted in backlog.messages {
                    self.show_message(listener, &posted);
                }
                let (record, now) = (self.clients.listeners[listener].record, self.elapsed());
                self.clients.history.complete_join(record, now);
            }
            Err(_) => {
                self.disconnect(listener);
                self.return_later(listener);
            }
        }
    }

    /// Shows an event to every listener that is attached on a server.
    pub(super) fn show(&mut self, server: usize, event: &Event) {
        for listener in 0..self.clients.listeners.len() {
            if self.clients.listeners[listener].link != Link::Attached(server) {
                continue;
            }
            if let Some(posted) = event.posted() {
                self.show_message(listener, &posted);
            }
            let notice = match &event.change {
                Change::Claimed(by) | Change::TakenOver { by, .. } => {
                    self.clients.history.find_person(by.id.as_str()).map(Notice::Claimed)
                }
                Change::Closed { .. } => Some(Notice::Closed),
                _ => None,
            };
            if let Some(notice) = notice {
                let (record, now) = (self.clients.listeners[listener].record, self.elapsed());
                self.clients.history.record_notice(record, notice, now);
            }
        }
    }

    fn show_message(&mut self, listener: usize, posted: &Posted) {
        let now = self.elapsed();
        let Listener { record, agent, last, .. } = &mut self.clients.listeners[listener];
        *last = posted.position.max(*last);
        let message = message_of(posted);
        match posted.message.seq {
            Some(seq) => self.clients.history.record_shown(*record, seq, message, now),
            None if agent.is_some() => self.clients.history.record_notice(*record, Notice::Note(message), now),
            None => {}
        }
    }
}

/// Which call wrote a message: its text names it.
pub(super) fn message_of(posted: &Posted) -> Message {
    let number = posted.message.text.as_str().strip_prefix("call ").and_then(|number| number.parse().ok());
    number.map_or(Message::Foreign(0), |number| Message::Of(history::Call(number)))
}
