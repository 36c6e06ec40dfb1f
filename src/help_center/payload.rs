//! The shapes of `help-center.md`, section 4, key by key.

use schemars::JsonSchema;
use serde::Serialize;

use super::Thread;
use crate::domain::{Conversation, ConversationId, EventId, Posted, Status, UserId};
use crate::json_schema::{HelpCenterSender, HelpCenterStatus};
use crate::timestamp::IsoTimestamp;

/// `help_center:connected`, and what REST answers.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HelpCenterThread")]
pub(crate) struct ThreadPayload<'a> {
    conversation: ConversationPayload<'a>,
    messages: Vec<MessagePayload<'a>>,
    /// Whether there are messages in front of these.
    has_more: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HelpCenterConversation")]
struct ConversationPayload<'a> {
    id: ConversationId,
    user_id: Option<&'a UserId>,
    #[schemars(with = "HelpCenterStatus")]
    status: &'static str,
    created_at: IsoTimestamp,
    updated_at: IsoTimestamp,
}

/// `help_center:message`, and every message in a thread.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HelpCenterMessage")]
pub(crate) struct MessagePayload<'a> {
    id: EventId,
    conversation_id: ConversationId,
    #[schemars(with = "HelpCenterSender")]
    sender: &'static str,
    text: &'a str,
    created_at: IsoTimestamp,
    /// Its place among all messages, without a gap (`decisions.md`, "Order without gaps").
    seq: Option<i64>,
}

impl<'a> MessagePayload<'a> {
    pub(crate) fn new(posted: &'a Posted) -> Self {
        Self {
            id: posted.id,
            conversation_id: posted.conversation,
            sender: if posted.message.author.is_customer() { "user" } else { "support" },
            text: posted.message.text.as_str(),
            created_at: IsoTimestamp(posted.at),
            seq: posted.message.seq,
        }
    }

    /// Bytes of JSON.
    fn size(&self) -> usize {
        serde_json::to_string(self).map_or(usize::MAX, |json| json.len())
    }
}

impl<'a> ThreadPayload<'a> {
    pub(crate) fn new(thread: &'a Thread) -> Self {
        let Thread { conversation, history } = thread;
        Self {
            conversation: ConversationPayload::new(conversation),
            messages: history.messages.iter().map(MessagePayload::new).collect(),
            has_more: history.has_more,
        }
    }

    /// As [`Self::new`], with as many of the newest messages as have room in so many bytes of JSON.
    pub(crate) fn within(thread: &'a Thread, bytes: usize) -> Self {
        let mut payload = Self::new(thread);
        let mut room = bytes;
        let shown = payload.messages.iter().rev().take_while(|message| match room.checked_sub(message.size()) {
            Some(rest) => {
                room = rest;
                true
            }
            None => false,
        });
        let left_out = payload.messages.len() - shown.count();
        payload.has_more |= left_out > 0;
        payload.messages.drain(..left_out);
        payload
    }
}

impl<'a> ConversationPayload<'a> {
    fn new(conversation: &'a Conversation) -> Self {
        Self {
            id: conversation.id,
            user_id: conversation.owner.account(),
            status: if conversation.status == Status::Closed { "closed" } else { "open" },
            created_at: IsoTimestamp(conversation.created_at),
            updated_at: IsoTimestamp(conversation.updated_at),
        }
    }
}
