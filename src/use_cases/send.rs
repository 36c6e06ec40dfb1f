//! A customer sends a message: it starts a conversation, or continues one (`support-user.md`, 1 and 2).

use super::conversation_id;
use crate::api_error::ApiError;
use crate::client_info::ClientInfo;
use crate::conversation::Outcome;
use crate::domain::{Channel, Command, ConversationId, Customer, Open, Origin, Post};
use crate::dto::{Sent, UserConversation, UserMessage, ValidatedSend};
use crate::services::Services;

/// The conversation that a send went to, and the actor's answer.
pub(crate) struct SendOutcome {
    id: ConversationId,
    outcome: Outcome,
}

/// Starts a conversation, or posts to the one that the send names. `client` is called for a new conversation only.
pub(crate) async fn send(
    services: &Services,
    from: Customer,
    send: ValidatedSend,
    client: impl FnOnce() -> ClientInfo,
) -> Result<SendOutcome, ApiError> {
    services.limits.send(&from.owner)?;
    let (id, outcome) = match send.conversation {
        Some(id) => {
            let id = conversation_id(&id)?;
            let post = Post { from, text: send.message, client_message_id: send.client_message_id };
            (id, services.registry.execute(id, Command::Send(post)).await?)
        }
        None => {
            let client = client();
            let open = Open {
                origin: Origin {
                    channel: Channel::Support,
                    customer: from,
                    device_metadata: send.device_metadata.or(client.device_metadata),
                    ip_address: client.ip_address,
                    user_agent: client.user_agent,
                },
                text: send.message,
                client_message_id: send.client_message_id,
            };
            services.registry.open(Command::Open(Box::new(open))).await?
        }
    };
    Ok(SendOutcome { id, outcome })
}

impl SendOutcome {
    /// As clients read it.
    pub(crate) fn sent(&self) -> Result<Sent<'_>, ApiError> {
        match &self.outcome {
            Outcome::Opened { conversation, message } => {
                let conversation = UserConversation::new(conversation, vec![UserMessage::in_answer(message)]);
                Ok(Sent::Opened { conversation: Box::new(conversation), is_new: true })
            }
            Outcome::Posted(message) => {
                Ok(Sent::Posted { conversation_id: self.id, message: UserMessage::in_answer(message), is_new: false })
            }
            _ => Err(ApiError::internal()),
        }
    }
}
