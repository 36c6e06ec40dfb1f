//! The namespace `/help-center`: who may come in, and what a socket may ask (`help-center.md`).
//!
//! Whoever has a bad token is let in, told so and put out again, as its document has it: `connect_error` is not what
//! these apps listen for. Everybody else is greeted with their conversation, on every connection, recovered ones too.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Realtime, auth, rooms, send_message};
use crate::api_error::{ApiError, Code, FieldError};
use crate::domain::{ClientMessageId, ConversationId, MessageText, Posted};
use crate::help_center::{Arrival, MessagePayload, SendBody, Thread, ThreadPayload};
use crate::identity::Principal;
use crate::wire::Validator;
use socketio::{ConnectRefusal, Event, Handshake, Namespace, Socket};

/// The namespace's name.
pub(super) const NAME: &str = "/help-center";

/// What a customer writes.
const SEND: &str = "help_center:send";

/// Whose socket it is.
pub(super) struct HelpCenterUser {
    /// Nobody's where the token was bad.
    known: Option<Known>,
    /// Their conversation, once they are greeted.
    conversation: OnceLock<ConversationId>,
}

struct Known {
    principal: Principal,
    arrival: Arrival,
}

/// The namespace with everything it answers to. What a socket is greeted with has at most `greeting_bytes` of messages.
pub(super) fn namespace(realtime: &Arc<Realtime>, greeting_bytes: usize) -> Namespace<HelpCenterUser> {
    let [connecting, greeting, sending, typing] = std::array::from_fn(|_| Arc::clone(realtime));
    Namespace::new(NAME, move |handshake: Handshake| {
        let visitor = visitor(&connecting, &handshake);
        async move { Ok::<_, ConnectRefusal>(visitor) }
    })
    .recover_if(|before: &HelpCenterUser, now: &HelpCenterUser| match (&before.known, &now.known) {
        (Some(before), Some(now)) => before.principal.id == now.principal.id,
        _ => false,
    })
    .on_connect(move |socket: Socket<HelpCenterUser>| {
        let realtime = Arc::clone(&greeting);
        async move { greet(&realtime, &socket, greeting_bytes).await }
    })
    .on(SEND, move |socket: Socket<HelpCenterUser>, event: Event| {
        let realtime = Arc::clone(&sending);
        async move {
            let sent = self::send(&realtime, &socket, &event).await;
            let sent = sent.map(|posted| json!({ "message": MessagePayload::new(&posted) }));
            acknowledge(&socket, event.wants_ack, sent)
        }
    })
    .on("help_center:typing", move |socket: Socket<HelpCenterUser>, event: Event| {
        let realtime = Arc::clone(&typing);
        async move {
            let told = self::typing(&realtime, &socket, &event);
            acknowledge(&socket, event.wants_ack, told.map(|()| json!({})))
        }
    })
    .on_rate_limited(|socket: Socket<HelpCenterUser>, event: Event| async move {
        // A person who types is not to be told that they type too fast.
        let is_told = event.name == SEND;
        is_told.then(|| acknowledge(&socket, event.wants_ack, Err(ApiError::rate_limited()))).flatten()
    })
}

/// Never refused: see the module.
fn visitor(realtime: &Realtime, handshake: &Handshake) -> HelpCenterUser {
    let known = auth::principal(realtime, handshake).ok().map(|principal| {
        let ip_address = handshake.client_address.as_ref().map(IpAddr::to_string);
        let user_agent = handshake.headers.get("user-agent");
        let arrival = Arrival::new(&principal, ip_address, user_agent);
        Known { principal, arrival }
    });
    HelpCenterUser { known, conversation: OnceLock::new() }
}

/// Tells a socket its conversation, and joins it: what happens from then on comes behind, and nothing is left out.
async fn greet(realtime: &Realtime, socket: &Socket<HelpCenterUser>, greeting_bytes: usize) {
    let Some(known) = &socket.data().known else {
        socket.emit("help_center:error", &ErrorPayload::from(ApiError::unauthorized()));
        socket.disconnect();
        return;
    };
    // One that comes back is in its room already, and would hear of what the greeting tells too.
    socket.leave_all();
    let newcomer = socket.clone();
    let begin = move |thread: Thread| {
        let id = thread.conversation.id;
        let _ = newcomer.data().conversation.set(id);
        newcomer.join(rooms::of_conversation(id));
        newcomer.emit("help_center:connected", &ThreadPayload::within(&thread, greeting_bytes));
    };
    if let Err(failure) = realtime.help_center.listen(&known.arrival, begin).await {
        // The client comes again by itself, a little later each time; put out, it would stay away.
        tracing::warn!(code = failure.code.as_str(), "somebody could not be greeted in the help center");
        socket.close_transport();
    }
}

/// Somebody who was greeted, and their conversation.
fn greeted(socket: &Socket<HelpCenterUser>) -> Result<(&Known, ConversationId), ApiError> {
    let HelpCenterUser { known, conversation } = socket.data();
    known.as_ref().zip(conversation.get().copied()).ok_or_else(ApiError::unauthorized)
}

async fn send(realtime: &Realtime, socket: &Socket<HelpCenterUser>, event: &Event) -> Result<Arc<Posted>, ApiError> {
    let (known, id) = greeted(socket)?;
    let (text, client_message_id) = read(event)?;
    realtime.limits.send(&known.principal.id)?;
    realtime.help_center.write_to(id, &known.arrival, text, client_message_id).await
}

/// `{ text, clientMessageId? }`.
fn read(event: &Event) -> Result<(MessageText, Option<ClientMessageId>), ApiError> {
    let body: SendBody = send_message::read(payload(event))?;
    let mut fields = Validator::default();
    let text = body.text(&mut fields);
    let (name, id) = (SendBody::CLIENT_MESSAGE_ID, body.client_message_id.as_deref());
    let client_message_id = fields.optional(name, id, ClientMessageId::parse);
    fields.finish(text.map(|text| (text, client_message_id)))
}

/// The agents who have the conversation open see them type, and nobody else.
fn typing(realtime: &Realtime, socket: &Socket<HelpCenterUser>, event: &Event) -> Result<(), ApiError> {
    let (known, id) = greeted(socket)?;
    let Some(Value::Bool(is_typing)) = payload(event).remove("isTyping") else {
        let message = "isTyping must be true or false".to_owned();
        return Err(ApiError::validation(vec![FieldError { field: "isTyping".into(), message }]));
    };
    realtime.broadcaster.customer_types(id, &known.principal.id, is_typing);
    Ok(())
}

/// Through a map: a struct would also be read from an array.
fn payload(event: &Event) -> Map<String, Value> {
    event.first().unwrap_or_default()
}

/// The acknowledgement; a failure that nobody waits for is an event of its own.
fn acknowledge(socket: &Socket<HelpCenterUser>, is_awaited: bool, outcome: Result<Value, ApiError>) -> Option<Value> {
    match outcome {
        Err(failure) if is_awaited => Some(json!({ "error": ErrorPayload::from(failure) })),
        Err(failure) => {
            socket.emit("help_center:error", &ErrorPayload::from(failure));
            None
        }
        Ok(answer) => Some(answer),
    }
}

/// `help_center:error` (`help-center.md`, 4.4).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HelpCenterError")]
pub(super) struct ErrorPayload {
    code: Code,
    message: String,
    /// What is wrong with each field, by its name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    details: Map<String, Value>,
}

impl From<ApiError> for ErrorPayload {
    fn from(failure: ApiError) -> Self {
        let details = failure.details.into_iter().map(|detail| (detail.field.into_owned(), detail.message.into()));
        Self { code: failure.code, message: failure.message.into_owned(), details: details.collect() }
    }
}
