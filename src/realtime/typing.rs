//! Typing indicators: `typing` and `stop_typing` on `/support`, `help_center:typing` (`additions.md`, 3).
//!
//! An indicator belongs to a socket. It ends when the socket sends `stop_typing`, leaves the room or disconnects, is silent for
//! `realtime.typing_timeout_seconds`, when its user posts a message there, and when the conversation is closed. The
//! others are notified in each case.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Realtime;
use super::event::payload;
use super::input::{conversation_id, ticket_id};
use super::payload::ConversationOrTicket;
use super::presence::SupportUser;
use super::rooms;
use super::typists::{Audience, Typist};
use crate::api_error::{ApiError, Code};
use crate::domain::{ConversationId, Owner, Refusal, Status, UserId};
use crate::store;
use socketio::{Event, Socket};

/// Relays `typing` or `stop_typing` to the others in the room of the conversation or ticket, which the socket must have
/// joined, and an agent's also to the customer in the help center.
pub(super) async fn relay(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
    is_typing: bool,
) -> Result<(), ApiError> {
    let payload = payload(event);
    let place = place(&payload)?;
    if !is_joined(socket, place) {
        let noun = match place {
            ConversationOrTicket::Ticket(_) => "ticket",
            ConversationOrTicket::Conversation(_) => "conversation",
        };
        return Err(ApiError::new(Code::Forbidden, format!("Join the {noun} first")));
    }
    let is_agent = socket.data().agent().is_some();
    let is_note = is_agent && payload.get("is_internal") == Some(&Value::Bool(true));
    let typist = Typist {
        socket: Arc::clone(socket.id()),
        user: socket.data().as_owner(),
        is_agent,
        place,
        audience: if is_note { Audience::Agents } else { Audience::Room },
    };
    relay_typist(realtime, &typist, is_typing).await
}

/// Relays `help_center:typing` of a customer to the agents who have joined the conversation.
pub(super) async fn relay_help_center(
    realtime: &Realtime,
    socket: &Arc<str>,
    customer: &UserId,
    id: ConversationId,
    is_typing: bool,
) -> Result<(), ApiError> {
    let typist = Typist {
        socket: Arc::clone(socket),
        user: Owner::Account(customer.clone()),
        is_agent: false,
        place: ConversationOrTicket::Conversation(id),
        audience: Audience::OfHelpCenter,
    };
    relay_typist(realtime, &typist, is_typing).await
}

/// Ends the indicators of a socket in rooms that it is not in any more.
pub(super) fn end_where_left(realtime: &Realtime, socket: &Socket<SupportUser>) {
    realtime.broadcaster.leave_typing(socket.id(), |place| !is_joined(socket, place));
}

/// Ends the indicators of a socket that has disconnected.
pub(super) fn end_all(realtime: &Realtime, socket: &str) {
    realtime.broadcaster.leave_typing(socket, |_| true);
}

async fn relay_typist(realtime: &Realtime, typist: &Typist, is_typing: bool) -> Result<(), ApiError> {
    let broadcaster = &realtime.broadcaster;
    if !is_typing {
        if !broadcaster.stop_typing(&typist.socket, typist.place) {
            // Relayed all the same: apps may rely on it, for example after they have connected again.
            permit_open(realtime, typist.place).await?;
            broadcaster.announce_typing(typist, false);
        }
        return Ok(());
    }
    // Closing ends indicators, so the conversation of a repeated one is open.
    if broadcaster.repeat_typing(typist) {
        return Ok(());
    }
    // Reserved before the conversation is read: if it is closed in between, that ends the reservation.
    broadcaster.reserve_typing(typist);
    if let Err(error) = permit_open(realtime, typist.place).await {
        broadcaster.stop_typing(&typist.socket, typist.place);
        return Err(error);
    }
    broadcaster.start_typing(typist);
    Ok(())
}

async fn permit_open(realtime: &Realtime, place: ConversationOrTicket) -> Result<(), ApiError> {
    let database = &realtime.services.database;
    let status = match place {
        ConversationOrTicket::Conversation(id) => store::status(database, id).await?,
        ConversationOrTicket::Ticket(id) => store::status_of_ticket(database, id).await?,
    };
    if status == Some(Status::Closed) { Err(Refusal::SendToClosed.into()) } else { Ok(()) }
}

fn place(payload: &Map<String, Value>) -> Result<ConversationOrTicket, ApiError> {
    if payload.contains_key("ticket_id") && !payload.contains_key("conversation_id") {
        ticket_id(payload).map(ConversationOrTicket::Ticket)
    } else {
        conversation_id(payload).map(ConversationOrTicket::Conversation)
    }
}

fn is_joined(socket: &Socket<SupportUser>, place: ConversationOrTicket) -> bool {
    socket.is_in(&match place {
        ConversationOrTicket::Conversation(id) => rooms::of_conversation(id),
        ConversationOrTicket::Ticket(id) => rooms::of_ticket(id),
    })
}
