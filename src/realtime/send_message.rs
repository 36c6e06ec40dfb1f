//! `send_message`: a customer's send or an agent's reply, acknowledged with the `data` of the REST answer
//! (`decisions.md`, "Sending over the socket").

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Realtime;
use super::presence::SupportUser;
use crate::api_error::{ApiError, Code, FieldError};
use crate::client_info::ClientInfo;
use crate::domain::{ClientMessageId, Target};
use crate::dto::{ReplyRequest, ReplySent, SendRequest, Validator, check_guest_id};
use crate::identity::{Person, Principal};
use crate::limits::TokenCall;
use crate::use_cases::{self, limit_guest_token, void_as_unauthorized};
use socketio::{Event, Socket};

/// Sends, and returns the data to acknowledge.
pub(super) async fn send_message(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<Value, ApiError> {
    // A struct would also be deserialized from an array.
    let payload: Map<String, Value> =
        event.first().map_err(|_| ApiError::new(Code::ValidationError, "The payload must be a JSON object"))?;
    match socket.data().agent() {
        Some(agent) => reply(realtime, agent, payload).await,
        None => send(realtime, socket, payload).await,
    }
}

async fn send(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    payload: Map<String, Value>,
) -> Result<Value, ApiError> {
    let body: SendRequest = parse(payload)?;
    let mut validator = Validator::default();
    let id = validator.optional("client_message_id", body.client_message_id.as_deref(), ClientMessageId::parse);
    let send = body.validate(&mut validator, id);
    let person = socket.data();
    if person.guest().is_some() {
        check_guest_id(&mut validator, send.as_ref().and_then(|send| send.client_message_id.as_ref()));
    }
    let send = validator.finish(send)?;
    match &**person {
        Person::Account(principal) => realtime.services.limits.send(&principal.id)?,
        Person::Guest(guest) => {
            limit_guest_token(&realtime.services, guest, socket.handshake().client_address, TokenCall::Send)?;
        }
    }
    let (from, sender) = (person.as_customer(), person.as_owner());
    let outcome = use_cases::send(&realtime.services, from, send, || {
        let request = socket.handshake();
        ClientInfo::new(request.client_address, request.headers.get("user-agent"))
    });
    let void = |error| if person.guest().is_some() { void_as_unauthorized(error) } else { error };
    let outcome = outcome.await.map_err(void)?;
    let guest_token = outcome.guest_token(&realtime.services, &sender).await?;
    to_value(&outcome.response(guest_token))
}

/// An agent's payload must name a conversation.
async fn reply(realtime: &Realtime, agent: &Principal, payload: Map<String, Value>) -> Result<Value, ApiError> {
    let conversation = payload.get("conversation_id").and_then(Value::as_str).map(ToOwned::to_owned);
    let body: ReplyRequest = parse(payload)?;
    let mut validator = Validator::default();
    if conversation.is_none() {
        validator.fail("conversation_id", "conversation_id must be a string".to_owned());
    }
    let id = validator.optional("client_message_id", body.client_message_id.as_deref(), ClientMessageId::parse);
    let reply = body.validate(&mut validator, Target::Conversation, agent.as_agent(), id);
    let (conversation, reply) = validator.finish(conversation.zip(reply))?;
    let posted = use_cases::reply(&realtime.services, &conversation, reply).await?;
    to_value(&ReplySent::new(&posted))
}

/// Deserializes a payload; the error names a field of the wrong type.
pub(super) fn parse<Body: DeserializeOwned>(payload: Map<String, Value>) -> Result<Body, ApiError> {
    serde_path_to_error::deserialize(Value::Object(payload)).map_err(|error| {
        let field = error.path().to_string();
        ApiError::validation(vec![FieldError { message: format!("{field} has the wrong type"), field: field.into() }])
    })
}

fn to_value(data: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(data).map_err(|error| {
        tracing::error!(%error, "an acknowledgement could not be serialized");
        ApiError::internal()
    })
}
