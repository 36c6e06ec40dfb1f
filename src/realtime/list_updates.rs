//! Announces what lists of other screens show, at most once a second for each of their rows (`additions.md`, 7).
//!
//! The customer's devices hear `inbox_updated`, all agents `queue_updated`. Both say only that something has changed, so
//! announcing less often loses nothing as long as the last change is announced: [`Coalescer`].

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::sync::Notify;

use super::coalescer::Coalescer;
use super::emit::EmitEvent;
use super::list_update::{InboxUpdatedEvent, QueueUpdatedEvent, RowUpdate};
use super::payload::ConversationOrTicket;
use super::rooms;
use crate::domain::UserId;
use socketio::NamespaceHandle;

/// One announcement for each row in so much time.
const INTERVAL: Duration = Duration::from_secs(1);

/// The customer is a part of the key: the account that owns a conversation can change.
type Inboxes = Coalescer<(UserId, InboxUpdatedEvent), ()>;
type Queues = Coalescer<ConversationOrTicket, RowUpdate>;

/// See the module.
#[derive(Debug)]
pub(super) struct ListUpdates {
    support: NamespaceHandle,
    /// How long a handover waits for an answer; `None` for ever.
    pub(super) handover_expiry: Option<TimeDelta>,
    /// Locked while announcing, so that what is announced later is newer.
    inboxes: Mutex<Inboxes>,
    queues: Mutex<Queues>,
    /// An interval has begun, or this is dropped.
    changed: Arc<Notify>,
}

impl ListUpdates {
    /// Starts announcing on `/support`. At most `limit` conversations are held; those of a server that has more running
    /// are announced with each change.
    pub(super) fn start(support: NamespaceHandle, limit: usize, handover_expiry: Option<TimeDelta>) -> Arc<Self> {
        let changed = Arc::new(Notify::new());
        let updates = Arc::new(Self {
            support,
            handover_expiry,
            inboxes: Mutex::new(Coalescer::new(INTERVAL, limit)),
            queues: Mutex::new(Coalescer::new(INTERVAL, limit)),
            changed: Arc::clone(&changed),
        });
        actix_rt::spawn(announce_pending(Arc::downgrade(&updates), changed));
        updates
    }

    /// Announces to the customer's devices.
    pub(super) fn inbox(&self, customer: &UserId, event: InboxUpdatedEvent) {
        let mut inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = inboxes.next_end().is_none();
        if inboxes.offer((customer.clone(), event), (), Instant::now()).is_some() {
            self.emit_to_customer(customer, &event);
        }
        drop(inboxes);
        if is_first {
            self.changed.notify_one();
        }
    }

    /// Announces to all agents.
    pub(super) fn queue(&self, place: ConversationOrTicket, update: RowUpdate) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = queues.next_end().is_none();
        if let Some(update) = queues.offer(place, update, Instant::now()) {
            self.emit_to_agents(place, update);
        }
        drop(queues);
        if is_first {
            self.changed.notify_one();
        }
    }

    /// Announces whose time has come; gives the time of the next.
    fn announce_due(&self, now: Instant) -> Option<Instant> {
        let mut inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(((customer, event), ())) = inboxes.take_due(now) {
            self.emit_to_customer(&customer, &event);
        }
        let inbox_end = inboxes.next_end();
        drop(inboxes);
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((place, update)) = queues.take_due(now) {
            self.emit_to_agents(place, update);
        }
        inbox_end.into_iter().chain(queues.next_end()).min()
    }

    fn emit_to_customer(&self, customer: &UserId, event: &InboxUpdatedEvent) {
        self.support.to(&rooms::of_user(customer)).emit_event(event);
    }

    fn emit_to_agents(&self, place: ConversationOrTicket, update: RowUpdate) {
        self.support.to(rooms::ADMINS).emit_event(&QueueUpdatedEvent { place, update });
    }
}

impl Drop for ListUpdates {
    fn drop(&mut self) {
        self.changed.notify_one();
    }
}

/// Announces what waits for the end of its interval, until the owner is dropped.
async fn announce_pending(updates: Weak<ListUpdates>, changed: Arc<Notify>) {
    while let Some(next) = updates.upgrade().map(|updates| updates.announce_due(Instant::now())) {
        match next {
            Some(end) => tokio::time::sleep_until(end.into()).await,
            None => changed.notified().await,
        }
    }
}
