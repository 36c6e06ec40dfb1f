//! A customer's message: `chat/send` and `send_message` (`support-user.md`, 1 and 2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{UserConversation, UserMessage, Validator};
use crate::domain::{ClientMessageId, ConversationId, DeviceMetadata, MessageText};

/// A message to a conversation, or the first one of a new conversation.
// All fields are optional here, so that validation names each missing one.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SendRequest {
    #[schemars(with = "MessageText")]
    message: Option<String>,
    conversation_id: Option<String>,
    #[schemars(with = "Option<ClientMessageId>")]
    pub(crate) client_message_id: Option<String>,
    device_metadata: Option<Map<String, Value>>,
}

impl SendRequest {
    /// The conversation that it names, in the client's spelling.
    pub(crate) fn conversation(&self) -> Option<&str> {
        self.conversation_id.as_deref()
    }

    /// Validates everything but the idempotency key, which REST also accepts as a header.
    pub(crate) fn validate(
        self,
        validator: &mut Validator,
        client_message_id: Option<ClientMessageId>,
    ) -> Option<ValidatedSend> {
        let message = validator.required("message", self.message.as_deref(), MessageText::parse);
        let device_metadata = self.device_metadata.map(DeviceMetadata::parse);
        let device_metadata = device_metadata.and_then(|parsed| validator.check("device_metadata", parsed));
        message.map(|message| ValidatedSend {
            message,
            conversation: self.conversation_id,
            client_message_id,
            device_metadata,
        })
    }
}

/// A send whose fields are valid.
pub(crate) struct ValidatedSend {
    pub(crate) message: MessageText,
    /// The conversation to continue, in the client's spelling.
    pub(crate) conversation: Option<String>,
    pub(crate) client_message_id: Option<ClientMessageId>,
    pub(crate) device_metadata: Option<DeviceMetadata>,
}

/// The outcome of a send.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Sent")]
pub(crate) enum SendResponse<'a> {
    /// The message started a conversation.
    Opened {
        conversation: Box<UserConversation<'a>>,
        #[schemars(extend("const" = true))]
        is_new: bool,
        /// For a guest: reads and continues this conversation.
        #[serde(skip_serializing_if = "Option::is_none")]
        guest_token: Option<String>,
    },
    /// The message was added to a conversation.
    Posted {
        conversation_id: ConversationId,
        message: UserMessage<'a>,
        #[schemars(extend("const" = false))]
        is_new: bool,
        /// For a guest: reads and continues this conversation.
        #[serde(skip_serializing_if = "Option::is_none")]
        guest_token: Option<String>,
    },
}
