//! Chooses what goes into one transaction. Pure: it orders waiting appends and reads no database.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use super::Append;
use crate::domain::{Change, Conversation, ConversationId, Event, IdempotencyKey};

/// One conversation's appends in a transaction, consecutive and of one epoch.
pub(super) struct ConversationBatch {
    pub(super) appends: Vec<Append>,
}

impl ConversationBatch {
    /// The fence: the version that must be stored for this to commit.
    pub(super) fn expected_version(&self) -> i64 {
        self.appends.first().map_or(0, |append| append.expected_version)
    }

    /// The conversation's state after the last append.
    pub(super) fn state(&self) -> Option<&Arc<Conversation>> {
        self.appends.last().map(|append| &append.state)
    }

    /// All events in order.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.appends.iter().flat_map(|append| append.events.iter())
    }

    /// The idempotency keys of its messages.
    pub(super) fn idempotency_keys(&self) -> impl Iterator<Item = IdempotencyKey> {
        self.events().filter_map(idempotency_key)
    }

    /// Whether it writes no table but `conversations`, `messages` and `conversation_events`, no shared counter, and not the
    /// column that only ratings and reopenings change.
    pub(super) fn is_plain(&self) -> bool {
        let has_ticket = self.state().is_some_and(|state| state.ticket.is_some());
        self.events().all(|event| match &event.change {
            Change::Created(_) => true,
            // The ticket of a conversation has its assignee.
            Change::Claimed(_) | Change::Released(_) | Change::TakenOver { .. } | Change::Assigned { .. } => {
                !has_ticket
            }
            // A message that the customer sees changes the ticket's times.
            Change::Message(message) => message.is_note() || !has_ticket,
            Change::Closed { .. }
            | Change::Reopened(_)
            | Change::ReopenedByAgent(_)
            | Change::MovedToAccount(_)
            | Change::Rated(_)
            | Change::HandoverRequested { .. }
            | Change::HandoverResolved { .. }
            | Change::TicketCreated(_)
            | Change::TicketStatusChanged(_)
            | Change::TicketAssigned { .. }
            | Change::TicketPrioritised { .. }
            | Change::TicketRated(_) => false,
        })
    }

    /// Whether an append continues it without a gap.
    fn is_continued_by(&self, append: &Append) -> bool {
        self.appends
            .last()
            .is_some_and(|last| last.epoch.is(&append.epoch) && last.state.version == append.expected_version)
    }
}

fn idempotency_key(event: &Event) -> Option<IdempotencyKey> {
    match &event.change {
        Change::Message(message) => message
            .client_message_id
            .clone()
            .map(|client_message_id| IdempotencyKey { sender: message.author.sender_key(), client_message_id }),
        _ => None,
    }
}

/// The content of one transaction. It is ordered by conversation: two servers lock rows in the same order and cannot
/// deadlock.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) conversations: BTreeMap<ConversationId, ConversationBatch>,
    /// Appends of an aborted epoch, which are never stored.
    pub(super) aborted: Vec<Append>,
}

impl Batch {
    /// Its plain conversations, and the others.
    pub(super) fn split(self) -> [Self; 2] {
        let (plain, other) = self.conversations.into_iter().partition(|(_, batch)| batch.is_plain());
        [Self { conversations: plain, aborted: self.aborted }, Self { conversations: other, aborted: Vec::new() }]
    }
}

impl Batch {
    /// The first half of its conversations, and the others.
    pub(super) fn halves(mut self) -> [Self; 2] {
        let middle = self.conversations.keys().nth(self.conversations.len() / 2).copied();
        let rest = middle.map(|middle| self.conversations.split_off(&middle)).unwrap_or_default();
        [self, Self { conversations: rest, aborted: Vec::new() }]
    }
}

/// Takes up to `limit` appends from the front of the waiting ones.
///
/// An append that must not share a transaction with one in the batch stays at the front of the queue, in order: one of
/// another epoch of the same conversation, and a message with an idempotency key that is already in the batch. Later
/// appends of its conversation stay, too.
pub(super) fn gather(waiting: &mut VecDeque<Append>, limit: usize) -> Batch {
    let mut batch = Batch::default();
    let mut postponed = Vec::new();
    let mut blocked_conversations = HashSet::new();
    let mut used_keys = HashSet::new();
    for _ in 0..limit {
        let Some(append) = waiting.pop_front() else { break };
        if append.epoch.is_broken() {
            batch.aborted.push(append);
            continue;
        }
        let keys: Vec<IdempotencyKey> = append.events.iter().filter_map(idempotency_key).collect();
        let fits = !blocked_conversations.contains(&append.conversation)
            && keys.iter().all(|key| !used_keys.contains(key))
            && batch.conversations.get(&append.conversation).is_none_or(|batch| batch.is_continued_by(&append));
        if fits {
            used_keys.extend(keys);
            batch
                .conversations
                .entry(append.conversation)
                .or_insert_with(|| ConversationBatch { appends: Vec::new() })
                .appends
                .push(append);
        } else {
            blocked_conversations.insert(append.conversation);
            postponed.push(append);
        }
    }
    for append in postponed.into_iter().rev() {
        waiting.push_front(append);
    }
    batch
}
