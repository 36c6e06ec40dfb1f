//! Which change of a conversation other screens' lists must learn of (`additions.md`, 7). What the contract's own events
//! announce to the same rooms is not announced again: a claim, a closing, a customer's message to the agents.

use chrono::TimeDelta;

use crate::domain::{Author, Change, Channel, Conversation, Event, Message, Resolution};
use crate::realtime::list_update::{InboxChange, InboxUpdatedEvent, QueueChange, RowFields, RowUpdate};
use crate::realtime::list_updates::ListUpdates;
use crate::realtime::payload::ConversationOrTicket;

/// Announces an event to the customer's devices and to all agents, if it concerns them.
pub(super) fn publish(updates: &ListUpdates, conversation: &Conversation, event: &Event) {
    if conversation.channel == Channel::Support
        && let Some(account) = conversation.owner.account()
        && let Some(change) = inbox_change(&event.change)
    {
        updates.inbox(account, InboxUpdatedEvent { conversation_id: conversation.id, change });
    }
    // A ticket's thread is no conversation in the agents' list.
    if conversation.channel != Channel::Ticket
        && let Some(change) = queue_change(&event.change)
        && let Some(fields) = conversation_fields(conversation, &event.change, updates.handover_expiry)
    {
        updates.queue(ConversationOrTicket::Conversation(conversation.id), RowUpdate { change, fields });
    }
    if let Some(ticket) = conversation.ticket.as_deref()
        && let Some(change) = ticket_change(&event.change)
    {
        let fields = RowFields::ticket(conversation, ticket);
        updates.queue(ConversationOrTicket::Ticket(ticket.draft.id), RowUpdate { change, fields });
    }
}

/// What the customer's other devices hear.
fn inbox_change(change: &Change) -> Option<InboxChange> {
    match change {
        // To the account's devices it is new.
        Change::Created(_) | Change::MovedToAccount(_) => Some(InboxChange::Created),
        // The opening is announced as `created`.
        Change::Message(message) => {
            (message.author.is_customer() && !message.is_opening()).then_some(InboxChange::MessageSent)
        }
        Change::Rated(_) => Some(InboxChange::Rated),
        Change::Reopened(_) | Change::ReopenedByAgent(_) => Some(InboxChange::Reopened),
        Change::Released(_) => Some(InboxChange::Released),
        // `conversation_updated` announces these.
        Change::Claimed(_)
        | Change::TakenOver { .. }
        | Change::Assigned { .. }
        | Change::Closed { .. }
        | Change::HandoverResolved { .. }
        | Change::TicketCreated(_) => None,
        Change::HandoverRequested { .. }
        | Change::TicketStatusChanged(_)
        | Change::TicketAssigned { .. }
        | Change::TicketPrioritised { .. }
        | Change::TicketRated(_) => None,
    }
}

/// What the agents hear.
fn queue_change(change: &Change) -> Option<QueueChange> {
    match change {
        Change::Message(message) => message_change(message),
        Change::Rated(_) | Change::TicketRated(_) => Some(QueueChange::Rated),
        Change::Reopened(_) | Change::ReopenedByAgent(_) => Some(QueueChange::Reopened),
        Change::Released(_) => Some(QueueChange::Released),
        Change::TakenOver { .. } => Some(QueueChange::TakenOver),
        Change::Assigned { .. } => Some(QueueChange::Assigned),
        Change::HandoverRequested { .. } | Change::HandoverResolved { .. } => Some(QueueChange::HandoverChanged),
        Change::TicketCreated(_)
        | Change::TicketStatusChanged(_)
        | Change::TicketAssigned { .. }
        | Change::TicketPrioritised { .. } => Some(QueueChange::TicketChanged),
        // `conversation_created` and `conversation_updated` announce these.
        Change::Created(_) | Change::Claimed(_) | Change::Closed { .. } => None,
        // None of the changes that agents know.
        Change::MovedToAccount(_) => None,
    }
}

fn message_change(message: &Message) -> Option<QueueChange> {
    match &message.author {
        Author::Agent(_) if message.is_note() => Some(QueueChange::NoteAdded),
        Author::Agent(_) => Some(QueueChange::Replied),
        // `conversation_updated` announces a customer's; an auto-reply changes nothing in lists.
        Author::Customer(_) | Author::AutoReply { .. } => None,
    }
}

/// The fields of the conversation's row that a change may have changed; `None` if there is none.
fn conversation_fields(
    conversation: &Conversation,
    change: &Change,
    handover_expiry: Option<TimeDelta>,
) -> Option<RowFields> {
    match change {
        Change::Message(message) if message.is_note() => Some(RowFields::noted(conversation)),
        Change::Message(_) => Some(RowFields::answered(conversation)),
        Change::Rated(_) => Some(RowFields::rated(conversation)),
        Change::HandoverRequested { .. } | Change::HandoverResolved { .. } => {
            Some(RowFields::handed_over(conversation, handover_expiry))
        }
        Change::TicketCreated(_)
        | Change::TicketStatusChanged(_)
        | Change::TicketAssigned { .. }
        | Change::TicketPrioritised { .. } => {
            Some(RowFields::ticket_of_conversation(conversation, conversation.ticket.as_deref()?))
        }
        // Ratings of a ticket show in the tickets' list only.
        Change::TicketRated(_) | Change::MovedToAccount(_) => None,
        Change::Created(_)
        | Change::Claimed(_)
        | Change::Released(_)
        | Change::TakenOver { .. }
        | Change::Assigned { .. }
        | Change::Closed { .. }
        | Change::Reopened(_)
        | Change::ReopenedByAgent(_) => Some(RowFields::owned(conversation)),
    }
}

/// What the agents hear of the ticket's row. Its creation is announced by `ticket_created`.
fn ticket_change(change: &Change) -> Option<QueueChange> {
    match change {
        Change::Message(message) => message_change(message),
        Change::TicketRated(_) => Some(QueueChange::Rated),
        // It has its conversation's assignee, and is resolved when that is closed.
        Change::Claimed(_)
        | Change::Released(_)
        | Change::TakenOver { .. }
        | Change::Assigned { .. }
        | Change::Closed { open_ticket: Some(_), .. }
        | Change::Reopened(_)
        | Change::ReopenedByAgent(_)
        | Change::HandoverResolved { resolution: Resolution::Accepted, .. }
        | Change::TicketStatusChanged(_)
        | Change::TicketAssigned { .. }
        | Change::TicketPrioritised { .. } => Some(QueueChange::TicketChanged),
        Change::TicketCreated(_)
        | Change::Created(_)
        | Change::Closed { open_ticket: None, .. }
        | Change::MovedToAccount(_)
        | Change::Rated(_)
        | Change::HandoverRequested { .. }
        | Change::HandoverResolved { .. } => None,
    }
}
