//! The namespace `/support`: who may come in, and what a socket may ask (`support-user.md`, `support-admin.md`).

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Realtime;
use super::caller;
use super::pace::paced;
use super::payload::{Place, Typing};
use super::rooms;
use crate::domain::ConversationId;
use crate::failure::{Code, Failure, FieldError};
use crate::identity::Principal;
use crate::socketio::{ConnectRefusal, Event, Handshake, Namespace, Socket};
use crate::store;

/// The namespace's name.
pub(super) const NAME: &str = "/support";

/// The namespace with everything it answers to.
pub(super) fn namespace(realtime: &Arc<Realtime>) -> Namespace<Principal> {
    let connecting = Arc::clone(realtime);
    let namespace = Namespace::new(NAME, move |handshake: Handshake| {
        let realtime = Arc::clone(&connecting);
        async move { connect(&realtime, &handshake) }
    })
    // Whoever comes back with the name of an earlier connection must be the same person, in the same role.
    .recover_if(|before: &Principal, now: &Principal| before.id == now.id && before.is_agent == now.is_agent)
    .on_connect(|socket: Socket<Principal>| async move { greet(&socket) });
    let namespace = on(namespace, realtime, "join_conversation", join);
    let namespace = on(namespace, realtime, "leave_conversation", async |_, socket, event| leave(socket, event));
    let namespace =
        on(namespace, realtime, "typing", async |realtime, socket, event| relay(realtime, socket, event, true));
    on(namespace, realtime, "stop_typing", async |realtime, socket, event| relay(realtime, socket, event, false))
}

/// An event that is acknowledged with [`Answer`], within the limit of a socket's events.
fn on<F>(namespace: Namespace<Principal>, realtime: &Arc<Realtime>, event: &str, handler: F) -> Namespace<Principal>
where
    F: AsyncFn(&Realtime, &Socket<Principal>, &Event) -> Result<(), Failure> + Send + Sync + 'static,
{
    let with = Arc::new((Arc::clone(realtime), handler));
    namespace.on(event, move |socket: Socket<Principal>, event: Event| {
        let with = Arc::clone(&with);
        async move {
            let (realtime, handler) = &*with;
            Some(Answer::of(paced(&realtime.limits, &socket, handler(realtime, &socket, &event)).await))
        }
    })
}

/// What an event is acknowledged with: `{ success: true }`, or `{ success: false, error: { code, message } }`.
#[derive(Serialize)]
struct Answer {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<AnswerError>,
}

#[derive(Serialize)]
struct AnswerError {
    code: Code,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<FieldError>,
}

impl Answer {
    fn of(outcome: Result<(), Failure>) -> Self {
        let error = outcome.err().map(|failure| AnswerError {
            code: failure.code,
            message: failure.message.into_owned(),
            details: failure.details,
        });
        Self { success: error.is_none(), error }
    }
}

/// Refuses a bad token with what `connect_error` shows.
fn connect(realtime: &Realtime, handshake: &Handshake) -> Result<Principal, ConnectRefusal> {
    caller::principal(realtime, handshake).map_err(|_| {
        let failure = Failure::unauthorized();
        ConnectRefusal { message: failure.message.into_owned(), data: Some(json!({ "code": failure.code })) }
    })
}

fn greet(socket: &Socket<Principal>) {
    let principal = socket.data();
    socket.join(rooms::of_user(&principal.id));
    if principal.is_agent {
        socket.join(rooms::ADMINS);
    }
}

/// Which conversation an event is about.
fn conversation_id(event: &Event) -> Result<ConversationId, Failure> {
    // Through a map: a struct would also be read from an array.
    let payload: Map<String, Value> = event.first().unwrap_or_default();
    let Some(Value::String(id)) = payload.get("conversation_id") else {
        return Err(Failure::validation(vec![FieldError {
            field: "conversation_id".into(),
            message: "conversation_id must be a string".to_owned(),
        }]));
    };
    ConversationId::parse(id).ok_or_else(Failure::conversation_not_found)
}

/// Its owner and any agent may join; agents hear notes too.
async fn join(realtime: &Realtime, socket: &Socket<Principal>, event: &Event) -> Result<(), Failure> {
    let id = conversation_id(event)?;
    let principal = socket.data();
    let conversation =
        store::conversation(&realtime.database, id).await?.ok_or_else(Failure::conversation_not_found)?;
    if principal.is_agent {
        socket.join(rooms::of_conversation_agents(id));
    } else {
        conversation.permit_customer(&principal.id)?;
    }
    socket.join(rooms::of_conversation(id));
    Ok(())
}

/// Leaving what one is not in is fine.
fn leave(socket: &Socket<Principal>, event: &Event) -> Result<(), Failure> {
    let id = conversation_id(event)?;
    socket.leave(&rooms::of_conversation(id));
    socket.leave(&rooms::of_conversation_agents(id));
    Ok(())
}

/// Tells the others in the room that somebody types or has stopped; only somebody in it may (`decisions.md`, "Beyond the
/// contract").
fn relay(realtime: &Realtime, socket: &Socket<Principal>, event: &Event, is_typing: bool) -> Result<(), Failure> {
    let conversation_id = conversation_id(event)?;
    let room = rooms::of_conversation(conversation_id);
    if !socket.is_in(&room) {
        return Err(Failure::new(Code::Forbidden, "Join the conversation first"));
    }
    let principal = socket.data();
    let place = Place::Conversation(conversation_id);
    let typing = Typing { place, user_id: principal.id.as_str(), is_admin: principal.is_agent };
    socket.to(&room).emit(Typing::event(is_typing), &typing);
    if principal.is_agent {
        realtime.broadcaster.agent_types(conversation_id, is_typing);
    }
    Ok(())
}
