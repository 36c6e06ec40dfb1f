//! A customer's send: begins a conversation, or goes on with one (`support-user.md`, 1 and 2).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::view::{UserConversation, UserMessage};
use super::{Validator, conversation_id};
use crate::api_error::ApiError;
use crate::conversation::{Opened, Registry, Sent};
use crate::domain::{
    Channel, ClientMessageId, ConversationId, Customer, DeviceMetadata, MessageText, Open, Origin, Post, Posted,
    SendMessage, Target,
};
use crate::limits::Limits;

/// What the app sends; every field may be missing or null, and each rule is checked behind this.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "SendRequest")]
pub(crate) struct SendBody {
    #[schemars(with = "MessageText")]
    message: Option<String>,
    conversation_id: Option<String>,
    #[schemars(with = "Option<ClientMessageId>")]
    pub(crate) client_message_id: Option<String>,
    device_metadata: Option<Map<String, Value>>,
}

/// A send whose form is right.
pub(crate) struct Send {
    pub(crate) message: MessageText,
    pub(crate) conversation: Option<String>,
    pub(crate) client_message_id: Option<ClientMessageId>,
    pub(crate) device_metadata: Option<DeviceMetadata>,
}

/// Where a send came from, as the server saw it.
#[derive(Default)]
pub(crate) struct Source {
    /// What else is known of the device, where the send itself does not tell.
    pub(crate) device_metadata: Option<DeviceMetadata>,
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl SendBody {
    /// What is wrong with it goes into `fields`; the name of the send has been read already.
    pub(crate) fn read(self, fields: &mut Validator, client_message_id: Option<ClientMessageId>) -> Option<Send> {
        let message = fields.required("message", self.message.as_deref(), MessageText::parse);
        let device_metadata = self.device_metadata.map(DeviceMetadata::parse);
        let device_metadata = device_metadata.and_then(|parsed| fields.keep("device_metadata", parsed));
        message.map(|message| Send { message, conversation: self.conversation_id, client_message_id, device_metadata })
    }
}

/// The result of a send.
pub(crate) enum SendResult {
    /// It opened a conversation, or repeats the send that did.
    Opened(Opened),
    /// It was added to an existing conversation.
    Posted(ConversationId, Arc<Posted>),
}

/// Begins a conversation, or goes on with the one that is named: for whoever it is that writes.
pub(crate) async fn carry_out(
    registry: &Arc<Registry>,
    limits: &Limits,
    from: Customer,
    send: Send,
    source: impl FnOnce() -> Source,
) -> Result<SendResult, ApiError> {
    limits.send(&from.owner)?;
    match send.conversation {
        Some(id) => {
            let id = conversation_id(&id)?;
            let Send { message: text, client_message_id, .. } = send;
            let post = Post { target: Target::Conversation, from, text, client_message_id };
            let Sent { message, opened } = registry.execute(id, SendMessage(post)).await?;
            Ok(match opened {
                Some(conversation) => SendResult::Opened(Opened { conversation, message }),
                None => SendResult::Posted(id, message),
            })
        }
        None => {
            let Source { device_metadata, ip_address, user_agent } = source();
            let open = Open {
                origin: Origin {
                    channel: Channel::Support,
                    customer: from,
                    device_metadata: send.device_metadata.or(device_metadata),
                    ip_address,
                    user_agent,
                },
                text: send.message,
                ticket: None,
                client_message_id: send.client_message_id,
            };
            Ok(SendResult::Opened(registry.open(open).await?))
        }
    }
}

/// The answer's `data`.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Sent")]
pub(crate) enum SentView<'a> {
    /// It began a conversation.
    Opened {
        conversation: Box<UserConversation<'a>>,
        #[schemars(extend("const" = true))]
        is_new: bool,
    },
    /// It went on with one.
    Posted {
        conversation_id: ConversationId,
        message: UserMessage<'a>,
        #[schemars(extend("const" = false))]
        is_new: bool,
    },
}

impl SendResult {
    pub(crate) fn view(&self) -> SentView<'_> {
        match self {
            Self::Opened(Opened { conversation, message }) => {
                let conversation = UserConversation::new(conversation, vec![UserMessage::in_answer(message)]);
                SentView::Opened { conversation: Box::new(conversation), is_new: true }
            }
            Self::Posted(conversation_id, message) => SentView::Posted {
                conversation_id: *conversation_id,
                message: UserMessage::in_answer(message),
                is_new: false,
            },
        }
    }
}
