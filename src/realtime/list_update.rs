//! The payloads that keep other devices' inboxes and other agents' queues current (`additions.md`, 7).

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Serialize;

use super::coalescer::Merge;
use super::payload::ConversationOrTicket;
use crate::domain::{
    Conversation, ConversationId, Handover, HandoverId, Rating, Reason, Ticket, TicketPriority, Timestamp, UserId,
};
use crate::timestamp::IsoTimestamp;

/// `inbox_updated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[schemars(rename = "InboxUpdated")]
pub(super) struct InboxUpdatedEvent {
    pub(super) conversation_id: ConversationId,
    pub(super) change: InboxChange,
}

/// What happened to a conversation of the customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum InboxChange {
    /// The customer has written; this device may not know, because it was another one.
    MessageSent,
    /// The customer has started it.
    Created,
    /// The customer has rated it.
    Rated,
    /// It is open again.
    Reopened,
    /// No agent holds it any more.
    Released,
    /// The customer has read it.
    Read,
}

/// `queue_updated`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "QueueUpdated")]
pub(super) struct QueueUpdatedEvent {
    #[serde(flatten)]
    pub(super) place: ConversationOrTicket,
    #[serde(flatten)]
    pub(super) update: RowUpdate,
}

/// The last change of a row since it was announced last, and the fields that changed since then.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct RowUpdate {
    pub(super) change: QueueChange,
    #[serde(flatten)]
    pub(super) fields: RowFields,
}

/// What happened to a row of the agents' lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum QueueChange {
    /// An agent has answered.
    Replied,
    /// An agent has written a note.
    NoteAdded,
    /// The customer has rated it.
    Rated,
    /// Its holder has given it back.
    Released,
    /// It is open again.
    Reopened,
    /// An agent has taken it over from an absent one.
    TakenOver,
    /// A supervisor has assigned it.
    Assigned,
    /// Its ticket, or this ticket, has changed.
    TicketChanged,
    /// A handover was requested, or has ended.
    HandoverChanged,
}

/// The agent that a list shows; null for none.
type Name = Option<String>;

/// The fields of a list's row as the lists name them; one that did not change is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(super) struct RowFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_to: Option<Option<UserId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_admin_name: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    satisfaction_rating: Option<Option<Rating>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message: Option<RowMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message_at: Option<IsoTimestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_unread: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<RowTicket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_handover: Option<Option<RowHandover>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_response_at: Option<Option<IsoTimestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_response_at: Option<Option<IsoTimestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<Option<IsoTimestamp>>,
    #[serde(rename = "updatedAt", skip_serializing_if = "Option::is_none")]
    updated_at: Option<IsoTimestamp>,
}

/// The last message that the customer can see, as the list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct RowMessage {
    message: String,
    is_from_user: bool,
    sender_name: Option<String>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
}

/// A conversation's ticket, as the list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct RowTicket {
    ticket_number: String,
    status: &'static str,
    #[schemars(with = "TicketPriority")]
    priority: &'static str,
}

/// The handover that waits for an answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct RowHandover {
    id: HandoverId,
    from_admin_id: UserId,
    from_admin_name: String,
    to_admin_id: UserId,
    to_admin_name: String,
    reason: Option<Reason>,
    #[serde(rename = "createdAt")]
    created_at: Option<IsoTimestamp>,
    /// When it ends without an answer; null for never.
    expires_at: Option<IsoTimestamp>,
}

impl RowFields {
    /// What an answer changes in the conversation's row.
    pub(super) fn answered(conversation: &Conversation) -> Self {
        let last_message = conversation.last_message.as_ref().map(|message| RowMessage {
            message: message.preview.clone(),
            is_from_user: message.is_from_user,
            sender_name: message.sender_name.clone(),
            created_at: IsoTimestamp(conversation.last_message_at),
        });
        Self {
            has_unread: last_message.as_ref().map(|message| message.is_from_user),
            last_message,
            last_message_at: Some(IsoTimestamp(conversation.last_message_at)),
            message_count: Some(conversation.message_count),
            ..Self::owned(conversation)
        }
    }

    /// What a note changes.
    pub(super) fn noted(conversation: &Conversation) -> Self {
        Self { message_count: Some(conversation.message_count), ..Self::default() }
    }

    /// What a rating changes.
    pub(super) fn rated(conversation: &Conversation) -> Self {
        Self {
            satisfaction_rating: Some(conversation.rating),
            updated_at: Some(IsoTimestamp(conversation.updated_at)),
            ..Self::default()
        }
    }

    /// What a change of the assignee or of the status changes.
    pub(super) fn owned(conversation: &Conversation) -> Self {
        let assignee = conversation.assignee.as_ref();
        Self {
            status: Some(conversation.status.as_str()),
            assigned_to: Some(assignee.map(|assignee| assignee.id.clone())),
            assigned_admin_name: Some(assignee.map(|assignee| assignee.name.clone())),
            updated_at: Some(IsoTimestamp(conversation.updated_at)),
            ..Self::default()
        }
    }

    /// What a handover changes.
    pub(super) fn handed_over(conversation: &Conversation, expire_after: Option<TimeDelta>) -> Self {
        let since = conversation.pending_since;
        let expiry = since.zip(expire_after).map(|(since, after)| since + after);
        let pending = conversation.pending_handover.as_deref();
        let pending = pending.map(|handover| RowHandover::new(handover, since, expiry));
        Self { pending_handover: Some(pending), ..Self::owned(conversation) }
    }

    /// What a change of its ticket changes in the conversation's row.
    pub(super) fn ticket_of_conversation(conversation: &Conversation, ticket: &Ticket) -> Self {
        let ticket = RowTicket {
            ticket_number: ticket.number.as_str().to_owned(),
            status: ticket.status.as_str(),
            priority: ticket.draft.priority.as_str(),
        };
        Self { ticket: Some(ticket), ..Self::owned(conversation) }
    }

    /// Everything in a ticket's row that may change.
    pub(super) fn ticket(conversation: &Conversation, ticket: &Ticket) -> Self {
        let assignee = ticket.assignee.as_ref();
        Self {
            status: Some(ticket.status.as_str()),
            priority: Some(ticket.draft.priority.as_str()),
            assigned_to: Some(assignee.map(|assignee| assignee.id.clone())),
            assigned_admin_name: Some(assignee.map(|assignee| assignee.name.clone())),
            satisfaction_rating: Some(ticket.rating),
            message_count: Some(conversation.message_count),
            first_response_at: Some(ticket.first_response_at.map(IsoTimestamp)),
            last_response_at: Some(ticket.last_response_at.map(IsoTimestamp)),
            resolved_at: Some(ticket.resolved.as_ref().map(|resolved| IsoTimestamp(resolved.at))),
            updated_at: Some(IsoTimestamp(ticket.updated_at)),
            ..Self::default()
        }
    }
}

impl RowHandover {
    fn new(handover: &Handover, since: Option<Timestamp>, expiry: Option<Timestamp>) -> Self {
        Self {
            id: handover.id,
            from_admin_id: handover.from.id.clone(),
            from_admin_name: handover.from.name.clone(),
            to_admin_id: handover.to.id.clone(),
            to_admin_name: handover.to.name.clone(),
            reason: handover.reason.clone(),
            created_at: since.map(IsoTimestamp),
            expires_at: expiry.map(IsoTimestamp),
        }
    }
}

impl Merge for RowUpdate {
    fn merge(&mut self, later: Self) {
        self.change = later.change;
        self.fields.merge(later.fields);
    }
}

/// Takes the later of two values; `None` is none.
fn replace<T>(field: &mut Option<T>, later: Option<T>) {
    if later.is_some() {
        *field = later;
    }
}

impl Merge for RowFields {
    fn merge(&mut self, later: Self) {
        // Named one by one, so that no new field is forgotten.
        let Self {
            status,
            assigned_to,
            assigned_admin_name,
            satisfaction_rating,
            message_count,
            last_message,
            last_message_at,
            has_unread,
            ticket,
            pending_handover,
            priority,
            first_response_at,
            last_response_at,
            resolved_at,
            updated_at,
        } = later;
        replace(&mut self.status, status);
        replace(&mut self.assigned_to, assigned_to);
        replace(&mut self.assigned_admin_name, assigned_admin_name);
        replace(&mut self.satisfaction_rating, satisfaction_rating);
        replace(&mut self.message_count, message_count);
        replace(&mut self.last_message, last_message);
        replace(&mut self.last_message_at, last_message_at);
        replace(&mut self.has_unread, has_unread);
        replace(&mut self.ticket, ticket);
        replace(&mut self.pending_handover, pending_handover);
        replace(&mut self.priority, priority);
        replace(&mut self.first_response_at, first_response_at);
        replace(&mut self.last_response_at, last_response_at);
        replace(&mut self.resolved_at, resolved_at);
        replace(&mut self.updated_at, updated_at);
    }
}
