//! `send_message`: what `POST chat/send` does, and from an agent what `reply` does, acknowledged with that one's `data`
//! (`decisions.md`, "Sending over the socket").

use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Realtime;
use super::presence::SupportUser;
use crate::api_error::{ApiError, Code, FieldError};
use crate::domain::{ClientMessageId, DeviceMetadata, Target};
use crate::wire::Validator;
use crate::wire::reply::{self, ReplyBody, ReplyView};
use crate::wire::send::{self, SendBody, Source};
use socketio::{Event, Socket};

/// The acknowledgement: the same `data` as over REST.
pub(super) async fn send_message(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    event: &Event,
) -> Result<Value, ApiError> {
    // Through a map: a struct would also be read from an array.
    let payload: Map<String, Value> =
        event.first().map_err(|_| ApiError::new(Code::ValidationError, "The payload must be a JSON object"))?;
    let data = if socket.data().is_agent {
        reply(realtime, socket, payload).await?
    } else {
        send(realtime, socket, payload).await?
    };
    data.map_err(|error| {
        tracing::error!(%error, "an acknowledgement could not be encoded");
        ApiError::internal()
    })
}

async fn send(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    payload: Map<String, Value>,
) -> Result<serde_json::Result<Value>, ApiError> {
    let body: SendBody = read(payload)?;
    let mut fields = Validator::default();
    let name = fields.optional("client_message_id", body.client_message_id.as_deref(), ClientMessageId::parse);
    let send = body.read(&mut fields, name);
    let send = fields.finish(send)?;
    let source = || source(socket);
    let from = socket.data().as_customer();
    let sent = send::carry_out(&realtime.registry, &realtime.limits, from, send, source).await?;
    Ok(serde_json::to_value(sent.view()))
}

/// An agent's goes into a conversation that there is.
async fn reply(
    realtime: &Realtime,
    socket: &Socket<SupportUser>,
    payload: Map<String, Value>,
) -> Result<serde_json::Result<Value>, ApiError> {
    let id = payload.get("conversation_id").and_then(Value::as_str).map(ToOwned::to_owned);
    let body: ReplyBody = read(payload)?;
    let mut fields = Validator::default();
    if id.is_none() {
        fields.fault("conversation_id", "conversation_id must be a string".to_owned());
    }
    let name = fields.optional("client_message_id", body.client_message_id.as_deref(), ClientMessageId::parse);
    let reply = body.read(&mut fields, Target::Conversation, socket.data().as_agent(), name);
    let (id, reply) = fields.finish(id.zip(reply))?;
    let posted = reply::carry_out(&realtime.registry, &realtime.limits, &id, reply).await?;
    Ok(serde_json::to_value(ReplyView::new(&posted)))
}

/// Reads a payload; a field of the wrong type is named.
pub(super) fn read<Body: DeserializeOwned>(payload: Map<String, Value>) -> Result<Body, ApiError> {
    serde_path_to_error::deserialize(Value::Object(payload)).map_err(|error| {
        let field = error.path().to_string();
        ApiError::validation(vec![FieldError { message: format!("{field} has the wrong type"), field: field.into() }])
    })
}

/// Where the session came from; what a socket has told of its device it has told by headers of its handshake alone.
fn source(socket: &Socket<SupportUser>) -> Source {
    let handshake = socket.handshake();
    Source {
        device_metadata: None::<DeviceMetadata>,
        ip_address: handshake.client_address.as_ref().map(IpAddr::to_string),
        user_agent: handshake.headers.get("user-agent").map(ToString::to_string),
    }
}
