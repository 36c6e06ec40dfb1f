//! A conversation as agents read it, in the queue and in detail (`support-admin.md`).

use chrono::TimeDelta;
use entity::{handovers, tickets, users};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::display_name;
use crate::domain::{
    Channel, ClientMessageId, Conversation, ConversationId, EventId, Feedback, HandoverId, Owner, Posted, Rating,
    Resolution, Status, UserId, is_blank, split_name,
};
use crate::dto::{LastMessage, ReadUpToView, TicketCard};
use crate::json_schema::{HandoverRejection, HandoverStatus};
use crate::store::{History, Related};
use crate::timestamp::IsoTimestamp;

/// A conversation in the queue.
#[derive(Serialize, JsonSchema)]
pub(super) struct QueueCard<'a> {
    id: ConversationId,
    #[schemars(with = "Channel")]
    channel: &'static str,
    user_id: Option<&'a str>,
    email: Option<&'a str>,
    phone_number: Option<&'a str>,
    #[schemars(with = "Status")]
    status: &'static str,
    assigned_to: Option<&'a str>,
    assigned_at: Option<IsoTimestamp>,
    satisfaction_rating: Option<Rating>,
    last_message_at: IsoTimestamp,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
    #[serde(rename = "updatedAt")]
    updated_at: IsoTimestamp,
    user: Option<UserView<'a>>,
    ticket: Option<QueueTicket<'a>>,
    message_count: i64,
    last_message: Option<LastMessage<'a>>,
    has_unread: bool,
    /// Messages of the customer that no agent has read, 1000 at most.
    unread_count: i64,
    read_up_to: ReadUpToView,
    assigned_admin: Option<AssignedAdmin<'a>>,
    pending_handover: Option<PendingHandover<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct ProfileImage<'a> {
    secure_url: &'a str,
}

/// The account that owns a conversation.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "User")]
pub(super) struct UserView<'a> {
    id: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    email: Option<&'a str>,
    phone_number: Option<&'a str>,
    smipay_tag: Option<&'a str>,
    profile_image: Option<ProfileImage<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    details: Option<UserDetails<'a>>,
}

/// Shown in detail only.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UserMore")]
struct UserDetails<'a> {
    account_status: &'static str,
    role: &'a str,
    wallet: Option<()>,
    tier: Option<()>,
    kyc_verification: Option<()>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct AssignedAdmin<'a> {
    id: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    email: Option<&'a str>,
}

/// The ticket created from a conversation.
#[derive(Serialize, JsonSchema)]
struct QueueTicket<'a> {
    #[serde(flatten)]
    card: TicketCard<'a>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    details: Option<QueueTicketDetails<'a>>,
}

/// Shown in detail only.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QueueTicketMore")]
struct QueueTicketDetails<'a> {
    description: &'a str,
    assigned_to: Option<&'a str>,
    resolved_at: Option<IsoTimestamp>,
    resolved_by: Option<&'a str>,
    resolution_notes: Option<&'a str>,
    related_transaction_id: Option<&'a str>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
}

impl<'a> QueueTicket<'a> {
    fn new(ticket: &'a tickets::Model, level: DetailLevel) -> Self {
        Self {
            card: TicketCard::new(ticket),
            details: (level == DetailLevel::Detail).then(|| QueueTicketDetails {
                description: &ticket.description,
                assigned_to: ticket.assigned_to.as_deref(),
                resolved_at: ticket.resolved_at.map(IsoTimestamp),
                resolved_by: ticket.resolved_by.as_deref(),
                resolution_notes: ticket.resolution_notes.as_deref(),
                related_transaction_id: ticket.related_transaction_id.as_deref(),
                created_at: IsoTimestamp(ticket.created_at),
            }),
        }
    }
}

/// An agent's request that another take the conversation over.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Handover")]
struct HandoverView<'a> {
    #[schemars(with = "HandoverId")]
    id: Uuid,
    from_admin_id: &'a str,
    to_admin_id: &'a str,
    from_admin_name: &'a str,
    to_admin_name: &'a str,
    reason: Option<&'a str>,
    #[schemars(with = "HandoverStatus")]
    status: &'a str,
    /// Why it was not accepted.
    #[schemars(with = "Option<HandoverRejection>")]
    resolution: Option<&'a str>,
    responded_at: Option<IsoTimestamp>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
}

impl<'a> HandoverView<'a> {
    fn new(handover: &'a handovers::Model) -> Self {
        Self {
            id: handover.id,
            from_admin_id: &handover.from_id,
            to_admin_id: &handover.to_id,
            from_admin_name: &handover.from_name,
            to_admin_name: &handover.to_name,
            reason: handover.reason.as_deref(),
            status: &handover.status,
            // A release that does not store it knows no other rejection but this one.
            resolution: (handover.status == Resolution::Rejected.as_str())
                .then(|| handover.resolution.as_deref().or(Resolution::Rejected.rejection()))
                .flatten(),
            responded_at: handover.responded_at.map(IsoTimestamp),
            created_at: IsoTimestamp(handover.created_at),
        }
    }
}

/// The handover that waits for its target's answer.
#[derive(Serialize, JsonSchema)]
struct PendingHandover<'a> {
    #[schemars(with = "HandoverId")]
    id: Uuid,
    from_admin_id: &'a str,
    from_admin_name: &'a str,
    to_admin_id: &'a str,
    to_admin_name: &'a str,
    reason: Option<&'a str>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
    /// When it ends without an answer; null for never.
    expires_at: Option<IsoTimestamp>,
}

impl<'a> PendingHandover<'a> {
    fn new(handover: &'a handovers::Model, expiry: HandoverExpiryTime) -> Self {
        Self {
            id: handover.id,
            from_admin_id: &handover.from_id,
            from_admin_name: &handover.from_name,
            to_admin_id: &handover.to_id,
            to_admin_name: &handover.to_name,
            reason: handover.reason.as_deref(),
            created_at: IsoTimestamp(handover.created_at),
            expires_at: expiry.map(|after| IsoTimestamp(handover.created_at + after)),
        }
    }
}

/// How long a handover waits for an answer; `None` for ever.
pub(super) type HandoverExpiryTime = Option<TimeDelta>;

/// How much of an account and of a ticket is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DetailLevel {
    List,
    Detail,
}

impl<'a> QueueCard<'a> {
    pub(super) fn new(
        conversation: &'a Conversation,
        related: &'a Related,
        expiry: HandoverExpiryTime,
        level: DetailLevel,
    ) -> Self {
        let last_message = conversation.last_message.as_ref();
        let user_id = conversation.owner.account().map(UserId::as_str);
        let assignee = conversation.assignee.as_ref();
        let reading = related.reading(conversation);
        Self {
            id: conversation.id,
            channel: conversation.channel.as_str(),
            user_id,
            email: conversation.email.as_deref(),
            phone_number: conversation.phone_number.as_deref(),
            status: conversation.status.as_str(),
            assigned_to: assignee.map(|assignee| assignee.id.as_str()),
            assigned_at: assignee.map(|assignee| IsoTimestamp(assignee.since)),
            satisfaction_rating: conversation.rating,
            last_message_at: IsoTimestamp(conversation.last_message_at),
            created_at: IsoTimestamp(conversation.created_at),
            updated_at: IsoTimestamp(conversation.updated_at),
            user: user_id.and_then(|id| related.user(id)).map(|user| UserView::new(user, level)),
            ticket: related.ticket(conversation).map(|ticket| QueueTicket::new(ticket, level)),
            message_count: conversation.message_count,
            last_message: LastMessage::of(conversation),
            has_unread: last_message.is_some_and(|message| message.is_from_user),
            unread_count: reading.unread_by_agents,
            read_up_to: ReadUpToView::new(&reading),
            assigned_admin: assignee
                .map(|assignee| AssignedAdmin::new(&assignee.id, &assignee.name, related.user(assignee.id.as_str()))),
            pending_handover: related
                .pending_handover(conversation)
                .map(|handover| PendingHandover::new(handover, expiry)),
        }
    }
}

impl<'a> UserView<'a> {
    pub(super) fn new(user: &'a users::Model, level: DetailLevel) -> Self {
        let (first_name, last_name) = match (user.first_name.as_deref(), user.last_name.as_deref()) {
            (None, None) => user.name.as_deref().map_or((None, None), split_name),
            names => names,
        };
        Self {
            id: &user.id,
            first_name,
            last_name,
            email: user.email.as_deref(),
            phone_number: user.phone_number.as_deref(),
            smipay_tag: user.smipay_tag.as_deref(),
            profile_image: user.picture.as_deref().map(|secure_url| ProfileImage { secure_url }),
            details: (level == DetailLevel::Detail).then_some(UserDetails {
                account_status: "active",
                role: &user.role,
                wallet: None,
                tier: None,
                kyc_verification: None,
            }),
        }
    }
}

impl<'a> AssignedAdmin<'a> {
    /// First and last name from the directory if it has them, else from `name`, which the assignment stored.
    pub(super) fn new(id: &'a UserId, name: &'a str, user: Option<&'a users::Model>) -> Self {
        let (first, last) = display_name::split(user, name);
        Self { id: id.as_str(), first_name: first, last_name: last, email: user.and_then(|user| user.email.as_deref()) }
    }
}

/// A conversation in detail.
#[derive(Serialize, JsonSchema)]
pub(super) struct ConversationDetail<'a> {
    #[serde(flatten)]
    card: QueueCard<'a>,
    smileai_conversation_id: Option<()>,
    device_metadata: Map<String, Value>,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    feedback: Option<&'a Feedback>,
    messages: Vec<AgentMessage<'a>>,
    total_messages: i64,
    has_more: bool,
    handovers: Vec<HandoverView<'a>>,
}

impl<'a> ConversationDetail<'a> {
    pub(super) fn new(
        conversation: &'a Conversation,
        related: &'a Related,
        history: &'a History,
        handovers: &'a [handovers::Model],
        reader: &Owner,
        expiry: HandoverExpiryTime,
    ) -> Self {
        Self {
            card: QueueCard::new(conversation, related, expiry, DetailLevel::Detail),
            smileai_conversation_id: None,
            device_metadata: device_metadata(conversation),
            ip_address: conversation.ip_address.as_deref(),
            user_agent: conversation.user_agent.as_deref(),
            feedback: conversation.feedback.as_ref(),
            messages: history.messages.iter().map(|posted| AgentMessage::new(posted, reader)).collect(),
            total_messages: conversation.message_count,
            has_more: history.has_more,
            handovers: handovers.iter().map(HandoverView::new).collect(),
        }
    }
}

/// The device, always with a `platform` that a reader can see (`additions.md`, 1).
pub(super) fn device_metadata(conversation: &Conversation) -> Map<String, Value> {
    let mut object = conversation.device_metadata.as_ref().map(|device| device.as_object().clone()).unwrap_or_default();
    if object.get("platform").and_then(Value::as_str).is_none_or(is_blank) {
        object.insert("platform".to_owned(), Value::from("unknown"));
    }
    object
}

/// A message or note as agents read it.
#[derive(Serialize, JsonSchema)]
pub(super) struct AgentMessage<'a> {
    id: EventId,
    position: i64,
    seq: Option<i64>,
    message: &'a str,
    is_internal: bool,
    is_from_user: bool,
    user_id: Option<&'a str>,
    sender_name: Option<&'a str>,
    sender_email: Option<&'a str>,
    attachments: Option<()>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
    /// Of the reader's own messages only, those that were sent with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_message_id: Option<&'a ClientMessageId>,
}

impl<'a> AgentMessage<'a> {
    pub(super) fn new(posted: &'a Posted, reader: &Owner) -> Self {
        let author = &posted.message.author;
        Self {
            id: posted.id,
            position: posted.position,
            seq: posted.message.seq,
            message: posted.message.text.as_str(),
            is_internal: posted.message.is_note(),
            is_from_user: author.is_customer(),
            user_id: author.account().map(UserId::as_str),
            sender_name: author.name(),
            sender_email: author.email(),
            attachments: None,
            created_at: IsoTimestamp(posted.at),
            client_message_id: posted.message.client_message_id_for(reader),
        }
    }
}
