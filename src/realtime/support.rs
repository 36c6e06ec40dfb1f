//! The namespace `/support`: who may come in, and what a socket may ask (`support-user.md`, `support-admin.md`).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::presence::SupportUser;
use super::send_message::send_message;
use super::{Realtime, auth, join, rooms};
use crate::api_error::{ApiError, Code, FieldError};
use socketio::{ConnectRefusal, Event, Handshake, Namespace, Socket};

/// The namespace's name.
pub(super) const NAME: &str = "/support";

/// The event whose acknowledgement has a form of its own.
const SEND_MESSAGE: &str = "send_message";

/// The namespace with everything it answers to.
pub(super) fn namespace(realtime: &Arc<Realtime>) -> Namespace<SupportUser> {
    let connecting = Arc::clone(realtime);
    let namespace = Namespace::new(NAME, move |handshake: Handshake| {
        let realtime = Arc::clone(&connecting);
        async move { connect(&realtime, &handshake) }
    })
    // Whoever comes back with the name of an earlier connection must be the same person, in the same role.
    .recover_if(|before: &SupportUser, now: &SupportUser| before.id == now.id && before.is_agent == now.is_agent)
    .on_connect(|socket: Socket<SupportUser>| async move { greet(&socket) })
    .on_disconnect(|socket: Socket<SupportUser>, _| async move { socket.data().goes() })
    .on_rate_limited(|_, event: Event| async move { Some(too_many(&event)) });
    let namespace = on(namespace, realtime, "join_conversation", join::join_conversation);
    let namespace = on(namespace, realtime, "leave_conversation", join::leave_conversation);
    let namespace = on(namespace, realtime, "join_ticket", join::join_ticket);
    let namespace = on(namespace, realtime, "leave_ticket", join::leave_ticket);
    let namespace =
        on(namespace, realtime, "typing", async |realtime, socket, event| join::relay(realtime, socket, event, true));
    let namespace = on(namespace, realtime, "stop_typing", async |realtime, socket, event| {
        join::relay(realtime, socket, event, false)
    });
    let sending = Arc::clone(realtime);
    namespace.on(SEND_MESSAGE, move |socket: Socket<SupportUser>, event: Event| {
        let realtime = Arc::clone(&sending);
        async move {
            let sent = send_message(&realtime, &socket, &event).await;
            Some(sent.map_or_else(Sent::refused, Sent::Done))
        }
    })
}

/// What an event that came too soon is acknowledged with: what its handler acknowledges a refusal with.
fn too_many(event: &Event) -> TooMany {
    let failure = ApiError::rate_limited();
    match event.name.as_str() {
        SEND_MESSAGE => TooMany::Send(Sent::refused(failure)),
        _ => TooMany::Other(Answer::of(Err(failure))),
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum TooMany {
    Send(Sent),
    Other(Answer),
}

/// What `send_message` is acknowledged with: the `data` of the REST answer, or `{ error: { code, message } }`.
#[derive(Serialize)]
#[serde(untagged)]
enum Sent {
    Done(Value),
    Refused { error: AnswerError },
}

/// An event that is acknowledged with [`Answer`].
fn on<F>(namespace: Namespace<SupportUser>, realtime: &Arc<Realtime>, event: &str, handler: F) -> Namespace<SupportUser>
where
    F: AsyncFn(&Realtime, &Socket<SupportUser>, &Event) -> Result<(), ApiError> + Send + Sync + 'static,
{
    let with = Arc::new((Arc::clone(realtime), handler));
    namespace.on(event, move |socket: Socket<SupportUser>, event: Event| {
        let with = Arc::clone(&with);
        async move {
            let (realtime, handler) = &*with;
            Some(Answer::of(handler(realtime, &socket, &event).await))
        }
    })
}

/// What an event is acknowledged with: `{ success: true }`, or `{ success: false, error: { code, message } }`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Ack")]
pub(super) struct Answer {
    #[schemars(with = "bool")]
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<AnswerError>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AckError")]
pub(super) struct AnswerError {
    code: Code,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<FieldError>,
}

impl Sent {
    fn refused(failure: ApiError) -> Self {
        Self::Refused { error: AnswerError::new(failure) }
    }
}

impl Answer {
    fn of(outcome: Result<(), ApiError>) -> Self {
        let error = outcome.err().map(AnswerError::new);
        Self { success: error.is_none(), error }
    }
}

impl AnswerError {
    fn new(failure: ApiError) -> Self {
        Self { code: failure.code, message: failure.message.into_owned(), details: failure.details }
    }
}

/// Refuses a bad token with what `connect_error` shows.
fn connect(realtime: &Realtime, handshake: &Handshake) -> Result<SupportUser, ConnectRefusal> {
    let principal = auth::principal(realtime, handshake).map_err(|_| {
        let failure = ApiError::unauthorized();
        ConnectRefusal { message: failure.message.into_owned(), data: Some(json!({ "code": failure.code })) }
    })?;
    Ok(SupportUser::new(principal, &realtime.presence))
}

fn greet(socket: &Socket<SupportUser>) {
    let principal = socket.data();
    socket.join(rooms::of_user(&principal.id));
    if principal.is_agent {
        socket.join(rooms::ADMINS);
    }
    principal.comes();
}
