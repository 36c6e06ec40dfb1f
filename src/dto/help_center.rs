//! The shapes of `help-center.md`, section 4.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Validator;
use crate::domain::{ClientMessageId, Conversation, ConversationId, EventId, MessageText, Posted, Status, UserId};
use crate::json_schema::{HelpCenterSender, HelpCenterStatus, HelpCenterText};
use crate::store::History;
use crate::timestamp::IsoTimestamp;

/// A customer's message.
// All fields are optional here, so that validation names each missing one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HelpCenterSendRequest {
    #[schemars(with = "HelpCenterText")]
    text: Option<String>,
    #[schemars(with = "Option<ClientMessageId>")]
    pub(crate) client_message_id: Option<String>,
}

impl HelpCenterSendRequest {
    /// The spelling of the idempotency key.
    pub(crate) const CLIENT_MESSAGE_ID: &str = "clientMessageId";

    /// Validates the text; the idempotency key is validated by the caller, because REST also accepts it as a header.
    pub(crate) fn validate(&self, validator: &mut Validator) -> Option<MessageText> {
        validator.required("text", self.text.as_deref(), MessageText::parse_for_help_center)
    }
}

/// A conversation and its newest messages.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HelpCenterThread<'a> {
    conversation: HelpCenterConversation<'a>,
    messages: Vec<HelpCenterMessage<'a>>,
    /// Whether there are older messages.
    has_more: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HelpCenterConversation<'a> {
    id: ConversationId,
    user_id: Option<&'a UserId>,
    #[schemars(with = "HelpCenterStatus")]
    status: &'static str,
    created_at: IsoTimestamp,
    updated_at: IsoTimestamp,
}

/// A message as its customer reads it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HelpCenterMessage<'a> {
    id: EventId,
    conversation_id: ConversationId,
    #[schemars(with = "HelpCenterSender")]
    sender: &'static str,
    text: &'a str,
    created_at: IsoTimestamp,
    /// Its position among all messages, without gaps.
    seq: Option<i64>,
    /// Of the customer's own messages only, those that were sent with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_message_id: Option<&'a ClientMessageId>,
}

impl<'a> HelpCenterMessage<'a> {
    /// All readers here are the conversation's customer, who is the sender of every customer's message in it.
    pub(crate) fn new(posted: &'a Posted) -> Self {
        let is_own = posted.message.author.is_customer();
        Self {
            id: posted.id,
            conversation_id: posted.conversation,
            sender: if is_own { "user" } else { "support" },
            text: posted.message.text.as_str(),
            created_at: IsoTimestamp(posted.at),
            seq: posted.message.seq,
            client_message_id: posted.message.client_message_id.as_ref().filter(|_| is_own),
        }
    }

    /// Its length as JSON, in bytes.
    fn size(&self) -> usize {
        serde_json::to_string(self).map_or(usize::MAX, |json| json.len())
    }
}

impl<'a> HelpCenterThread<'a> {
    pub(crate) fn new(conversation: &'a Conversation, history: &'a History) -> Self {
        Self {
            conversation: HelpCenterConversation::new(conversation),
            messages: history.messages.iter().map(HelpCenterMessage::new).collect(),
            has_more: history.has_more,
        }
    }

    /// Drops the oldest messages so that the others take at most so many bytes as JSON.
    pub(crate) fn truncate(mut self, max_bytes: usize) -> Self {
        let mut left = max_bytes;
        let kept = self.messages.iter().rev().take_while(|message| match left.checked_sub(message.size()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
        let dropped = self.messages.len() - kept.count();
        self.has_more |= dropped > 0;
        self.messages.drain(..dropped);
        self
    }
}

impl<'a> HelpCenterConversation<'a> {
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
