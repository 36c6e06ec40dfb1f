//! The rules of conversations: their state, commands, events, and refusals.
//!
//! Pure: no I/O, no clock, no actor, no SQL, no JSON of the wire. What everything else must agree on (who owns a
//! conversation, what follows what, what a note may change) is decided by [`decide`], and tested by table and by
//! property. [`crate::conversation`] applies the rules one command after another; `journal` stores the events.

mod blank;
mod calendar;
mod channel;
mod command;
mod contact;
mod conversation;
mod decide;
mod device;
mod event;
mod handover;
mod help_center;
mod identifier;
mod ownership;
mod person;
mod rating;
mod reading;
mod refusal;
mod search;
mod text;
mod ticket;
mod ticket_number;
mod ticket_values;

#[cfg(test)]
mod tests;

pub use blank::is_blank;
pub use calendar::Date;
pub use channel::Channel;
pub use command::{
    AddNote, AssignTicket, Claim, ClaimGuest, Close, Command, CreateTicket, EnterHelpCenter, IdempotencyKey, Open,
    Post, PrioritiseTicket, SendMessage, SendReply, SetTicketStatus, SubmitRating, Target,
};
pub use contact::{EmailAddress, PhoneNumber};
pub use conversation::{Assignee, Conversation, Status, VisibleMessage};
pub use decide::{decide, permit};
pub use device::DeviceMetadata;
pub use event::{AccountMove, Change, Event, Message, Origin, Posted};
pub use handover::{AnswerHandover, ExpireHandover, Handover, Party, RequestHandover, Resolution, WithdrawHandover};
pub use help_center::{AutoReply, AutoReplyPolicy, HelpCenterPost};
pub use identifier::{ConversationId, EventId, HandoverId, TicketId, UserId, UserIdError};
pub use ownership::{Absence, AssignConversation, Ownership, Release, Reopen, TakeOver};
pub use person::{AUTO_REPLY_KEY, Agent, Author, Customer, NAMELESS_AGENT, Owner, display_name, split_name};
pub use rating::{CustomerRating, Rating, RatingError};
pub use reading::{Reading, ReadingSide};
pub use refusal::Refusal;
pub(crate) use search::SEPARATOR;
pub use search::{SearchTerm, SearchableAccount, SearchableConversation, TextKind, fold};
pub use text::{
    ClientMessageId, DEVICE_METADATA_LIMIT, Description, Feedback, MessageText, PREVIEW_LENGTH, Reason, Reference,
    ResolutionNotes, Subject, TextError, preview,
};
pub use ticket::{Resolved, StatusChange, Ticket, TicketCreation, TicketDraft, TicketNumber};
pub use ticket_number::ticket_number_spellings;
pub use ticket_values::{SupportType, TicketPriority, TicketStatus};

/// A time in UTC; callers pass it in milliseconds.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
