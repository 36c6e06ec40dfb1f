//! What goes into one transaction. Pure: it sorts what waits, and does not look at the database.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use super::Append;
use crate::domain::{Change, Conversation, ConversationId, Event, IdempotencyKey};

/// One conversation's share of a transaction: appends that follow each other without a gap.
pub(super) struct ConversationBatch {
    pub(super) appends: Vec<Append>,
}

impl ConversationBatch {
    /// The fence: the version that must be stored for this part to be.
    pub(super) fn expected_version(&self) -> i64 {
        self.appends.first().map_or(0, |append| append.expected_version)
    }

    /// The conversation's state behind the whole part.
    pub(super) fn state(&self) -> Option<&Arc<Conversation>> {
        self.appends.last().map(|append| &append.state)
    }

    /// Everything that happened, in order.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.appends.iter().flat_map(|append| append.events.iter())
    }

    /// The names of the sends in it.
    pub(super) fn send_keys(&self) -> impl Iterator<Item = IdempotencyKey> {
        self.events().filter_map(idempotency_key)
    }

    /// Whether it touches no other table than the conversation's own three.
    pub(super) fn is_plain(&self) -> bool {
        let has_ticket = self.state().is_some_and(|state| state.ticket.is_some());
        self.events().all(|event| match &event.change {
            Change::Created(_) | Change::Claimed(_) | Change::Rated(_) => true,
            // What the customer can see moves the ticket's times.
            Change::Message(message) => message.is_note() || !has_ticket,
            Change::Closed(_)
            | Change::Reopened(_)
            | Change::HandoverRequested(_)
            | Change::HandoverResolved { .. }
            | Change::TicketCreated(_)
            | Change::TicketStatusChanged(_)
            | Change::TicketAssigned { .. }
            | Change::TicketPrioritised { .. }
            | Change::TicketRated(_) => false,
        })
    }

    fn takes(&self, append: &Append) -> bool {
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

/// What to commit now, in order of conversation, so that two servers touch rows in the same order and cannot lock
/// each other out.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) parts: BTreeMap<ConversationId, ConversationBatch>,
    /// What belongs to a broken lineage: not stored, and never to be.
    pub(super) broken: Vec<Append>,
}

impl Batch {
    /// Its plain parts, and the others.
    pub(super) fn split(self) -> [Self; 2] {
        let (plain, other) = self.parts.into_iter().partition(|(_, part)| part.is_plain());
        [Self { parts: plain, broken: self.broken }, Self { parts: other, broken: Vec::new() }]
    }
}

/// Takes up to `limit` appends off the front of what waits.
///
/// Stays in the queue, at its front and in order: what must not share a transaction with what is already in it — a new
/// lineage of a conversation whose old one is in it, or a send under a name that another in it bears.
pub(super) fn gather(waiting: &mut VecDeque<Append>, limit: usize) -> Batch {
    let mut batch = Batch::default();
    let mut put_back = Vec::new();
    let mut held_up = HashSet::new();
    let mut names = HashSet::new();
    for _ in 0..limit {
        let Some(append) = waiting.pop_front() else { break };
        if append.epoch.is_broken() {
            batch.broken.push(append);
            continue;
        }
        let keys: Vec<IdempotencyKey> = append.events.iter().filter_map(idempotency_key).collect();
        let fits = !held_up.contains(&append.conversation)
            && keys.iter().all(|key| !names.contains(key))
            && batch.parts.get(&append.conversation).is_none_or(|part| part.takes(&append));
        if fits {
            names.extend(keys);
            batch
                .parts
                .entry(append.conversation)
                .or_insert_with(|| ConversationBatch { appends: Vec::new() })
                .appends
                .push(append);
        } else {
            held_up.insert(append.conversation);
            put_back.push(append);
        }
    }
    for append in put_back.into_iter().rev() {
        waiting.push_front(append);
    }
    batch
}
