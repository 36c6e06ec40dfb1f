//! The namespace `/help-center` (`help-center.md`).
//!
//! Its clients do not handle `connect_error`, so a connection with an invalid token is accepted, sent
//! `help_center:error` and disconnected. Every other connection, recovered ones included, is sent its conversation.

use super::emit::EmitEvent;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::ack::Ack;
use super::connection_deadlines::DeadlineGuard;
use super::event::{AckDescription, EventDescription, payload};
use super::send_message::parse;
use super::{Realtime, auth, input, rooms, typing};
use crate::api_error::{ApiError, Code};
use crate::client_info::ClientInfo;
use crate::domain::{ClientMessageId, ConversationId, MessageText, Posted};
use crate::dto::{HelpCenterMessage, HelpCenterSendRequest, HelpCenterThread, Validator};
use crate::help_center::{Thread, Visit};
use crate::identity::Principal;
use crate::json_schema::Schemas;
use crate::reads::Reader;
use crate::services::Authenticated;
use crate::store;
use socketio::{ConnectRefusal, Event, Handshake, Namespace, Socket};

/// The namespace's name.
pub(super) const NAME: &str = "/help-center";

const SEND: &str = "help_center:send";

/// How long a client whose token is refused may take to close its connection.
const REFUSAL_GRACE: Duration = Duration::from_secs(1);

/// The account of a socket.
pub(super) struct HelpCenterUser {
    /// `None` if the token is invalid.
    account: Option<Account>,
    /// Set once the client has been sent its conversation.
    conversation: OnceLock<ConversationId>,
}

struct Account {
    principal: Principal,
    visit: Visit,
    /// The last second since 1970 at which the token is valid.
    token_until: u64,
    /// When the connection ends, while it is connected.
    deadline: Mutex<Option<DeadlineGuard>>,
}

/// The namespace with all its handlers. `help_center:connected` contains at most `greeting_bytes` of messages.
pub(super) fn namespace(realtime: &Arc<Realtime>, greeting_bytes: usize) -> Namespace<HelpCenterUser> {
    let [connecting, greeting, disconnecting] = std::array::from_fn(|_| Arc::clone(realtime));
    let namespace = Namespace::new(NAME, move |handshake: Handshake| {
        let realtime = Arc::clone(&connecting);
        async move { Ok::<_, ConnectRefusal>(authenticate(&realtime, &handshake).await) }
    })
    .recover_if(|before: &HelpCenterUser, now: &HelpCenterUser| match (&before.account, &now.account) {
        (Some(before), Some(now)) => before.principal.id == now.principal.id,
        _ => false,
    })
    .on_connect(move |socket: Socket<HelpCenterUser>| {
        let realtime = Arc::clone(&greeting);
        async move { on_connect(&realtime, &socket, greeting_bytes).await }
    })
    .on_disconnect(move |socket: Socket<HelpCenterUser>, _| {
        let realtime = Arc::clone(&disconnecting);
        async move {
            typing::end_all(&realtime, socket.id());
            if let Some(account) = &socket.data().account {
                *account.deadline.lock() = None;
            }
        }
    })
    .on_rate_limited(|socket: Socket<HelpCenterUser>, event: Event| async move {
        // Typing too fast is no error that a customer should see.
        let is_reported = event.name == SEND;
        is_reported.then(|| acknowledge(&socket, &event, Err(ApiError::rate_limited()))).flatten()
    })
    .on_refused(|socket: Socket<HelpCenterUser>, event: Event| async move {
        acknowledge(&socket, &event, Err(input::unreadable()))
    });
    events().into_iter().fold(namespace, |namespace, event| event.register(namespace, realtime))
}

/// The events that clients emit (`help-center.md`, 3).
pub(super) fn events() -> Vec<EventDescription<HelpCenterUser>> {
    vec![
        EventDescription::new(
            SEND,
            "A customer's message",
            |schemas| schemas.deserialized::<HelpCenterSendRequest>(),
            AckDescription {
                key: "ack.help_center.send",
                summary: "The message as it is stored, or the error",
                schema: send_ack,
            },
            async |realtime, socket, event| {
                let sent = send(realtime, socket, event).await;
                acknowledge(socket, event, sent.map(|posted| json!({ "message": HelpCenterMessage::new(&posted) })))
            },
        ),
        EventDescription::new(
            "help_center:typing",
            "The customer types, or has stopped; for the agents who have joined the conversation",
            |_| json!({ "type": "object", "properties": { "isTyping": { "type": "boolean" } }, "required": ["isTyping"] }),
            AckDescription {
                key: "ack.help_center.typing",
                summary: "An empty object, or the error",
                schema: typing_ack,
            },
            async |realtime, socket, event| {
                let relayed = relay_typing(realtime, socket, event).await;
                match relayed {
                    // That others cannot be notified is no error that a customer should see.
                    Err(error) if !event.wants_ack && error.code != Code::ValidationError => None,
                    relayed => acknowledge(socket, event, relayed.map(|()| json!({}))),
                }
            },
        ),
    ]
}

fn send_ack(schemas: &mut Schemas) -> Value {
    let message = schemas.serialized::<HelpCenterMessage<'static>>();
    let sent = json!({
        "type": "object", "properties": { "message": message }, "required": ["message"], "additionalProperties": false,
    });
    json!({ "anyOf": [sent, error_ack(schemas)] })
}

fn typing_ack(schemas: &mut Schemas) -> Value {
    json!({ "anyOf": [{ "type": "object", "additionalProperties": false }, error_ack(schemas)] })
}

fn error_ack(schemas: &mut Schemas) -> Value {
    let error = schemas.serialized::<HelpCenterError>();
    json!({ "type": "object", "properties": { "error": error }, "required": ["error"], "additionalProperties": false })
}

/// Never refuses, see the module.
async fn authenticate(realtime: &Realtime, handshake: &Handshake) -> HelpCenterUser {
    let account = auth::authenticate(realtime, handshake).await.ok().map(|Authenticated { principal, last_second }| {
        let visit =
            Visit::new(&principal, ClientInfo::new(handshake.client_address, handshake.headers.get("user-agent")));
        Account { principal, visit, token_until: last_second, deadline: Mutex::default() }
    });
    HelpCenterUser { account, conversation: OnceLock::new() }
}

/// Sends the conversation and joins it, with no event lost or repeated in between.
async fn on_connect(realtime: &Realtime, socket: &Socket<HelpCenterUser>, greeting_bytes: usize) {
    let Some(account) = &socket.data().account else {
        socket.emit_event(&HelpCenterError::from(ApiError::unauthorized()));
        // Not only the namespace: otherwise the connection may stay for `socket.connect_timeout_ms`.
        socket.disconnect_and_close(REFUSAL_GRACE);
        return;
    };
    let is_agent = account.principal.is_agent;
    *account.deadline.lock() = realtime.deadlines.start(socket, is_agent, account.token_until);
    // Connecting again and again reads as much as asking over REST.
    let (id, limits) = (&account.principal.id, realtime.services.limits.clone());
    if let Err(refused) = limits.read(id) {
        socket.emit_event(&HelpCenterError::from(ApiError::from(refused)));
        socket.close_transport();
        return;
    }
    let turn = realtime.services.reads.begin(Reader::Account(id)).await;
    let reader = id.clone();
    // A recovered socket is in its room already, where it would receive the events that the greeting contains.
    socket.leave_all();
    let joining = socket.clone();
    let begin = move |thread: Thread| {
        limits.has_read(&reader, store::json_bytes(&thread.history.messages));
        let id = thread.conversation.id;
        let _ = joining.data().conversation.set(id);
        joining.join(rooms::of_conversation(id));
        let greeting = HelpCenterThread::new(&thread.conversation, &thread.history).truncate(greeting_bytes);
        joining.emit_event(&greeting);
    };
    let subscribed = realtime.services.help_center.subscribe(&account.visit, begin).await;
    drop(turn);
    if let Err(error) = subscribed {
        // After a transport close the client reconnects with backoff; after a disconnect it would not.
        tracing::warn!(code = error.code.as_str(), "a help center connection could not be sent its conversation");
        socket.close_transport();
    }
}

/// The account and its conversation, once it has been sent.
fn connected(socket: &Socket<HelpCenterUser>) -> Result<(&Account, ConversationId), ApiError> {
    let HelpCenterUser { account, conversation } = socket.data();
    account.as_ref().zip(conversation.get().copied()).ok_or_else(ApiError::unauthorized)
}

async fn send(realtime: &Realtime, socket: &Socket<HelpCenterUser>, event: &Event) -> Result<Arc<Posted>, ApiError> {
    let (account, id) = connected(socket)?;
    let (text, client_message_id) = validate(event)?;
    realtime.services.limits.send(&account.principal.id)?;
    realtime.services.help_center.send_to(id, &account.visit, text, client_message_id).await
}

fn validate(event: &Event) -> Result<(MessageText, Option<ClientMessageId>), ApiError> {
    let body: HelpCenterSendRequest = parse(payload(event))?;
    let mut validator = Validator::default();
    let text = body.validate(&mut validator);
    let (name, id) = (HelpCenterSendRequest::CLIENT_MESSAGE_ID, body.client_message_id.as_deref());
    let client_message_id = validator.optional(name, id, ClientMessageId::parse);
    validator.finish(text.map(|text| (text, client_message_id)))
}

async fn relay_typing(realtime: &Realtime, socket: &Socket<HelpCenterUser>, event: &Event) -> Result<(), ApiError> {
    let (account, id) = connected(socket)?;
    let Some(Value::Bool(is_typing)) = payload(event).remove("isTyping") else {
        return Err(input::invalid("isTyping", "isTyping must be true or false"));
    };
    typing::relay_help_center(realtime, socket.id(), &account.principal.id, id, is_typing).await
}

/// The acknowledgement. An error of an event without one is sent as `help_center:error`.
fn acknowledge(socket: &Socket<HelpCenterUser>, event: &Event, outcome: Result<Value, ApiError>) -> Option<Ack> {
    match outcome {
        Err(error) if event.wants_ack => Some(Ack::Data(json!({ "error": HelpCenterError::from(error) }))),
        Err(error) => {
            socket.emit_event(&HelpCenterError::from(error));
            None
        }
        Ok(data) => Some(Ack::Data(data)),
    }
}

/// An error (`help-center.md`, 4.4).
#[derive(Serialize, JsonSchema)]
pub(super) struct HelpCenterError {
    code: Code,
    message: String,
    /// The error of each invalid field, by its name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    details: Map<String, Value>,
}

impl From<ApiError> for HelpCenterError {
    fn from(error: ApiError) -> Self {
        let details = error.details.into_iter().map(|detail| (detail.field.into_owned(), detail.message.into()));
        Self { code: error.code, message: error.message.into_owned(), details: details.collect() }
    }
}
