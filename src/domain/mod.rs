//! What a conversation is: its state, what may be asked of it, what then happens, and what is refused.
//!
//! Pure: no input or output, no clock of its own, no actor, no SQL, no JSON of the wire. Everything that others must
//! agree on — who owns a chat, what comes after what, what a note may touch — is decided here, by [`decide`], and
//! tested here, by table and by property. The `conversation` room carries it; the `journal` makes it durable.

mod command;
mod conversation;
mod decide;
mod event;
mod identifier;
mod person;
mod refusal;
mod text;

#[cfg(test)]
mod decide_tests;
#[cfg(test)]
mod property_tests;

pub use command::{Command, Open, Post, Rate, SendKey};
pub use conversation::{Assignee, Channel, Conversation, Status, VisibleMessage};
pub use decide::{decide, permit};
pub use event::{Change, Event, Message, Origin, Posted};
pub use identifier::{ConversationId, EventId, UserId, UserIdError};
pub use person::{Agent, Author, Customer, Owner};
pub use refusal::Refusal;
pub use text::{
    ClientMessageId, DEVICE_METADATA_LIMIT, DeviceMetadata, EmailAddress, Feedback, MessageText, PREVIEW_LENGTH,
    PhoneNumber, Rating, RatingError, TextError, preview,
};

/// A moment, in UTC; the shell hands it in with whole milliseconds.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
