//! The shapes that clients read and write on REST and sockets alike, and the validation of what they send.
//!
//! Shapes that only one endpoint or event has are defined next to it. Field names, order of keys and nulls are contract.

mod conversation;
mod help_center;
mod reading;
mod reply;
mod send;
mod validator;

pub(crate) use conversation::{
    LastMessage, TicketCard, UserConversation, UserMessage, assigned_admin_name, shown_conversation,
};
pub(crate) use help_center::{HelpCenterMessage, HelpCenterSendRequest, HelpCenterThread};
pub(crate) use reading::{ConversationRead, ReadNumber, ReadUpToView};
pub(crate) use reply::{ReplyRequest, ReplySent, ValidatedReply};
pub(crate) use send::{SendRequest, SendResponse, ValidatedSend};
pub(crate) use validator::{Validator, check_guest_id, words};
