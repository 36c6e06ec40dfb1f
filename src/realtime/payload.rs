//! The payloads of the events on `/support`, key by key (`support-user.md`, `support-admin.md`).

use serde::Serialize;

use crate::domain::{ConversationId, EventId, Posted, preview};
use crate::moment::Iso;

/// `new_message`, to the conversation.
#[derive(Serialize)]
pub(super) struct NewMessage<'a> {
    conversation_id: ConversationId,
    message: Message<'a>,
}

#[derive(Serialize)]
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
    created_at: Iso,
    #[serde(rename = "created_at")]
    created_at_too: Iso,
}

impl<'a> NewMessage<'a> {
    pub(super) fn new(posted: &'a Posted) -> Self {
        let message = &posted.message;
        Self {
            conversation_id: posted.conversation,
            message: Message {
                id: posted.id,
                seq: message.seq,
                message: message.text.as_str(),
                is_from_user: message.author.is_customer(),
                is_internal: message.is_note(),
                sender_name: message.author.name(),
                sender_email: message.author.email(),
                attachments: None,
                created_at: Iso(posted.at),
                created_at_too: Iso(posted.at),
            },
        }
    }
}

/// `conversation_created`, to the agents.
#[derive(Serialize)]
pub(super) struct ConversationCreated<'a> {
    pub(super) id: ConversationId,
    pub(super) user_id: Option<&'a str>,
    pub(super) email: Option<&'a str>,
    pub(super) status: &'static str,
    pub(super) created_at: Iso,
    pub(super) first_message: &'a str,
}

/// `conversation_updated`: what has happened, for lists and badges.
#[derive(Serialize)]
pub(super) struct ConversationUpdated<'a> {
    conversation_id: ConversationId,
    #[serde(flatten)]
    update: Update<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
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
}

impl<'a> Update<'a> {
    pub(super) fn of(self, conversation_id: ConversationId) -> ConversationUpdated<'a> {
        ConversationUpdated { conversation_id, update: self }
    }
}

#[derive(Serialize)]
pub(super) struct Preview<'a> {
    id: EventId,
    preview: &'a str,
    sender_name: Option<&'a str>,
    created_at: Iso,
}

impl<'a> Preview<'a> {
    pub(super) fn new(posted: &'a Posted) -> Self {
        Self {
            id: posted.id,
            preview: preview(posted.message.text.as_str()),
            sender_name: posted.message.author.name(),
            created_at: Iso(posted.at),
        }
    }
}

/// `conversation_claimed`, to the conversation.
#[derive(Serialize)]
pub(super) struct ConversationClaimed<'a> {
    pub(super) conversation_id: ConversationId,
    pub(super) assigned_to: &'a str,
    pub(super) assigned_admin_name: &'a str,
}

/// `conversation_closed`, to the conversation.
#[derive(Serialize)]
pub(super) struct ConversationClosed {
    pub(super) conversation_id: ConversationId,
}

/// `typing` and `stop_typing`, to the conversation but not to the sender.
#[derive(Serialize)]
pub(super) struct Typing<'a> {
    pub(super) conversation_id: ConversationId,
    pub(super) user_id: &'a str,
    pub(super) is_admin: bool,
}
