//! Joining and leaving conversations and tickets on `/support` (`support-user.md`, `support-admin.md`, "Real-time";
//! `decisions.md`, "Beyond the contract").
//!
//! A socket joins a room on the actor's thread between two events, so it receives every event from then on and none
//! twice. Agents also join the room for notes.

use super::Realtime;
use super::emit::EmitEvent;
use super::event::payload;
use super::input::{after_seq, conversation_id, ticket_id};
use super::payload::NewMessageEvent;
use super::presence::SupportUser;
use super::{rooms, typing};
use crate::api_error::{ApiError, Code};
use crate::conversation::Backlog;
use crate::domain::{Channel, Conversation, ConversationId, Owner, Posted, Refusal, TicketId};
use crate::identity::Person;
use crate::limits::TokenCall;
use crate::reads::Reader;
use crate::store::{self, MessageRange};
use crate::use_cases::limit_guest_token;
use socketio::{Event, Socket};

/// Missed messages that a joining socket is sent at most; a client that missed more reads the others over REST.
const MAX_CATCH_UP: u32 = MessageRange::MAX_LIMIT;

/// Joins a conversation, which its owner and any agent may. With `after_seq` the socket is first sent the messages that
/// it has missed; there is no gap between them and later events.
pub(super) async fn join_conversation(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<(), ApiError> {
    let payload = payload(event);
    let id = conversation_id(&payload)?;
    let after = after_seq(&payload)?;
    // Most sockets join a conversation that they have just written to. The running actor's state answers those without
    // a query; it may lag behind another server, which matters only to a socket that asks for what it has missed.
    if after.is_none()
        && let Some((conversation, version)) = realtime.services.registry.peek(id).await
        && version > 0
        && conversation.is_shown()
    {
        permit_to_conversation(socket, &conversation)?;
        return join_from_now_on(realtime, socket, id, version).await;
    }
    let conversation =
        store::conversation(&realtime.services.database, id).await?.ok_or_else(ApiError::conversation_not_found)?;
    permit_to_conversation(socket, &conversation)?;
    match after {
        Some(after) if !socket.is_in(&rooms::of_conversation(id)) => {
            socket.leave(&rooms::by_ticket(id));
            join_with_catch_up(realtime, socket, conversation, after).await
        }
        _ => join_from_now_on(realtime, socket, id, conversation.version).await,
    }
}

/// Permits an agent everything, an account its conversations, and a guest the one of the token.
fn permit_to_conversation(socket: &Socket<SupportUser>, conversation: &Conversation) -> Result<(), ApiError> {
    match &**socket.data() {
        Person::Account(principal) if principal.is_agent => Ok(()),
        Person::Account(principal) => Ok(conversation.permit_customer(&principal.id)?),
        Person::Guest(guest) if conversation.is_of_guest(&guest.email) => Ok(()),
        Person::Guest(_) => Err(ApiError::unauthorized()),
    }
}

async fn join_from_now_on(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    id: ConversationId,
    version: i64,
) -> Result<(), ApiError> {
    socket.leave(&rooms::by_ticket(id));
    // A socket that is in the room has missed nothing.
    if socket.is_in(&rooms::of_conversation(id)) {
        return enter(socket, id);
    }
    let joining = socket.clone();
    realtime.services.registry.subscribe(id, version, move || enter(&joining, id)).await?
}

fn enter(socket: &Socket<SupportUser>, id: ConversationId) -> Result<(), ApiError> {
    let is_in = socket.join(rooms::of_conversation(id))
        && (socket.data().agent().is_none() || socket.join(rooms::of_conversation_agents(id)));
    if is_in {
        return Ok(());
    }
    // In one of the two rooms only, an agent would receive no notes.
    leave(socket, id);
    Err(too_many_rooms())
}

fn too_many_rooms() -> ApiError {
    ApiError::new(Code::Forbidden, "This connection has joined too many conversations")
}

async fn join_with_catch_up(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    conversation: Conversation,
    after: u32,
) -> Result<(), ApiError> {
    let (id, version) = (conversation.id, conversation.version);
    let (max_bytes, is_agent) = (realtime.catch_up_bytes, socket.data().agent().is_some());
    let (database, limits) = (realtime.services.database.clone(), realtime.services.limits.clone());
    let reader = socket.data().as_owner();
    let account = socket.data().account().map(|principal| principal.id.clone());
    // Asking for the same messages again and again costs as much as reading them over REST.
    limit_read(realtime, socket)?;
    let address = socket.handshake().client_address;
    let turn = account.as_ref().map_or(Reader::Address(address), Reader::Account);
    let turn = realtime.services.reads.begin(turn).await;
    let read_as = reader.clone();
    let read = async move {
        let last = MessageRange::Last { limit: MAX_CATCH_UP };
        let history = match is_agent {
            true => store::all_messages(&database, &conversation, last).await?,
            false => store::visible_messages(&database, &conversation, last).await?,
        };
        if let Some(account) = &account {
            limits.has_read(account, store::json_bytes(&history.messages));
        }
        Ok(missed(history.messages, after, max_bytes, &read_as))
    };
    let joining = socket.clone();
    let joined = realtime.services.registry.subscribe_with_backlog(id, version, read, move |backlog: Backlog| {
        let mut messages = backlog.messages;
        if backlog.conversation.is_some() {
            messages.retain(|posted| is_agent || posted.message.seq.is_some());
            messages = missed(messages, after, max_bytes, &reader);
        }
        for posted in &messages {
            joining.emit_event(&NewMessageEvent::for_reader(posted, &reader));
        }
        enter(&joining, id)
    });
    let joined = joined.await;
    drop(turn);
    joined?
}

/// Whether the person may read, after what they have read before.
fn limit_read(realtime: &Realtime, socket: &Socket<SupportUser>) -> Result<(), ApiError> {
    let services = &realtime.services;
    match &**socket.data() {
        Person::Account(principal) => services.limits.read(&principal.id).map_err(Into::into),
        Person::Guest(guest) => limit_guest_token(services, guest, socket.handshake().client_address, TokenCall::Read),
    }
}

/// The messages after `after`; if they take more than `max_bytes`, the newest of them. The client then sees the gap
/// before them by `seq`, and reads the rest over REST. Sizes are those of the JSON, in which a control character takes
/// six bytes: a socket that is sent more than its buffer holds is disconnected, and again after each reconnect.
fn missed(mut messages: Vec<Posted>, after: u32, mut max_bytes: usize, reader: &Owner) -> Vec<Posted> {
    let fits = |posted: &&Posted| {
        let left = max_bytes.checked_sub(NewMessageEvent::for_reader(posted, reader).size());
        max_bytes = left.unwrap_or_default();
        left.is_some() && posted.message.seq.is_none_or(|seq| seq > i64::from(after))
    };
    let count = messages.iter().rev().take_while(fits).count();
    messages.split_off(messages.len() - count)
}

/// Leaves a conversation; succeeds if the socket is not in it.
pub(super) fn leave_conversation(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<(), ApiError> {
    leave(socket, conversation_id(&payload(event))?);
    typing::end_where_left(realtime, socket);
    Ok(())
}

fn leave(socket: &Socket<SupportUser>, id: ConversationId) {
    socket.leave(&rooms::of_conversation(id));
    socket.leave(&rooms::of_conversation_agents(id));
    socket.leave(&rooms::by_ticket(id));
}

/// Joins a ticket and its conversation, which its owner and any agent may. The owner of a conversation in the help
/// center joins the ticket only.
pub(super) async fn join_ticket(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<(), ApiError> {
    let id = ticket_id(&payload(event))?;
    let services = &realtime.services;
    let conversation = store::ticket(&services.database, id).await?.ok_or(Refusal::TicketNotFound)?;
    let principal = socket.data().account().ok_or_else(ApiError::unauthorized)?;
    if !principal.is_agent {
        conversation.permit_owner(&principal.id)?;
    }
    if socket.is_in(&rooms::of_ticket(id)) {
        return enter_ticket(socket, id, &conversation);
    }
    let (joining, conversation_id, version) = (socket.clone(), conversation.id, conversation.version);
    let begin = move || {
        let entered = enter_ticket(&joining, id, &conversation);
        if entered.is_err() {
            joining.leave(&rooms::of_ticket(id));
            joining.leave(&rooms::of_ticket_agents(id));
        }
        entered
    };
    services.registry.subscribe(conversation_id, version, begin).await?
}

fn enter_ticket(socket: &Socket<SupportUser>, id: TicketId, conversation: &Conversation) -> Result<(), ApiError> {
    let is_in = socket.join(rooms::of_ticket(id))
        && (socket.data().agent().is_none() || socket.join(rooms::of_ticket_agents(id)));
    if !is_in {
        return Err(too_many_rooms());
    }
    let has_conversation = match socket.data().account() {
        Some(agent) if agent.is_agent => conversation.channel != Channel::Ticket,
        Some(principal) => conversation.permit_customer(&principal.id).is_ok(),
        None => false,
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

/// Leaves a ticket, and its conversation unless the socket has joined that by itself.
pub(super) async fn leave_ticket(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<(), ApiError> {
    let id = ticket_id(&payload(event))?;
    if !socket.is_in(&rooms::of_ticket(id)) {
        return Ok(());
    }
    let conversation = store::ticket(&realtime.services.database, id).await?;
    socket.leave(&rooms::of_ticket(id));
    socket.leave(&rooms::of_ticket_agents(id));
    if let Some(conversation) = conversation.filter(|conversation| socket.is_in(&rooms::by_ticket(conversation.id))) {
        leave(socket, conversation.id);
    }
    typing::end_where_left(realtime, socket);
    Ok(())
}
