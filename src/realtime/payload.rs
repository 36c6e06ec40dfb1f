//! The payloads of the events on `/support`, key by key (`support-user.md`, `support-admin.md`).

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{
    ConversationId, EventId, HandoverId, Posted, Reason, Resolution, ResolutionNotes, Status, Subject, SupportType,
    TicketId, TicketPriority, TicketStatus, preview,
};
use crate::timestamp::IsoTimestamp;

/// `new_message`, to the conversation or to the ticket.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewMessage")]
pub(super) struct NewMessage<'a> {
    #[serde(flatten)]
    place: Place,
    message: Message<'a>,
}

/// Where something was written or is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Place")]
pub(super) enum Place {
    /// In a conversation.
    #[serde(rename = "conversation_id")]
    Conversation(ConversationId),
    /// In a ticket.
    #[serde(rename = "ticket_id")]
    Ticket(TicketId),
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventMessage")]
struct Message<'a> {
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
    created_at_too: IsoTimestamp,
}

impl<'a> NewMessage<'a> {
    pub(super) fn of_conversation(posted: &'a Posted) -> Self {
        Self::of(Place::Conversation(posted.conversation), posted)
    }

    pub(super) fn of_ticket(ticket: TicketId, posted: &'a Posted) -> Self {
        Self::of(Place::Ticket(ticket), posted)
    }

    /// Bytes that it takes as JSON.
    pub(super) fn length(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |json| json.len())
    }

    fn of(place: Place, posted: &'a Posted) -> Self {
        let message = &posted.message;
        Self {
            place,
            message: Message {
                id: posted.id,
                seq: message.seq,
                message: message.text.as_str(),
                is_from_user: message.author.is_customer(),
                is_internal: message.is_note(),
                sender_name: message.author.name(),
                sender_email: message.author.email(),
                attachments: None,
                created_at: IsoTimestamp(posted.at),
                created_at_too: IsoTimestamp(posted.at),
            },
        }
    }
}

/// `conversation_created`, to the agents.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationCreated")]
pub(super) struct ConversationCreated<'a> {
    pub(super) id: ConversationId,
    pub(super) user_id: Option<&'a str>,
    pub(super) email: Option<&'a str>,
    #[schemars(with = "Status")]
    pub(super) status: &'static str,
    pub(super) created_at: IsoTimestamp,
    pub(super) first_message: &'a str,
}

/// `conversation_updated`: what has happened, for lists and badges.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationUpdated")]
pub(super) struct ConversationUpdated<'a> {
    conversation_id: ConversationId,
    #[serde(flatten)]
    update: Update<'a>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[schemars(rename = "ConversationUpdate")]
pub(super) enum Update<'a> {
    /// To the agents: the customer wrote.
    NewUserMessage { message: Preview<'a> },
    /// To the customer: an agent answered.
    NewReply { message: Preview<'a> },
    /// An agent took it; only agents learn by which account.
    Claimed {
        #[serde(skip_serializing_if = "Option::is_none")]
        assigned_to: Option<&'a str>,
        assigned_admin_name: &'a str,
    },
    /// It is closed.
    Closed,
    /// To the agents: the target took it over.
    HandoverAccepted,
    /// To the agents: the target did not.
    HandoverRejected,
    /// To the customer: another agent has it now.
    HandoverCompleted { assigned_admin_name: &'a str },
    /// To the customer: a ticket was made of it.
    TicketCreated { ticket_number: &'a str },
}

impl<'a> Update<'a> {
    pub(super) fn of(self, conversation_id: ConversationId) -> ConversationUpdated<'a> {
        ConversationUpdated { conversation_id, update: self }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Preview")]
pub(super) struct Preview<'a> {
    id: EventId,
    preview: &'a str,
    sender_name: Option<&'a str>,
    created_at: IsoTimestamp,
}

impl<'a> Preview<'a> {
    pub(super) fn new(posted: &'a Posted) -> Self {
        Self {
            id: posted.id,
            preview: preview(posted.message.text.as_str()),
            sender_name: posted.message.author.name(),
            created_at: IsoTimestamp(posted.at),
        }
    }
}

/// `conversation_claimed`, to the conversation.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationClaimed")]
pub(super) struct ConversationClaimed<'a> {
    pub(super) conversation_id: ConversationId,
    pub(super) assigned_to: &'a str,
    pub(super) assigned_admin_name: &'a str,
}

/// `conversation_closed`, to the conversation.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationClosed")]
pub(super) struct ConversationClosed {
    pub(super) conversation_id: ConversationId,
}

/// `handover_requested`, to the agent who was asked.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HandoverRequested")]
pub(super) struct HandoverRequested<'a> {
    pub(super) handover_id: HandoverId,
    pub(super) conversation_id: ConversationId,
    pub(super) from_admin_id: &'a str,
    pub(super) from_admin_name: &'a str,
    pub(super) reason: Option<&'a Reason>,
}

/// `handover_resolved`, to the agent who asked, and on a close to the one who was asked too.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HandoverResolved")]
pub(super) struct HandoverResolved<'a> {
    pub(super) handover_id: HandoverId,
    pub(super) conversation_id: ConversationId,
    #[schemars(with = "Resolution")]
    pub(super) status: &'static str,
    pub(super) to_admin_name: &'a str,
}

/// `ticket_created_from_conversation`, to the conversation.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketCreatedFromConversation")]
pub(super) struct TicketCreatedFromConversation<'a> {
    pub(super) conversation_id: ConversationId,
    pub(super) ticket: TicketSummary<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketSummary")]
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

/// `ticket_created`, to the agents.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketCreated")]
pub(super) struct TicketCreated<'a> {
    pub(super) id: TicketId,
    pub(super) ticket_number: &'a str,
    pub(super) subject: &'a Subject,
    #[schemars(with = "SupportType")]
    pub(super) support_type: &'static str,
    #[schemars(with = "TicketPriority")]
    pub(super) priority: &'static str,
    pub(super) email: Option<&'a str>,
    pub(super) created_at: IsoTimestamp,
    /// Null where it was made without a conversation.
    pub(super) conversation_id: Option<ConversationId>,
}

/// `ticket_updated`: what has happened, for lists and badges.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketUpdated")]
pub(super) struct TicketUpdated<'a> {
    pub(super) ticket_id: TicketId,
    pub(super) ticket_number: &'a str,
    #[serde(flatten)]
    pub(super) update: TicketUpdate<'a>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[schemars(rename = "TicketUpdate")]
pub(super) enum TicketUpdate<'a> {
    /// To the agents: the customer wrote.
    NewUserMessage { message: Preview<'a> },
    /// To the customer: an agent answered.
    NewReply { message: Preview<'a> },
    /// To the agents: an agent has it.
    Assigned { assigned_to: &'a str, assigned_admin_name: &'a str },
    /// To the customer: how far it is.
    StatusChanged {
        old_status: &'static str,
        new_status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        resolution_notes: Option<&'a ResolutionNotes>,
    },
}

/// `ticket_assigned`, to the ticket.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TicketAssigned")]
pub(super) struct TicketAssigned<'a> {
    pub(super) ticket_id: TicketId,
    pub(super) ticket_number: &'a str,
    pub(super) assigned_to: &'a str,
    pub(super) assigned_admin_name: &'a str,
}

/// `status_changed`, to the ticket.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatusChanged")]
pub(super) struct StatusChanged<'a> {
    pub(super) ticket_id: TicketId,
    pub(super) ticket_number: &'a str,
    #[schemars(with = "TicketStatus")]
    pub(super) old_status: &'static str,
    #[schemars(with = "TicketStatus")]
    pub(super) new_status: &'static str,
    pub(super) resolution_notes: Option<&'a ResolutionNotes>,
}

impl Typing<'_> {
    /// What it is called.
    pub(super) fn event(is_typing: bool) -> &'static str {
        if is_typing { "typing" } else { "stop_typing" }
    }
}

/// `help_center:typing`, to the customer.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HelpCenterTyping")]
pub(super) struct HelpCenterTyping {
    pub(super) is_typing: bool,
    #[schemars(extend("const" = "support"))]
    pub(super) sender: &'static str,
}

/// `typing` and `stop_typing`, to the conversation or the ticket but not to the sender.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Typing")]
pub(super) struct Typing<'a> {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) user_id: &'a str,
    pub(super) is_admin: bool,
}
