//! Which change of a conversation other screens' lists must learn of (`additions.md`, 7). What the contract's own events
//! announce to the same rooms is not announced again: a claim, a closing, a customer's message to the agents.

use crate::domain::{Author, Change, Channel, Conversation, Event, Message};
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
    let Some(change) = queue_change(&event.change) else { return };
    // A ticket's thread is no conversation in the agents' list.
    if conversation.channel != Channel::Ticket
        && let Some(fields) = conversation_fields(conversation, &event.change)
    {
        updates.queue(ConversationOrTicket::Conversation(conversation.id), RowUpdate { change, fields });
    }
    if let Some(ticket) = conversation.ticket.as_deref()
        && changes_ticket(&event.change)
    {
        let fields = RowFields::ticket(conversation, ticket);
        updates.queue(ConversationOrTicket::Ticket(ticket.draft.id), RowUpdate { change, fields });
    }
}

/// What the customer's other devices hear.
fn inbox_change(change: &Change) -> Option<InboxChange> {
    match change {
        Change::Created(_) => Some(InboxChange::Created),
        // The opening is announced as `created`.
        Change::Message(message) => {
            (message.author.is_customer() && !message.is_opening()).then_some(InboxChange::MessageSent)
        }
        Change::Rated(_) => Some(InboxChange::Rated),
        Change::Reopened(_) => Some(InboxChange::Reopened),
        // `conversation_updated` announces these.
        Change::Claimed(_) | Change::Closed(_) | Change::HandoverResolved { .. } | Change::TicketCreated(_) => None,
        Change::HandoverRequested(_)
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
        Change::Reopened(_) => Some(QueueChange::Reopened),
        Change::HandoverRequested(_) | Change::HandoverResolved { .. } => Some(QueueChange::HandoverChanged),
        Change::TicketCreated(_)
        | Change::TicketStatusChanged(_)
        | Change::TicketAssigned { .. }
        | Change::TicketPrioritised { .. } => Some(QueueChange::TicketChanged),
        // `conversation_created` and `conversation_updated` announce these.
        Change::Created(_) | Change::Claimed(_) | Change::Closed(_) => None,
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
fn conversation_fields(conversation: &Conversation, change: &Change) -> Option<RowFields> {
    match change {
        Change::Message(message) if message.is_note() => Some(RowFields::noted(conversation)),
        Change::Message(_) => Some(RowFields::answered(conversation)),
        Change::Rated(_) => Some(RowFields::rated(conversation)),
        Change::HandoverRequested(_) | Change::HandoverResolved { .. } => Some(RowFields::handed_over(conversation)),
        Change::TicketCreated(_)
        | Change::TicketStatusChanged(_)
        | Change::TicketAssigned { .. }
        | Change::TicketPrioritised { .. } => {
            Some(RowFields::ticket_of_conversation(conversation, conversation.ticket.as_deref()?))
        }
        // Ratings of a ticket show in the tickets' list only.
        Change::TicketRated(_) => None,
        Change::Created(_) | Change::Claimed(_) | Change::Closed(_) | Change::Reopened(_) => {
            Some(RowFields::owned(conversation))
        }
    }
}

/// Whether the ticket's row changes. Its creation is announced by `ticket_created`.
fn changes_ticket(change: &Change) -> bool {
    match change {
        Change::Message(_)
        | Change::TicketStatusChanged(_)
        | Change::TicketAssigned { .. }
        | Change::TicketPrioritised { .. }
        | Change::TicketRated(_) => true,
        Change::TicketCreated(_)
        | Change::Created(_)
        | Change::Claimed(_)
        | Change::Closed(_)
        | Change::Reopened(_)
        | Change::Rated(_)
        | Change::HandoverRequested(_)
        | Change::HandoverResolved { .. } => false,
    }
}
