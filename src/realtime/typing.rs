//! `typing` and `stop_typing` on `/support`.

use super::Realtime;
use super::event::payload;
use super::input::{conversation_id, ticket_id};
use super::payload::{ConversationOrTicket, TypingEvent};
use super::presence::SupportUser;
use super::rooms;
use crate::api_error::{ApiError, Code};
use socketio::{Event, Socket};

/// Relays the event to the others in the room of the conversation or ticket, which the socket must have joined, and an
/// agent's also to the customer in the help center.
pub(super) fn relay(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
    is_typing: bool,
) -> Result<(), ApiError> {
    let payload = payload(event);
    let (place, room) = if payload.contains_key("ticket_id") && !payload.contains_key("conversation_id") {
        let id = ticket_id(&payload)?;
        (ConversationOrTicket::Ticket(id), rooms::of_ticket(id))
    } else {
        let id = conversation_id(&payload)?;
        (ConversationOrTicket::Conversation(id), rooms::of_conversation(id))
    };
    if !socket.is_in(&room) {
        let noun = match place {
            ConversationOrTicket::Ticket(_) => "ticket",
            ConversationOrTicket::Conversation(_) => "conversation",
        };
        return Err(ApiError::new(Code::Forbidden, format!("Join the {noun} first")));
    }
    let principal = socket.data();
    let typing = TypingEvent { place, user_id: principal.id.as_str(), is_admin: principal.is_agent };
    typing.emit(socket.to(&room), is_typing);
    if let (ConversationOrTicket::Conversation(id), true) = (place, principal.is_agent) {
        realtime.broadcaster.agent_typing(id, is_typing);
    }
    Ok(())
}
