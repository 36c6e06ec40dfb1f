//! A customer sends a message: it starts a conversation, or continues one (`support-user.md`, 1 and 2).

use std::sync::Arc;

use super::conversation_id;
use crate::api_error::ApiError;
use crate::client_info::ClientInfo;
use crate::conversation::Opened;
use crate::domain::{Channel, ConversationId, Customer, Open, Origin, Owner, Post, Posted, SendMessage, Target};
use crate::dto::{SendResponse, UserConversation, UserMessage, ValidatedSend};
use crate::identity::{Guest, GuestPlace};
use crate::services::Services;
use crate::store;

/// What a send did.
pub(crate) enum SendOutcome {
    /// It opened a conversation, or repeats the send that did.
    Opened(Opened),
    /// It was added to an existing conversation.
    Posted(ConversationId, Arc<Posted>),
}

/// Starts a conversation, or posts to the one that the send names, after the rate limit was applied. `client` is called
/// for a new conversation only.
pub(crate) async fn send(
    services: &Services,
    from: Customer,
    send: ValidatedSend,
    client: impl FnOnce() -> ClientInfo,
) -> Result<SendOutcome, ApiError> {
    let ValidatedSend { message: text, conversation, client_message_id, device_metadata } = send;
    let Some(id) = conversation else {
        let client = client();
        let origin = Origin {
            channel: Channel::Support,
            customer: from,
            device_metadata: device_metadata.or(client.device_metadata),
            ip_address: client.ip_address,
            user_agent: client.user_agent,
        };
        let open = Open { origin, text, ticket: None, client_message_id };
        return Ok(SendOutcome::Opened(services.registry.open(open).await?));
    };
    let id = conversation_id(&id)?;
    let post = Post { target: Target::Conversation, from, text, client_message_id };
    let sent = services.registry.execute(id, SendMessage(post)).await?;
    Ok(match sent.opened {
        Some(conversation) => SendOutcome::Opened(Opened { conversation, message: sent.message }),
        None => SendOutcome::Posted(id, sent.message),
    })
}

/// A token for this guest, valid from now on.
pub(crate) fn issue_guest_token(services: &Services, guest: &Guest) -> Result<String, ApiError> {
    services.guest_tokens.issue(guest, services.clock.now()).map_err(|error| {
        tracing::error!(%error, "a guest's token could not be signed");
        ApiError::internal()
    })
}

impl SendOutcome {
    /// The conversation.
    fn conversation(&self) -> ConversationId {
        match self {
            Self::Opened(opened) => opened.conversation.id,
            Self::Posted(id, _) => *id,
        }
    }

    /// A token for the conversation, if a guest has sent this; `None` if the conversation belongs to an account by now.
    pub(crate) async fn guest_token(&self, services: &Services, sender: &Owner) -> Result<Option<String>, ApiError> {
        let Owner::Guest(email) = sender else { return Ok(None) };
        let id = self.conversation();
        let message = match self {
            Self::Opened(opened) => &opened.message,
            Self::Posted(_, message) => message,
        };
        // What was stored now was the guest's when it was stored. A repeat may be of long ago.
        if message.message.client_message_id.is_some() && !store::is_of_guest(&services.database, id, email).await? {
            return Ok(None);
        }
        let guest = Guest { place: GuestPlace::Conversation(id.0), email: email.clone() };
        issue_guest_token(services, &guest).map(Some)
    }

    /// As clients read it; with a token if it is for a guest.
    pub(crate) fn response(&self, guest_token: Option<String>) -> SendResponse<'_> {
        match self {
            Self::Opened(Opened { conversation, message }) => {
                let conversation = UserConversation::new(conversation, vec![UserMessage::in_answer(message)]);
                SendResponse::Opened { conversation: Box::new(conversation), is_new: true, guest_token }
            }
            Self::Posted(conversation_id, message) => SendResponse::Posted {
                conversation_id: *conversation_id,
                message: UserMessage::in_answer(message),
                is_new: false,
                guest_token,
            },
        }
    }
}
