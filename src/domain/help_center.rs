//! What the help center has of its own (`help-center.md`; `decisions.md`, "Help center"): a conversation that is there
//! before anybody writes in it, that a customer's message opens again, and messages that nobody writes.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{
    Author, Change, Channel, ClientMessageId, Conversation, Customer, Message, MessageText, Origin, Refusal, Status,
};

/// A customer's message. It begins their conversation where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct HelpCenterPost {
    /// Who writes, and how the conversation begins; the channel is [`Channel::HelpCenter`].
    pub origin: Origin,
    /// What was written.
    pub text: MessageText,
    /// The client's name for this send.
    pub client_message_id: Option<ClientMessageId>,
    /// What may follow it.
    pub auto_reply: Arc<AutoReply>,
}

/// The message that follows a customer's, as if support had written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoReply {
    /// When it follows.
    pub policy: AutoReplyPolicy,
    /// What it says.
    pub text: MessageText,
    /// Whom it is shown to come from.
    pub sender_name: String,
}

/// When an auto-reply follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AutoReplyPolicy {
    /// Behind each message of the customer while no agent holds the conversation.
    Unassigned,
    /// Behind the customer's very first message alone.
    First,
    /// Never.
    Never,
}

/// A help center's conversation is its customer's alone.
pub(super) fn permit(conversation: &Conversation, customer: &Customer) -> Result<(), Refusal> {
    let is_theirs = conversation.channel == Channel::HelpCenter && conversation.owner == customer.owner;
    if is_theirs { Ok(()) } else { Err(Refusal::NotFound) }
}

/// Is never refused: what is not there is made, and what is closed is opened again.
pub(super) fn write(conversation: Option<&Conversation>, post: &HelpCenterPost) -> Vec<Change> {
    let HelpCenterPost { origin, text, client_message_id, auto_reply } = post;
    let created = conversation.is_none().then(|| Change::Created(Box::new(origin.clone())));
    let is_closed = conversation.is_some_and(|conversation| conversation.status == Status::Closed);
    let reopened = is_closed.then(|| Change::Reopened(origin.customer.clone()));
    let last_seq = conversation.map_or(0, |conversation| conversation.last_seq);
    let message = Change::Message(Message {
        seq: Some(last_seq + 1),
        text: text.clone(),
        author: Author::Customer(origin.customer.clone()),
        client_message_id: client_message_id.clone(),
    });
    // Opened again, it is nobody's.
    let is_held = !is_closed && conversation.is_some_and(|conversation| conversation.assignee.is_some());
    let follows = match auto_reply.policy {
        AutoReplyPolicy::Unassigned => !is_held,
        AutoReplyPolicy::First => last_seq == 0,
        AutoReplyPolicy::Never => false,
    };
    let follows = follows.then(|| {
        Change::Message(Message {
            seq: Some(last_seq + 2),
            text: auto_reply.text.clone(),
            author: Author::AutoReply { name: auto_reply.sender_name.clone() },
            client_message_id: None,
        })
    });
    [created, reopened, Some(message), follows].into_iter().flatten().collect()
}
