//! The payloads of the events that the server emits on `/support` (`support-user.md`, `support-admin.md`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::emit::EmitEvent;
use crate::domain::{
    ClientMessageId, ConversationId, EventId, HandoverId, Owner, Posted, Reason, Resolution, ResolutionNotes, Status,
    Subject, SupportType, TicketId, TicketPriority, TicketStatus, preview,
};
use crate::json_schema::HandoverRejection;
use crate::timestamp::IsoTimestamp;

/// `new_message`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewMessage")]
pub(super) struct NewMessageEvent<'a> {
    #[serde(flatten)]
    place: ConversationOrTicket,
    message: EventMessage<'a>,
}

/// Where a message was posted or a user types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[schemars(rename = "Place")]
pub(super) enum ConversationOrTicket {
    #[serde(rename = "conversation_id")]
    Conversation(ConversationId),
    #[serde(rename = "ticket_id")]
    Ticket(TicketId),
}

#[derive(Clone, Copy, Serialize, JsonSchema)]
struct EventMessage<'a> {
    id: EventId,
    seq: Option<i64>,
    message: &'a str,
    is_from_user: bool,
    is_internal: bool,
    sender_name: Option<&'a str>,
    sender_email: Option<&'a str>,
    attachments: Option<()>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
    #[serde(rename = "created_at")]
    created_at_snake_case: IsoTimestamp,
    /// To the sockets of its sender only, if it was sent with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_message_id: Option<&'a ClientMessageId>,
}

impl<'a> NewMessageEvent<'a> {
    pub(super) fn of_conversation(posted: &'a Posted) -> Self {
        Self::of(ConversationOrTicket::Conversation(posted.conversation), posted)
    }

    pub(super) fn of_ticket(ticket: TicketId, posted: &'a Posted) -> Self {
        Self::of(ConversationOrTicket::Ticket(ticket), posted)
    }

    /// In a conversation, as `reader` sees it: its sender also sees the id that they gave it.
    pub(super) fn for_reader(posted: &'a Posted, reader: &Owner) -> Self {
        let event = Self::of_conversation(posted);
        let client_message_id = posted.message.client_message_id_for(reader);
        Self { message: EventMessage { client_message_id, ..event.message }, ..event }
    }

    /// As its sender sees it; `None` if it looks the same to every reader.
    pub(super) fn for_sender(&self, posted: &'a Posted) -> Option<Self> {
        let client_message_id = Some(posted.message.client_message_id.as_ref()?);
        Some(Self { place: self.place, message: EventMessage { client_message_id, ..self.message } })
    }

    /// Its length as JSON, in bytes.
    pub(super) fn size(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |json| json.len())
    }

    fn of(place: ConversationOrTicket, posted: &'a Posted) -> Self {
        let message = &posted.message;
        Self {
            place,
            message: EventMessage {
                id: posted.id,
                seq: message.seq,
                message: message.text.as_str(),
                is_from_user: message.author.is_customer(),
                is_internal: message.is_note(),
                sender_name: message.author.name(),
                sender_email: message.author.email(),
                attachments: None,
                created_at: IsoTimestamp(posted.at),
                created_at_snake_case: IsoTimestamp(posted.at),
                client_message_id: None,
            },
        }
    }
}

/// `conversation_created`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationCreated")]
pub(super) struct ConversationCreatedEvent<'a> {
    pub(super) id: ConversationId,
    pub(super) user_id: Option<&'a str>,
    pub(super) email: Option<&'a str>,
    #[schemars(with = "Status")]
    pub(super) status: &'static str,
    pub(super) created_at: IsoTimestamp,
    pub(super) first_message: &'a str,
}

/// `conversation_updated`, for lists and badges.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationUpdated")]
pub(super) struct ConversationUpdatedEvent<'a> {
    conversation_id: ConversationId,
    #[serde(flatten)]
    update: ConversationUpdate<'a>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum ConversationUpdate<'a> {
    /// To the agents: the customer wrote.
    NewUserMessage { message: MessagePreview<'a> },
    /// To the customer: an agent replied.
    NewReply { message: MessagePreview<'a> },
    /// An agent claimed it; only agents read the agent's id.
    Claimed {
        #[serde(skip_serializing_if = "Option::is_none")]
        assigned_to: Option<&'a str>,
        assigned_admin_name: &'a str,
        /// To the agents: who lost it, by a take-over or an assignment.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous_admin_id: Option<&'a str>,
    },
    /// It is closed.
    Closed,
    /// To the agents: the target accepted.
    HandoverAccepted,
    /// To the agents: it ended in any other way.
    HandoverRejected,
    /// To the customer: another agent has taken over.
    HandoverCompleted { assigned_admin_name: &'a str },
    /// To the customer: a ticket was created from it.
    TicketCreated { ticket_number: &'a str },
}

impl<'a> ConversationUpdate<'a> {
    pub(super) fn of(self, conversation_id: ConversationId) -> ConversationUpdatedEvent<'a> {
        ConversationUpdatedEvent { conversation_id, update: self }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Preview")]
pub(super) struct MessagePreview<'a> {
    id: EventId,
    preview: &'a str,
    sender_name: Option<&'a str>,
    created_at: IsoTimestamp,
}

impl<'a> MessagePreview<'a> {
    pub(super) fn new(posted: &'a Posted) -> Self {
        Self {
            id: posted.id,
            preview: preview(posted.message.text.as_str()),
            sender_name: posted.message.author.name(),
            created_at: IsoTimestamp(posted.at),
        }
    }
}

/// `conversation_claimed`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationClaimed")]
pub(super) struct ConversationClaimedEvent<'a> {
    pub(super) conversation_id: ConversationId,
    pub(super) assigned_to: &'a str,
    pub(super) assigned_admin_name: &'a str,
    /// Who lost it, by a take-over or an assignment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous_admin_id: Option<&'a str>,
}

/// `conversation_closed`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationClosed")]
pub(super) struct ConversationClosedEvent {
    pub(super) conversation_id: ConversationId,
}

/// `handover_requested`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HandoverRequested")]
pub(super) struct HandoverRequestedEvent<'a> {
    pub(super) handover_id: HandoverId,
    pub(super) conversation_id: ConversationId,
    pub(super) from_admin_id: &'a str,
    pub(super) from_admin_name: &'a str,
    #[schemars(with = "Option<Reason>")]
    pub(super) reason: Option<&'a str>,
}

/// `handover_resolved`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HandoverResolved")]
pub(super) struct HandoverResolvedEvent<'a> {
    pub(super) handover_id: HandoverId,
    pub(super) conversation_id: ConversationId,
    #[schemars(with = "Resolution")]
    pub(super) status: &'static str,
    /// Why it was not accepted.
    #[schemars(with = "Option<HandoverRejection>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resolution: Option<&'static str>,
    pub(super) to_admin_name: &'a str,
}

/// `ticket_created_from_conversation`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketCreatedFromConversation")]
pub(super) struct TicketCreatedFromConversationEvent<'a> {
    pub(super) conversation_id: ConversationId,
    pub(super) ticket: TicketSummary<'a>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct TicketSummary<'a> {
    pub(super) id: TicketId,
    pub(super) ticket_number: &'a str,
    pub(super) subject: &'a Subject,
    #[schemars(with = "SupportType")]
    pub(super) support_type: &'static str,
    #[schemars(with = "TicketPriority")]
    pub(super) priority: &'static str,
    #[schemars(with = "TicketStatus")]
    pub(super) status: &'static str,
}

/// `ticket_created`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketCreated")]
pub(super) struct TicketCreatedEvent<'a> {
    pub(super) id: TicketId,
    pub(super) ticket_number: &'a str,
    pub(super) subject: &'a Subject,
    #[schemars(with = "SupportType")]
    pub(super) support_type: &'static str,
    #[schemars(with = "TicketPriority")]
    pub(super) priority: &'static str,
    pub(super) email: Option<&'a str>,
    pub(super) created_at: IsoTimestamp,
    /// Null if it was created without a conversation.
    pub(super) conversation_id: Option<ConversationId>,
}

/// `ticket_updated`, for lists and badges.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketUpdated")]
pub(super) struct TicketUpdatedEvent<'a> {
    pub(super) ticket_id: TicketId,
    pub(super) ticket_number: &'a str,
    #[serde(flatten)]
    pub(super) update: TicketUpdate<'a>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum TicketUpdate<'a> {
    /// To the agents: the customer wrote.
    NewUserMessage { message: MessagePreview<'a> },
    /// To the customer: an agent replied.
    NewReply { message: MessagePreview<'a> },
    /// To the agents: it was assigned.
    Assigned { assigned_to: &'a str, assigned_admin_name: &'a str },
    /// To the customer: its status has changed.
    StatusChanged {
        old_status: &'static str,
        new_status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        resolution_notes: Option<&'a ResolutionNotes>,
    },
}

/// `ticket_assigned`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketAssigned")]
pub(super) struct TicketAssignedEvent<'a> {
    pub(super) ticket_id: TicketId,
    pub(super) ticket_number: &'a str,
    pub(super) assigned_to: &'a str,
    pub(super) assigned_admin_name: &'a str,
}

/// `status_changed`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatusChanged")]
pub(super) struct StatusChangedEvent<'a> {
    pub(super) ticket_id: TicketId,
    pub(super) ticket_number: &'a str,
    #[schemars(with = "TicketStatus")]
    pub(super) old_status: &'static str,
    #[schemars(with = "TicketStatus")]
    pub(super) new_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resolution_notes: Option<&'a ResolutionNotes>,
}

/// `help_center:typing`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HelpCenterTyping")]
pub(super) struct HelpCenterTypingEvent {
    pub(super) is_typing: bool,
    #[schemars(extend("const" = "support"))]
    pub(super) sender: &'static str,
}

/// `typing` and `stop_typing`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Typing")]
pub(super) struct TypingEvent<'a> {
    #[serde(flatten)]
    pub(super) place: ConversationOrTicket,
    /// Null for a guest.
    pub(super) user_id: Option<&'a str>,
    pub(super) is_admin: bool,
}

/// `stop_typing`: the payload of `typing`.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct StopTypingEvent<'a>(pub(super) TypingEvent<'a>);

// Derived, it would be a schema of its own in the document.
impl JsonSchema for StopTypingEvent<'_> {
    fn schema_name() -> Cow<'static, str> {
        TypingEvent::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        TypingEvent::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        TypingEvent::json_schema(generator)
    }
}

impl TypingEvent<'_> {
    /// Emits `typing`, or `stop_typing`.
    pub(super) fn emit(self, to: impl EmitEvent, is_typing: bool) {
        if is_typing { to.emit_event(&self) } else { to.emit_event(&StopTypingEvent(self)) }
    }
}
