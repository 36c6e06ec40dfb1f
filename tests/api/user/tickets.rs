//! The ticket endpoints of older apps, which have no conversations.

mod add_message;
mod create;
mod limits;
mod of_conversation;
mod rate;
mod read;
