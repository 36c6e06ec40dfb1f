//! An agent's reply or note: `reply` and `send_message` (`support-admin.md`, "reply").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Validator;
use crate::domain::{Agent, ClientMessageId, EventId, MessageText, Post, Posted, Target};
use crate::timestamp::IsoTimestamp;

/// A reply to the customer, or a note that only agents see.
// All fields are optional here, so that validation names each missing one.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReplyRequest {
    #[schemars(with = "MessageText")]
    message: Option<String>,
    is_internal: Option<bool>,
    #[schemars(with = "Option<ClientMessageId>")]
    pub(crate) client_message_id: Option<String>,
}

impl ReplyRequest {
    /// Validates everything but the idempotency key, which REST also accepts as a header.
    pub(crate) fn validate(
        self,
        validator: &mut Validator,
        target: Target,
        from: Agent,
        client_message_id: Option<ClientMessageId>,
    ) -> Option<ValidatedReply> {
        let text = validator.required("message", self.message.as_deref(), MessageText::parse)?;
        Some(ValidatedReply {
            post: Post { target, from, text, client_message_id },
            is_note: self.is_internal.unwrap_or_default(),
        })
    }
}

/// A reply or note whose fields are valid.
pub(crate) struct ValidatedReply {
    pub(crate) post: Post<Agent>,
    pub(crate) is_note: bool,
}

/// The reply or note as it is stored.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReplySent<'a> {
    id: EventId,
    position: i64,
    seq: Option<i64>,
    message: &'a str,
    is_internal: bool,
    #[schemars(extend("const" = false))]
    is_from_user: bool,
    sender_name: Option<&'a str>,
    sender_email: Option<&'a str>,
    #[serde(rename = "createdAt")]
    created_at: IsoTimestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_message_id: Option<&'a ClientMessageId>,
}

impl<'a> ReplySent<'a> {
    pub(crate) fn new(posted: &'a Posted) -> Self {
        Self {
            id: posted.id,
            position: posted.position,
            seq: posted.message.seq,
            message: posted.message.text.as_str(),
            is_internal: posted.message.is_note(),
            is_from_user: false,
            sender_name: posted.message.author.name(),
            sender_email: posted.message.author.email(),
            created_at: IsoTimestamp(posted.at),
            client_message_id: posted.message.client_message_id.as_ref(),
        }
    }
}
