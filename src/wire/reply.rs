//! An agent's answer or note (`support-admin.md`, "reply").

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Validator, conversation_id};
use crate::api_error::ApiError;
use crate::conversation::{CommandError, Registry};
use crate::domain::{
    AddNote, Agent, ClientMessageId, ConversationId, EventId, MessageText, Post, Posted, SendReply, Target,
};
use crate::limits::Limits;
use crate::timestamp::IsoTimestamp;

/// What the dashboard sends; every field may be missing or null, and each rule is checked behind this.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "ReplyRequest")]
pub(crate) struct ReplyBody {
    #[schemars(with = "MessageText")]
    message: Option<String>,
    is_internal: Option<bool>,
    #[schemars(with = "Option<ClientMessageId>")]
    pub(crate) client_message_id: Option<String>,
}

impl ReplyBody {
    /// What is wrong with it goes into `fields`; the name of the send has been read already.
    pub(crate) fn read(
        self,
        fields: &mut Validator,
        target: Target,
        from: Agent,
        client_message_id: Option<ClientMessageId>,
    ) -> Option<Reply> {
        let text = fields.required("message", self.message.as_deref(), MessageText::parse)?;
        let post = Post { target, from, text, client_message_id };
        Some(Reply { post, is_note: self.is_internal.unwrap_or_default() })
    }
}

/// An answer or a note whose form is right.
pub(crate) struct Reply {
    pub(crate) post: Post<Agent>,
    is_note: bool,
}

impl Reply {
    /// Gives the message, once it is stored.
    pub(crate) async fn execute(
        self,
        registry: &Arc<Registry>,
        conversation: ConversationId,
    ) -> Result<Arc<Posted>, CommandError> {
        if self.is_note {
            registry.execute(conversation, AddNote(self.post)).await
        } else {
            registry.execute(conversation, SendReply(self.post)).await
        }
    }
}

/// Writes it into the conversation of this id, as the client spells it.
pub(crate) async fn carry_out(
    registry: &Arc<Registry>,
    limits: &Limits,
    id: &str,
    reply: Reply,
) -> Result<Arc<Posted>, ApiError> {
    limits.send(&reply.post.from.id)?;
    Ok(reply.execute(registry, conversation_id(id)?).await?)
}

/// The answer's `data`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReplySent")]
pub(crate) struct ReplyView<'a> {
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
}

impl<'a> ReplyView<'a> {
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
        }
    }
}
