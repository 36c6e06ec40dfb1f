//! The shapes that answers and events share, key by key as the contract spells them.

use serde::Serialize;

use crate::domain::{EventId, Posted};
use crate::moment::Iso;

/// A message as a customer sees it in an answer to `chat/send` (`support-user.md`, 1).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct UserMessage<'a> {
    pub(crate) id: EventId,
    pub(crate) seq: Option<i64>,
    pub(crate) message: &'a str,
    pub(crate) is_from_user: bool,
    pub(crate) sender_name: Option<&'a str>,
    pub(crate) sender_email: Option<&'a str>,
    pub(crate) attachments: Option<()>,
    pub(crate) created_at: Iso,
    #[serde(rename = "createdAt", skip_serializing_if = "Option::is_none")]
    pub(crate) created_at_too: Option<Iso>,
}

impl<'a> UserMessage<'a> {
    /// As a conversation's history shows it.
    pub(crate) fn in_history(posted: &'a Posted) -> Self {
        Self {
            id: posted.id,
            seq: posted.message.seq,
            message: posted.message.text.as_str(),
            is_from_user: posted.message.author.is_customer(),
            sender_name: posted.message.author.name(),
            sender_email: posted.message.author.email(),
            attachments: None,
            created_at: Iso(posted.at),
            created_at_too: None,
        }
    }

    /// As the answer to a send shows it: with its moment under both spellings.
    pub(crate) fn in_answer(posted: &'a Posted) -> Self {
        Self { created_at_too: Some(Iso(posted.at)), ..Self::in_history(posted) }
    }
}
