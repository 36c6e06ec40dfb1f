//! The rules that only the help center has (`help-center.md`; `decisions.md`, "Help center"): a conversation that exists
//! before its first message, that a customer's message reopens, and auto-replies.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{
    Author, Change, Channel, ClientMessageId, Conversation, Customer, Message, MessageText, Origin, Refusal, Status,
};

/// A customer's message in the help center. It creates their conversation if there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct HelpCenterPost {
    /// The customer, and how the conversation begins; the channel is [`Channel::HelpCenter`].
    pub origin: Origin,
    /// The text.
    pub text: MessageText,
    /// The client's id for this send.
    pub client_message_id: Option<ClientMessageId>,
    /// The auto-reply that may follow it.
    pub auto_reply: Arc<AutoReply>,
}

/// A message that the server adds after a customer's message, in the name of support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoReply {
    /// When it follows.
    pub policy: AutoReplyPolicy,
    /// The text.
    pub text: MessageText,
    /// The displayed sender.
    pub sender_name: String,
}

/// When an auto-reply follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AutoReplyPolicy {
    /// After each message of the customer while the conversation has no assignee.
    Unassigned,
    /// After the customer's first message only.
    First,
    /// Never.
    Never,
}

/// A conversation in the help center belongs to its customer only.
pub(super) fn permit(conversation: &Conversation, customer: &Customer) -> Result<(), Refusal> {
    let is_theirs = conversation.channel == Channel::HelpCenter && conversation.owner == customer.owner;
    if is_theirs { Ok(()) } else { Err(Refusal::NotFound) }
}

/// Never refused: a missing conversation is created, and a closed one is reopened.
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
    // A reopened conversation has no assignee.
    let is_held = !is_closed && conversation.is_some_and(|conversation| conversation.assignee.is_some());
    let is_due = match auto_reply.policy {
        AutoReplyPolicy::Unassigned => !is_held,
        AutoReplyPolicy::First => last_seq == 0,
        AutoReplyPolicy::Never => false,
    };
    let reply = is_due.then(|| {
        Change::Message(Message {
            seq: Some(last_seq + 2),
            text: auto_reply.text.clone(),
            author: Author::AutoReply { name: auto_reply.sender_name.clone() },
            client_message_id: None,
        })
    });
    let ticket = conversation.and_then(Conversation::ticket_reopening);
    [created, reopened, Some(message), ticket, reply].into_iter().flatten().collect()
}
