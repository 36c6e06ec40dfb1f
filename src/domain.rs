//! What a conversation is: its state, what may be asked of it, what then happens, and what is refused.
//!
//! Pure: no input or output, no clock of its own, no actor, no SQL, no JSON of the wire. Everything that others must
//! agree on — who owns a chat, what comes after what, what a note may touch — is decided here, by [`decide`], and
//! tested here, by table and by property. The `conversation` room carries it; the `journal` makes it durable.

mod command;
mod contact;
mod conversation;
mod decide;
mod device;
mod event;
mod handover;
mod help_center;
mod identifier;
mod person;
mod rating;
mod refusal;
mod text;
mod ticket;
mod ticket_values;

#[cfg(test)]
mod tests;

pub use command::{
    AddNote, AssignTicket, Claim, Close, Command, CreateTicket, EnterHelpCenter, IdempotencyKey, Open, Post,
    PrioritiseTicket, Rate, SendMessage, SendReply, SetTicketStatus, SubmitRating, Target,
};
pub use contact::{EmailAddress, PhoneNumber};
pub use conversation::{Assignee, Channel, Conversation, Status, VisibleMessage};
pub use decide::{decide, permit};
pub use device::{DEVICE_METADATA_LIMIT, DeviceMetadata};
pub use event::{Change, Event, Message, Origin, Posted};
pub use handover::{AnswerHandover, Handover, Party, RequestHandover, Resolution};
pub use help_center::{AutoReply, AutoReplyPolicy, HelpCenterPost};
pub use identifier::{ConversationId, EventId, HandoverId, TicketId, UserId, UserIdError};
pub use person::{AUTO_REPLY_KEY, Agent, Author, Customer, NAMELESS_AGENT, Owner, display_name};
pub use rating::{Rating, RatingError};
pub use refusal::Refusal;
pub use text::{
    ClientMessageId, Description, Feedback, MessageText, PREVIEW_LENGTH, Reason, Reference, ResolutionNotes, Subject,
    TextError, preview,
};
pub use ticket::{Resolved, StatusChange, Ticket, TicketCreation, TicketDraft, TicketNumber};
pub use ticket_values::{SupportType, TicketPriority, TicketStatus};

/// A moment, in UTC; the shell hands it in with whole milliseconds.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
