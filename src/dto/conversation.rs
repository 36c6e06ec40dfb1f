//! Conversations, messages and tickets as customers read them.

use entity::tickets;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::reading::ReadUpToView;
use crate::domain::{
    Channel, ClientMessageId, Conversation, ConversationId, EventId, Feedback, Owner, Posted, Rating, Reading, Status,
    SupportType, TicketId, TicketPriority, TicketStatus,
};
use crate::timestamp::IsoTimestamp;

/// A message as its conversation's customer reads it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub(crate) struct UserMessage<'a> {
    pub(crate) id: EventId,
    pub(crate) seq: Option<i64>,
    pub(crate) message: &'a str,
    pub(crate) is_from_user: bool,
    pub(crate) sender_name: Option<&'a str>,
    pub(crate) sender_email: Option<&'a str>,
    pub(crate) attachments: Option<()>,
    pub(crate) created_at: IsoTimestamp,
    #[serde(rename = "createdAt", skip_serializing_if = "Option::is_none")]
    pub(crate) created_at_camel_case: Option<IsoTimestamp>,
    /// Of the reader's own messages only, those that were sent with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_message_id: Option<&'a ClientMessageId>,
}

impl<'a> UserMessage<'a> {
    /// In a conversation's history, as `reader` sees it; `None` is a reader who has not shown to be anyone.
    pub(crate) fn in_history(posted: &'a Posted, reader: Option<&Owner>) -> Self {
        let client_message_id = reader.and_then(|reader| posted.message.client_message_id_for(reader));
        Self { client_message_id, ..Self::without_client_id(posted) }
    }

    /// In the answer to its sender.
    pub(crate) fn of_sender(posted: &'a Posted) -> Self {
        Self { client_message_id: posted.message.client_message_id.as_ref(), ..Self::without_client_id(posted) }
    }

    fn without_client_id(posted: &'a Posted) -> Self {
        Self {
            id: posted.id,
            seq: posted.message.seq,
            message: posted.message.text.as_str(),
            is_from_user: posted.message.author.is_customer(),
            sender_name: posted.message.author.name(),
            sender_email: posted.message.author.email(),
            attachments: None,
            created_at: IsoTimestamp(posted.at),
            created_at_camel_case: None,
            client_message_id: None,
        }
    }

    /// In the answer to a send, with its timestamp in both spellings (`support-user.md`, 1).
    pub(crate) fn in_answer(posted: &'a Posted) -> Self {
        Self { created_at_camel_case: Some(IsoTimestamp(posted.at)), ..Self::of_sender(posted) }
    }
}

/// A conversation with messages, as its customer reads it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Conversation")]
pub(crate) struct UserConversation<'a> {
    id: ConversationId,
    #[schemars(with = "Status")]
    status: &'static str,
    assigned_admin_name: Option<&'a str>,
    email: Option<&'a str>,
    phone_number: Option<&'a str>,
    satisfaction_rating: Option<Rating>,
    feedback: Option<&'a Feedback>,
    last_message_at: IsoTimestamp,
    created_at: IsoTimestamp,
    updated_at: IsoTimestamp,
    messages: Vec<UserMessage<'a>>,
    total_messages: i64,
    /// Whether there are more messages in the direction of the page; present only on pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
    ticket: Option<TicketCard<'a>>,
    /// How far each side has read; present only on pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_up_to: Option<ReadUpToView>,
    /// Messages of support that the customer has not read, 1000 at most; present only on pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread_count: Option<i64>,
}

impl<'a> UserConversation<'a> {
    pub(crate) fn new(conversation: &'a Conversation, messages: Vec<UserMessage<'a>>) -> Self {
        Self {
            id: conversation.id,
            status: conversation.status.as_str(),
            assigned_admin_name: assigned_admin_name(conversation),
            email: conversation.email.as_deref(),
            phone_number: conversation.phone_number.as_deref(),
            satisfaction_rating: conversation.rating,
            feedback: conversation.feedback.as_ref(),
            last_message_at: IsoTimestamp(conversation.last_message_at),
            created_at: IsoTimestamp(conversation.created_at),
            updated_at: IsoTimestamp(conversation.updated_at),
            messages,
            total_messages: conversation.last_seq,
            has_more: None,
            ticket: None,
            read_up_to: None,
            unread_count: None,
        }
    }

    /// With a page of its messages, its ticket, and how far it has been read.
    pub(crate) fn page(
        conversation: &'a Conversation,
        messages: Vec<UserMessage<'a>>,
        has_more: bool,
        ticket: Option<&'a tickets::Model>,
        reading: &Reading,
    ) -> Self {
        Self {
            has_more: Some(has_more),
            ticket: ticket.map(TicketCard::new),
            read_up_to: Some(ReadUpToView::new(reading)),
            unread_count: Some(reading.unread_by_customer),
            ..Self::new(conversation, messages)
        }
    }
}

/// The ticket created from a conversation, as its participants read it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TicketCard<'a> {
    #[schemars(with = "TicketId")]
    id: Uuid,
    ticket_number: &'a str,
    subject: &'a str,
    #[schemars(with = "TicketStatus")]
    status: &'a str,
    #[schemars(with = "TicketPriority")]
    priority: &'a str,
    #[schemars(with = "SupportType")]
    support_type: &'a str,
}

impl<'a> TicketCard<'a> {
    pub(crate) fn new(ticket: &'a tickets::Model) -> Self {
        Self {
            id: ticket.id,
            ticket_number: &ticket.ticket_number,
            subject: &ticket.subject,
            status: &ticket.status,
            priority: &ticket.priority,
            support_type: &ticket.support_type,
        }
    }
}

/// The conversation that a ticket is shown with. A ticket without one keeps its messages in a conversation of its own,
/// which is an implementation detail and not shown.
pub(crate) fn shown_conversation(conversation: &Conversation) -> Option<ConversationId> {
    (conversation.channel != Channel::Ticket).then_some(conversation.id)
}

/// The agent's name as customers read it: "Sarah is helping you".
pub(crate) fn assigned_admin_name(conversation: &Conversation) -> Option<&str> {
    conversation.assignee.as_ref().map(|assignee| assignee.name.as_str())
}

/// The last message that the customer can read, in lists.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LastMessage<'a> {
    message: &'a str,
    is_from_user: bool,
    sender_name: Option<&'a str>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
}

impl<'a> LastMessage<'a> {
    pub(crate) fn of(conversation: &'a Conversation) -> Option<Self> {
        conversation.last_message.as_ref().map(|message| Self {
            message: &message.preview,
            is_from_user: message.is_from_user,
            sender_name: message.sender_name.as_deref(),
            created_at: IsoTimestamp(conversation.last_message_at),
        })
    }
}
