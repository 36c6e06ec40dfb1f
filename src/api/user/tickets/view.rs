//! A ticket as its customer reads it (`decisions.md`, "Tickets without an agent").

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{
    Conversation, ConversationId, Description, Feedback, Rating, Reference, Subject, SupportType, TicketId,
    TicketPriority, TicketStatus,
};
use crate::dto::{UserMessage, shown_conversation};
use crate::timestamp::IsoTimestamp;

/// A ticket with its messages.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Ticket")]
pub(super) struct UserTicket<'a> {
    id: TicketId,
    ticket_number: &'a str,
    subject: &'a Subject,
    description: &'a Description,
    #[schemars(with = "SupportType")]
    support_type: &'static str,
    #[schemars(with = "TicketStatus")]
    status: &'static str,
    #[schemars(with = "TicketPriority")]
    priority: &'static str,
    email: Option<&'a str>,
    phone_number: Option<&'a str>,
    related_transaction_id: Option<&'a Reference>,
    satisfaction_rating: Option<Rating>,
    feedback: Option<&'a Feedback>,
    conversation_id: Option<ConversationId>,
    created_at: IsoTimestamp,
    updated_at: IsoTimestamp,
    last_response_at: Option<IsoTimestamp>,
    messages: Vec<UserMessage<'a>>,
    total_messages: i64,
    /// Whether there are more messages in the direction of the page; absent from a new ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
}

impl<'a> UserTicket<'a> {
    /// `None` if the conversation has no ticket.
    pub(super) fn new(
        conversation: &'a Conversation,
        messages: Vec<UserMessage<'a>>,
        has_more: Option<bool>,
    ) -> Option<Self> {
        let ticket = conversation.ticket.as_deref()?;
        Some(Self {
            id: ticket.draft.id,
            ticket_number: ticket.number.as_str(),
            subject: &ticket.draft.subject,
            description: &ticket.draft.description,
            support_type: ticket.draft.support_type.as_str(),
            status: ticket.status.as_str(),
            priority: ticket.draft.priority.as_str(),
            email: conversation.email.as_deref(),
            phone_number: conversation.phone_number.as_deref(),
            related_transaction_id: ticket.draft.related_transaction_id.as_ref(),
            satisfaction_rating: ticket.rating,
            feedback: ticket.feedback.as_ref(),
            conversation_id: shown_conversation(conversation),
            created_at: IsoTimestamp(ticket.created_at),
            updated_at: IsoTimestamp(ticket.updated_at),
            last_response_at: ticket.last_response_at.map(IsoTimestamp),
            messages,
            total_messages: conversation.last_seq,
            has_more,
        })
    }
}

/// A ticket in the customer's list.
#[derive(Serialize, JsonSchema)]
pub(super) struct TicketListed<'a> {
    id: TicketId,
    ticket_number: &'a str,
    subject: &'a Subject,
    #[schemars(with = "SupportType")]
    support_type: &'static str,
    #[schemars(with = "TicketStatus")]
    status: &'static str,
    #[schemars(with = "TicketPriority")]
    priority: &'static str,
    message_count: i64,
    last_message: Option<TicketLastMessage<'a>>,
    has_unread: bool,
    conversation_id: Option<ConversationId>,
    created_at: IsoTimestamp,
    updated_at: IsoTimestamp,
    last_response_at: Option<IsoTimestamp>,
}

#[derive(Serialize, JsonSchema)]
struct TicketLastMessage<'a> {
    message: &'a str,
    is_from_user: bool,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
}

impl<'a> TicketListed<'a> {
    /// `None` if the conversation has no ticket.
    pub(super) fn new(conversation: &'a Conversation) -> Option<Self> {
        let ticket = conversation.ticket.as_deref()?;
        let last_message = conversation.last_message.as_ref();
        Some(Self {
            id: ticket.draft.id,
            ticket_number: ticket.number.as_str(),
            subject: &ticket.draft.subject,
            support_type: ticket.draft.support_type.as_str(),
            status: ticket.status.as_str(),
            priority: ticket.draft.priority.as_str(),
            message_count: conversation.last_seq,
            last_message: last_message.map(|message| TicketLastMessage {
                message: &message.preview,
                is_from_user: message.is_from_user,
                created_at: IsoTimestamp(conversation.last_message_at),
            }),
            has_unread: last_message.is_some_and(|message| !message.is_from_user),
            conversation_id: shown_conversation(conversation),
            created_at: IsoTimestamp(ticket.created_at),
            updated_at: IsoTimestamp(ticket.updated_at),
            last_response_at: ticket.last_response_at.map(IsoTimestamp),
        })
    }
}
