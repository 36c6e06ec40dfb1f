//! Events and the state they lead to, as database rows and back.
//!
//! Encoding and decoding are next to each other, a file per table. Invariants:
//! - A row holds everything its event holds: decoding an encoded event gives the same event. Nothing is inferred from
//!   a position, a time or a neighbouring row. Property tests show it for every kind of event.
//! - What a table stores once and never changes is not stored again with each event: a [`Change::Created`] takes its
//!   contact data and device from the conversation's row, a [`Change::TicketCreated`] its draft and number from the
//!   ticket's row, a [`Change::HandoverResolved`] the request from the handover's row.
//! - Rows of earlier releases stay readable. They have no `detail` and no `sender_phone_number` (migrations 000009 and
//!   000010), and decode to these defaults: an agent has no e-mail address; a customer who rates or reopens has the
//!   conversation's contact data, one who writes has no phone number; a rejected handover was rejected by its target;
//!   a ticket was created with the priority it has now.
//! - A row that no release writes is a [`DecodeError`], never a guess.
//!
//! [`Change::Created`]: crate::domain::Change::Created
//! [`Change::TicketCreated`]: crate::domain::Change::TicketCreated
//! [`Change::HandoverResolved`]: crate::domain::Change::HandoverResolved

mod change;
mod conversation;
mod detail;
mod handover;
mod message;
mod ticket;

#[cfg(test)]
mod tests;

use entity::{conversation_events, messages};
use sea_orm::DbErr;

use crate::domain::{Change, Event, Rating, UserId};

pub(crate) use change::{EventContext, decode_event, resolved_handover_id};
pub(crate) use conversation::{decode_conversation, encode_conversation};
pub(crate) use handover::{decode_handover, encode_handover};
pub(crate) use message::{decode_message, decode_message_event};
pub(crate) use ticket::{decode_ticket, encode_ticket};

/// An event as a row of the table it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EventRow {
    /// A message or a note.
    Message(messages::Model),
    /// Any other event.
    Other(conversation_events::Model),
}

/// The row of an event.
pub(crate) fn encode(event: &Event) -> EventRow {
    match &event.change {
        Change::Message(message) => EventRow::Message(message::encode_message(event, message)),
        change => EventRow::Other(change::encode_event(event, change)),
    }
}

/// A column holds a value that no release writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column} holds an invalid value")]
pub(crate) struct DecodeError {
    table: &'static str,
    column: &'static str,
}

/// A row that cannot be decoded is a fault of the database, as a column of the wrong type is.
impl From<DecodeError> for DbErr {
    fn from(error: DecodeError) -> Self {
        Self::Type(error.to_string())
    }
}

/// Names the table in the errors of its columns.
#[derive(Clone, Copy)]
struct Table(&'static str);

impl Table {
    const fn invalid(self, column: &'static str) -> DecodeError {
        DecodeError { table: self.0, column }
    }

    fn user_id(self, column: &'static str, id: &str) -> Result<UserId, DecodeError> {
        UserId::parse(id).map_err(|_| self.invalid(column))
    }

    fn rating(self, column: &'static str, stars: f64) -> Result<Rating, DecodeError> {
        Rating::parse(stars).map_err(|_| self.invalid(column))
    }
}
