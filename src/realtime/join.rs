//! Where a socket may be on `/support` — in conversations and in tickets — and what it says there (`support-user.md`,
//! `support-admin.md`, "Real-time"; `decisions.md`, "Beyond the contract").

use serde_json::{Map, Value};

use super::Realtime;
use super::payload::{NewMessage, Place, Typing};
use super::presence::SupportUser;
use super::rooms;
use crate::api_error::{ApiError, Code, FieldError};
use crate::conversation::Backlog;
use crate::domain::{Channel, Conversation, ConversationId, Posted, Refusal, TicketId, UserId};
use crate::store::{self, MessageRange};
use socketio::{Event, Socket};

/// Messages that a socket is sent of what it has missed; whoever has missed more reads them over REST.
const MOST_MISSED: u32 = MessageRange::MAX_LIMIT;

fn payload(event: &Event) -> Map<String, Value> {
    // Through a map: a struct would also be read from an array.
    event.first().unwrap_or_default()
}

fn invalid(field: &'static str, message: &str) -> ApiError {
    ApiError::validation(vec![FieldError { field: field.into(), message: message.to_owned() }])
}

fn text<'a>(payload: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, ApiError> {
    payload.get(field).and_then(Value::as_str).ok_or_else(|| invalid(field, &format!("{field} must be a string")))
}

fn conversation_id(payload: &Map<String, Value>) -> Result<ConversationId, ApiError> {
    ConversationId::parse(text(payload, "conversation_id")?).ok_or_else(ApiError::conversation_not_found)
}

fn ticket_id(payload: &Map<String, Value>) -> Result<TicketId, ApiError> {
    TicketId::parse(text(payload, "ticket_id")?).ok_or_else(|| Refusal::TicketNotFound.into())
}

/// The last `seq` that the client has, where it says so.
fn after_seq(payload: &Map<String, Value>) -> Result<Option<u32>, ApiError> {
    match payload.get("after_seq") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|after| u32::try_from(after).ok()) {
            Some(after) => Ok(Some(after)),
            None => Err(invalid("after_seq", "after_seq must be a whole number from 0")),
        },
    }
}

/// Its owner and any agent may join; agents hear notes too. With `after_seq` a socket that was not there is first sent
/// what it has missed, without a gap to what it hears from then on.
pub(super) async fn join_conversation(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<(), ApiError> {
    let payload = payload(event);
    let id = conversation_id(&payload)?;
    let after = after_seq(&payload)?;
    // Most who join have just written: then no look into the database is needed, and none is taken at what another
    // server has stored meanwhile.
    if after.is_none()
        && let Some((conversation, version)) = realtime.registry.peek(id).await
        && version > 0
        && conversation.is_shown()
    {
        permitted(socket, |account| conversation.permit_customer(account))?;
        return join_from_now_on(realtime, socket, id, version).await;
    }
    let conversation =
        store::conversation(&realtime.database, id).await?.ok_or_else(ApiError::conversation_not_found)?;
    permitted(socket, |account| conversation.permit_customer(account))?;
    match after {
        Some(after) if !socket.is_in(&rooms::of_conversation(id)) => {
            socket.leave(&rooms::by_ticket(id));
            catch_up(realtime, socket, conversation, after).await
        }
        _ => join_from_now_on(realtime, socket, id, conversation.version).await,
    }
}

/// An agent may join whatever there is, anybody else what is permitted to their account.
fn permitted(socket: &Socket<SupportUser>, permit: impl FnOnce(&UserId) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let principal = socket.data();
    if principal.is_agent { Ok(()) } else { permit(&principal.id) }
}

async fn join_from_now_on(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    id: ConversationId,
    version: i64,
) -> Result<(), ApiError> {
    socket.leave(&rooms::by_ticket(id));
    // Whoever is there has missed nothing.
    if socket.is_in(&rooms::of_conversation(id)) {
        return enter(socket, id);
    }
    let entering = socket.clone();
    realtime.registry.subscribe(id, version, move || enter(&entering, id)).await?
}

fn enter(socket: &Socket<SupportUser>, id: ConversationId) -> Result<(), ApiError> {
    let is_in = socket.join(rooms::of_conversation(id))
        && (!socket.data().is_agent || socket.join(rooms::of_conversation_agents(id)));
    if is_in {
        return Ok(());
    }
    // Half of it would be an agent who hears no notes.
    leave(socket, id);
    Err(too_many_rooms())
}

fn too_many_rooms() -> ApiError {
    ApiError::new(Code::Forbidden, "This connection has joined too many conversations")
}

async fn catch_up(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    conversation: Conversation,
    after: u32,
) -> Result<(), ApiError> {
    let (id, version) = (conversation.id, conversation.version);
    let (bytes, is_agent) = (realtime.catch_up_bytes, socket.data().is_agent);
    let database = realtime.database.clone();
    let read = async move {
        let last = MessageRange::Last { limit: MOST_MISSED };
        let history = match is_agent {
            true => store::all_messages(&database, &conversation, last).await?,
            false => store::visible_messages(&database, &conversation, last).await?,
        };
        Ok(newest(history.messages, after, bytes))
    };
    let entering = socket.clone();
    let entered = realtime.registry.subscribe_with_backlog(id, version, read, move |backlog: Backlog| {
        let mut messages = backlog.messages;
        if backlog.conversation.is_some() {
            messages.retain(|posted| is_agent || posted.message.seq.is_some());
            messages = newest(messages, after, bytes);
        }
        for posted in &messages {
            entering.emit("new_message", &NewMessage::of_conversation(posted));
        }
        enter(&entering, id)
    });
    entered.await?
}

/// What stands behind `after`. Where it is more than a socket is sent, the newest of it: the gap is then in front,
/// where the client sees it by `seq` and reads over REST what is missing. It is measured as it is sent: a text of
/// control characters is six times as long there, and whoever was sent more than may wait for them would be cut off
/// each time they came back.
fn newest(mut messages: Vec<Posted>, after: u32, mut bytes: usize) -> Vec<Posted> {
    let fits = |posted: &&Posted| {
        let left = bytes.checked_sub(NewMessage::of_conversation(posted).length());
        bytes = left.unwrap_or_default();
        left.is_some() && posted.message.seq.is_none_or(|seq| seq > i64::from(after))
    };
    let missed = messages.iter().rev().take_while(fits).count();
    messages.split_off(messages.len() - missed)
}

/// Leaving what one is not in is fine.
pub(super) async fn leave_conversation(
    _: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<(), ApiError> {
    leave(socket, conversation_id(&payload(event))?);
    Ok(())
}

fn leave(socket: &Socket<SupportUser>, id: ConversationId) {
    socket.leave(&rooms::of_conversation(id));
    socket.leave(&rooms::of_conversation_agents(id));
    socket.leave(&rooms::by_ticket(id));
}

/// Its owner and any agent may join a ticket, and are in its conversation then too; but for an owner in the help
/// center, who hears the ticket alone.
pub(super) async fn join_ticket(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<(), ApiError> {
    let id = ticket_id(&payload(event))?;
    let conversation = store::ticket(&realtime.database, id).await?.ok_or(Refusal::TicketNotFound)?;
    permitted(socket, |account| conversation.permit_owner(account))?;
    if socket.is_in(&rooms::of_ticket(id)) {
        return enter_ticket(socket, id, &conversation);
    }
    let (entering, of, version) = (socket.clone(), conversation.id, conversation.version);
    let begin = move || {
        let entered = enter_ticket(&entering, id, &conversation);
        if entered.is_err() {
            entering.leave(&rooms::of_ticket(id));
            entering.leave(&rooms::of_ticket_agents(id));
        }
        entered
    };
    realtime.registry.subscribe(of, version, begin).await?
}

fn enter_ticket(socket: &Socket<SupportUser>, id: TicketId, conversation: &Conversation) -> Result<(), ApiError> {
    let is_in =
        socket.join(rooms::of_ticket(id)) && (!socket.data().is_agent || socket.join(rooms::of_ticket_agents(id)));
    if !is_in {
        return Err(too_many_rooms());
    }
    let principal = socket.data();
    let has_conversation = match principal.is_agent {
        true => conversation.channel != Channel::Ticket,
        false => conversation.permit_customer(&principal.id).is_ok(),
    };
    if !has_conversation || socket.is_in(&rooms::of_conversation(conversation.id)) {
        return Ok(());
    }
    enter(socket, conversation.id)?;
    if socket.join(rooms::by_ticket(conversation.id)) {
        return Ok(());
    }
    leave(socket, conversation.id);
    Err(too_many_rooms())
}

/// Undoes what joining has done: who had joined the conversation for itself stays in it.
pub(super) async fn leave_ticket(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<(), ApiError> {
    let id = ticket_id(&payload(event))?;
    if !socket.is_in(&rooms::of_ticket(id)) {
        return Ok(());
    }
    let conversation = store::ticket(&realtime.database, id).await?;
    socket.leave(&rooms::of_ticket(id));
    socket.leave(&rooms::of_ticket_agents(id));
    if let Some(conversation) = conversation.filter(|conversation| socket.is_in(&rooms::by_ticket(conversation.id))) {
        leave(socket, conversation.id);
    }
    Ok(())
}

/// Tells the others in the room of a conversation or of a ticket that somebody types or has stopped; only somebody in
/// it may. A customer in the help center is told of an agent.
pub(super) fn relay(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
    is_typing: bool,
) -> Result<(), ApiError> {
    let payload = payload(event);
    let (place, room) = if payload.contains_key("ticket_id") && !payload.contains_key("conversation_id") {
        let id = ticket_id(&payload)?;
        (Place::Ticket(id), rooms::of_ticket(id))
    } else {
        let id = conversation_id(&payload)?;
        (Place::Conversation(id), rooms::of_conversation(id))
    };
    if !socket.is_in(&room) {
        let noun = if matches!(place, Place::Ticket(_)) { "ticket" } else { "conversation" };
        return Err(ApiError::new(Code::Forbidden, format!("Join the {noun} first")));
    }
    let principal = socket.data();
    let typing = Typing { place, user_id: principal.id.as_str(), is_admin: principal.is_agent };
    socket.to(&room).emit(Typing::event(is_typing), &typing);
    if let (Place::Conversation(id), true) = (place, principal.is_agent) {
        realtime.broadcaster.agent_types(id, is_typing);
    }
    Ok(())
}
