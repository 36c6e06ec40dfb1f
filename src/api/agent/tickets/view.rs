//! A ticket as agents read it, in the list and in detail (`support-admin.md`, "Tickets").

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::agent::view::{AgentMessage, AssignedAdmin, DetailLevel, UserView, device_metadata};
use crate::domain::{
    Conversation, ConversationId, Description, Feedback, Owner, Rating, Reference, ResolutionNotes, Subject,
    SupportType, TicketId, TicketPriority, TicketStatus, UserId,
};
use crate::dto::shown_conversation;
use crate::store::{History, Users};
use crate::timestamp::IsoTimestamp;

/// A ticket in the list.
#[derive(Serialize, JsonSchema)]
pub(super) struct TicketRow<'a> {
    id: TicketId,
    ticket_number: &'a str,
    user_id: Option<&'a str>,
    phone_number: Option<&'a str>,
    email: Option<&'a str>,
    subject: &'a Subject,
    #[schemars(with = "SupportType")]
    support_type: &'static str,
    #[schemars(with = "TicketStatus")]
    status: &'static str,
    #[schemars(with = "TicketPriority")]
    priority: &'static str,
    assigned_to: Option<&'a UserId>,
    first_response_at: Option<IsoTimestamp>,
    last_response_at: Option<IsoTimestamp>,
    response_time_seconds: Option<i64>,
    resolved_at: Option<IsoTimestamp>,
    satisfaction_rating: Option<Rating>,
    #[schemars(with = "Vec<String>")]
    tags: [(); 0],
    conversation_id: Option<ConversationId>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
    #[serde(rename = "updatedAt")]
    updated_at: IsoTimestamp,
    user: Option<UserView<'a>>,
    message_count: i64,
    assigned_admin: Option<AssignedAdmin<'a>>,
}

impl<'a> TicketRow<'a> {
    /// `None` if the conversation has no ticket.
    pub(super) fn new(conversation: &'a Conversation, users: &'a Users, level: DetailLevel) -> Option<Self> {
        let ticket = conversation.ticket.as_deref()?;
        let user_id = conversation.owner.account().map(UserId::as_str);
        Some(Self {
            id: ticket.draft.id,
            ticket_number: ticket.number.as_str(),
            user_id,
            phone_number: conversation.phone_number.as_deref(),
            email: conversation.email.as_deref(),
            subject: &ticket.draft.subject,
            support_type: ticket.draft.support_type.as_str(),
            status: ticket.status.as_str(),
            priority: ticket.draft.priority.as_str(),
            assigned_to: ticket.assignee.as_ref().map(|assignee| &assignee.id),
            first_response_at: ticket.first_response_at.map(IsoTimestamp),
            last_response_at: ticket.last_response_at.map(IsoTimestamp),
            response_time_seconds: ticket.response_time_seconds(),
            resolved_at: ticket.resolved.as_ref().map(|resolved| IsoTimestamp(resolved.at)),
            satisfaction_rating: ticket.rating,
            tags: [],
            conversation_id: shown_conversation(conversation),
            created_at: IsoTimestamp(ticket.created_at),
            updated_at: IsoTimestamp(ticket.updated_at),
            user: user_id.and_then(|id| users.get(id)).map(|user| UserView::new(user, level)),
            message_count: conversation.message_count,
            assigned_admin: ticket
                .assignee
                .as_ref()
                .map(|assignee| AssignedAdmin::new(&assignee.id, &assignee.name, users.get(assignee.id.as_str()))),
        })
    }
}

/// A ticket in detail.
#[derive(Serialize, JsonSchema)]
pub(super) struct TicketDetail<'a> {
    #[serde(flatten)]
    row: TicketRow<'a>,
    related_registration_progress_id: Option<()>,
    internal_notes: Option<()>,
    related_transaction: Option<()>,
    description: &'a Description,
    resolved_by: Option<&'a UserId>,
    resolution_notes: Option<&'a ResolutionNotes>,
    related_transaction_id: Option<&'a Reference>,
    session_id: Option<&'a Reference>,
    device_metadata: Map<String, Value>,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    attachments: Option<()>,
    feedback: Option<&'a Feedback>,
    messages: Vec<AgentMessage<'a>>,
    total_messages: i64,
    has_more: bool,
    resolved_by_admin: Option<AssignedAdmin<'a>>,
}

impl<'a> TicketDetail<'a> {
    /// `None` if the conversation has no ticket.
    pub(super) fn new(
        conversation: &'a Conversation,
        users: &'a Users,
        history: &'a History,
        reader: &Owner,
    ) -> Option<Self> {
        let ticket = conversation.ticket.as_deref()?;
        let resolver = ticket.resolved.as_ref().map(|resolved| &resolved.by);
        Some(Self {
            row: TicketRow::new(conversation, users, DetailLevel::Detail)?,
            related_registration_progress_id: None,
            internal_notes: None,
            related_transaction: None,
            description: &ticket.draft.description,
            resolved_by: resolver.map(|resolver| &resolver.id),
            resolution_notes: ticket.resolution_notes.as_ref(),
            related_transaction_id: ticket.draft.related_transaction_id.as_ref(),
            session_id: ticket.draft.session_id.as_ref(),
            device_metadata: device_metadata(conversation),
            ip_address: conversation.ip_address.as_deref(),
            user_agent: conversation.user_agent.as_deref(),
            attachments: None,
            feedback: ticket.feedback.as_ref(),
            messages: history.messages.iter().map(|posted| AgentMessage::new(posted, reader)).collect(),
            total_messages: conversation.message_count,
            has_more: history.has_more,
            resolved_by_admin: resolver
                .map(|resolver| AssignedAdmin::new(&resolver.id, &resolver.name, users.get(resolver.id.as_str()))),
        })
    }
}
