//! The namespace `/support`: its connections and the events that clients emit (`support-user.md`, `support-admin.md`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::ack::{Ack, AckOutcome, EventError};
use super::event::{AckDescription, EventDescription, payload};
use super::presence::SupportUser;
use super::send_message::send_message;
use super::{Realtime, auth, input, join, read, rooms, typing};
use crate::api_error::{ApiError, Code};
use crate::domain::ConversationId;
use crate::dto::{ReplyRequest, ReplySent, SendRequest, SendResponse};
use crate::identity::Person;
use crate::json_schema::{SchemaFn, Schemas};
use crate::use_cases::admit_guest;
use socketio::{ConnectRefusal, Event, Handshake, Namespace, Socket};

/// The namespace's name.
pub(super) const NAME: &str = "/support";

const SEND_MESSAGE: &str = "send_message";

/// The namespace with all its handlers.
pub(super) fn namespace(realtime: &Arc<Realtime>) -> Namespace<SupportUser> {
    let [connecting, connected, disconnecting] = std::array::from_fn(|_| Arc::clone(realtime));
    let namespace = Namespace::new(NAME, move |handshake: Handshake| {
        let realtime = Arc::clone(&connecting);
        async move { authorize(&realtime, &handshake).await }
    })
    .recover_if(is_same)
    .on_connect(move |socket: Socket<SupportUser>| {
        let realtime = Arc::clone(&connected);
        async move { on_connect(&realtime, &socket) }
    })
    .on_disconnect(move |socket: Socket<SupportUser>, _| {
        let realtime = Arc::clone(&disconnecting);
        async move {
            typing::end_all(&realtime, socket.id());
            socket.data().disconnected();
        }
    })
    .on_rate_limited(|_, event: Event| async move { Some(refused(&event, ApiError::rate_limited())) })
    .on_refused(|_, event: Event| async move { Some(refused(&event, input::unreadable())) });
    events().into_iter().fold(namespace, |namespace, event| event.register(namespace, realtime))
}

/// The events that clients emit.
pub(super) fn events() -> Vec<EventDescription<SupportUser>> {
    vec![
        event(
            "join_conversation",
            "Joins a conversation, which its owner and any agent may; with `after_seq`, missed messages are sent first",
            join_payload,
            async |realtime, socket, event| join::join_conversation(realtime, socket, event).await,
        ),
        event(
            "leave_conversation",
            "Leaves a conversation",
            |_| object_with(&json!({ "conversation_id": { "type": "string" } }), "conversation_id"),
            async |realtime, socket, event| join::leave_conversation(realtime, socket, event),
        ),
        event(
            "join_ticket",
            "Joins a ticket and its conversation",
            |_| object_with(&json!({ "ticket_id": { "type": "string" } }), "ticket_id"),
            async |realtime, socket, event| join::join_ticket(realtime, socket, event).await,
        ),
        event(
            "leave_ticket",
            "Leaves a ticket",
            |_| object_with(&json!({ "ticket_id": { "type": "string" } }), "ticket_id"),
            async |realtime, socket, event| join::leave_ticket(realtime, socket, event).await,
        ),
        event(
            "typing",
            "The user types in a conversation or ticket that the socket has joined",
            typing_payload,
            async |realtime, socket, event| typing::relay(realtime, socket, event, true).await,
        ),
        event("stop_typing", "The user has stopped typing", typing_payload, async |realtime, socket, event| {
            typing::relay(realtime, socket, event, false).await
        }),
        event(
            "read",
            "A customer has read a conversation up to a `seq`, an agent up to a position",
            read::read_payload,
            async |realtime, socket, event| read::read(realtime, socket, event).await,
        ),
        EventDescription::new(
            SEND_MESSAGE,
            "A customer's message, as POST chat/send takes it, or an agent's reply or note",
            send_message_payload,
            AckDescription {
                key: "ack.send_message",
                summary: "The `data` of the REST answer, or the error",
                schema: send_message_ack,
            },
            async |realtime, socket, event| {
                let sent = async {
                    admit_event(realtime, socket, event).await?;
                    send_message(realtime, socket, event).await
                };
                Some(Ack::data(sent.await))
            },
        ),
    ]
}

/// An event that is acknowledged with its outcome.
fn event<F>(name: &'static str, summary: &'static str, payload: SchemaFn, handler: F) -> EventDescription<SupportUser>
where
    F: AsyncFn(&Realtime, &Socket<SupportUser>, &Event) -> Result<(), ApiError> + Send + Sync + 'static,
{
    let ack = AckDescription {
        key: "ack",
        summary: "The outcome of an event",
        schema: |schemas| schemas.serialized::<AckOutcome>(),
    };
    EventDescription::new(
        name,
        summary,
        payload,
        ack,
        async move |realtime: &Realtime, socket: &Socket<SupportUser>, event: &Event| {
            let outcome = async {
                admit_event(realtime, socket, event).await?;
                handler(realtime, socket, event).await
            };
            Some(Ack::outcome(outcome.await))
        },
    )
}

fn join_payload(_: &mut Schemas) -> Value {
    let properties = json!({
        "conversation_id": { "type": "string" },
        "after_seq": {
            "description": "The last `seq` that the client has; it is sent the messages after it",
            "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX,
        },
    });
    object_with(&properties, "conversation_id")
}

fn typing_payload(_: &mut Schemas) -> Value {
    let object = |id: &str| {
        let properties = json!({
            id: { "type": "string" },
            "is_internal": { "description": "From an agent: for agents only", "type": "boolean" },
        });
        object_with(&properties, id)
    };
    json!({ "anyOf": [object("conversation_id"), object("ticket_id")] })
}

fn send_message_payload(schemas: &mut Schemas) -> Value {
    let (customer, agent) = (schemas.deserialized::<SendRequest>(), schemas.deserialized::<ReplyRequest>());
    let conversation = object_with(&json!({ "conversation_id": { "type": "string" } }), "conversation_id");
    json!({ "anyOf": [customer, { "allOf": [agent, conversation] }] })
}

fn send_message_ack(schemas: &mut Schemas) -> Value {
    let error = json!({
        "type": "object",
        "properties": { "error": schemas.serialized::<EventError>() },
        "required": ["error"],
        "additionalProperties": false,
    });
    json!({ "anyOf": [schemas.serialized::<SendResponse<'static>>(), schemas.serialized::<ReplySent<'static>>(), error] })
}

fn object_with(properties: &Value, required: &str) -> Value {
    json!({ "type": "object", "properties": properties, "required": [required] })
}

/// The acknowledgement of an event that its handler does not see, in the form that the handler uses.
fn refused(event: &Event, error: ApiError) -> Ack {
    match event.name.as_str() {
        SEND_MESSAGE => Ack::data(Err(error)),
        _ => Ack::outcome(Err(error)),
    }
}

/// Whether a session may be recovered: only by the same account in the same role, or with a token for the same
/// conversation.
fn is_same(before: &SupportUser, now: &SupportUser) -> bool {
    match (&**before, &**now) {
        (Person::Account(before), Person::Account(now)) => before.id == now.id && before.is_agent == now.is_agent,
        (Person::Guest(before), Person::Guest(now)) => before == now,
        _ => false,
    }
}

/// Refuses an invalid token with `connect_error`, and a guest's that serves no conversation, or none any more.
async fn authorize(realtime: &Realtime, handshake: &Handshake) -> Result<SupportUser, ConnectRefusal> {
    let identified = match auth::identify(realtime, handshake).await {
        Ok(identified) => admit(realtime, &identified.person).await.map(|()| identified),
        Err(_) => Err(ApiError::unauthorized()),
    };
    let identified = identified.map_err(|error| ConnectRefusal {
        message: error.message.into_owned(),
        data: Some(json!({ "code": error.code })),
    })?;
    Ok(SupportUser::new(identified, &realtime.presence))
}

async fn admit(realtime: &Realtime, person: &Person) -> Result<(), ApiError> {
    let Person::Guest(guest) = person else { return Ok(()) };
    let id = guest.conversation().ok_or_else(ApiError::unauthorized)?;
    admit_guest(&realtime.services, guest, &id.to_string()).await.map(drop)
}

/// Admits an event of a guest, who may do nothing but in their conversation. A socket whose token is void is
/// disconnected: the conversation may have been moved to an account on another server.
async fn admit_event(realtime: &Realtime, socket: &Socket<SupportUser>, event: &Event) -> Result<(), ApiError> {
    let Some(guest) = socket.data().guest() else { return Ok(()) };
    let payload = payload(event);
    let id = payload.get("conversation_id").and_then(Value::as_str).and_then(ConversationId::parse);
    let is_for_agents = matches!(event.name.as_str(), "join_ticket" | "leave_ticket");
    let Some(id) = id.filter(|id| guest.conversation() == Some(*id) && !is_for_agents) else {
        return Err(ApiError::unauthorized());
    };
    let admitted = admit_guest(&realtime.services, guest, &id.to_string()).await;
    if admitted.as_ref().is_err_and(|error| error.code == Code::Unauthorized) {
        socket.disconnect();
    }
    admitted.map(drop)
}

fn on_connect(realtime: &Realtime, socket: &Socket<SupportUser>) {
    let user = socket.data();
    match &**user {
        Person::Account(principal) => {
            socket.join(rooms::of_user(&principal.id));
            if principal.is_agent {
                socket.join(rooms::of_agent(&principal.id));
                // A role that changed before the socket was in that room has not ended it.
                if !realtime.services.roles.is_still_agent(&principal.id) {
                    return socket.evict();
                }
                socket.join(rooms::ADMINS);
            }
        }
        Person::Guest(guest) => {
            if let Some(id) = guest.conversation() {
                socket.join(rooms::of_guest(id));
            }
        }
    }
    user.connected(realtime.deadlines.start(socket, user.agent().is_some(), user.token_until()));
    if let Some(agent) = user.agent() {
        realtime.handover_announcer().connected(&agent.id, socket);
    }
}
