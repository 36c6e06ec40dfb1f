//! Decodes Socket.IO packets (protocol 5): a text of packet type, attachment count, namespace, ack id and JSON, followed
//! by binary attachments.
//!
//! Pure: no I/O.
//!
//! Invariants: any input gives packets or an error, in linear time; between two messages the decoder keeps at most one
//! packet whose attachments are incomplete. After an error the connection must be closed; the decoder does not
//! resynchronise.

use bytestring::ByteString;
use engineio::Message;
use serde_json::{Map, Value};

use crate::arguments::Arguments;
use crate::config::SocketIoConfig;

/// The largest ack id: 2^53, up to which JavaScript counts without gaps.
const LARGEST_ACK_ID: u64 = 1 << 53;
/// Event names that have a meaning of their own in clients or servers and must not be sent.
pub(crate) const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// A packet from a client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Packet {
    /// The namespace it is for.
    pub(crate) namespace: ByteString,
    /// Its type and content.
    pub(crate) body: Body,
    /// Its size in bytes as received, including attachments.
    pub(crate) length: usize,
}

/// The type and content of a packet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// CONNECT (`0`) with the auth payload.
    Connect(Option<Map<String, Value>>),
    /// DISCONNECT (`1`).
    Disconnect,
    /// EVENT (`2`) or BINARY_EVENT (`5`).
    Event {
        /// The first element; a number is converted to decimal.
        name: String,
        /// The other elements, and the attachments.
        arguments: Arguments,
        /// The ack id, if the client waits for an acknowledgement.
        id: Option<u64>,
    },
    /// ACK (`3`) or BINARY_ACK (`6`).
    Ack {
        /// The ack id of the event.
        id: u64,
        /// The answer.
        arguments: Arguments,
    },
    /// CONNECT_ERROR (`4`), which clients must not send.
    ConnectError,
}

/// Why a message is not part of a valid packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// The first character is not a packet type.
    #[error("unknown packet type")]
    UnknownType,
    /// The attachment count or its dash is missing, or the attachments exceed a limit.
    #[error("illegal attachments")]
    Attachments,
    /// The namespace exceeds the limit.
    #[error("namespace too long")]
    Namespace,
    /// The ack id is larger than 2^53, or missing in an acknowledgement.
    #[error("illegal acknowledgement id")]
    AckId,
    /// The payload is not JSON, too deep, or not of the shape that the packet type requires.
    #[error("invalid payload")]
    Payload,
    /// A text where an attachment is expected, or an attachment that was not announced.
    #[error("unexpected message")]
    Unexpected,
}

/// Decodes the messages of one connection, in order.
#[derive(Debug)]
pub(crate) struct Decoder {
    limits: Limits,
    /// Boxed, because it is rarely present.
    incomplete: Option<Box<IncompletePacket>>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    attachments: usize,
    bytes: usize,
    depth: usize,
    namespace: usize,
}

/// A packet with missing attachments.
#[derive(Debug)]
struct IncompletePacket {
    packet: Packet,
    attachment_count: usize,
}

impl Decoder {
    /// A decoder with the limits of a configuration.
    pub(crate) fn new(config: &SocketIoConfig) -> Self {
        Self {
            limits: Limits {
                attachments: config.max_attachments,
                bytes: config.max_message_bytes,
                depth: config.max_json_depth,
                namespace: config.max_namespace_length,
            },
            incomplete: None,
        }
    }

    /// Decodes the next message. `None` while attachments are missing.
    ///
    /// # Errors
    /// [`DecodeError`] if the message is not part of a valid packet.
    pub(crate) fn decode(&mut self, message: Message) -> Result<Option<Packet>, DecodeError> {
        match (message, self.incomplete.take()) {
            (Message::Text(text), None) => {
                let (packet, attachment_count) = decode_text(&text, self.limits)?;
                if attachment_count == 0 {
                    return Ok(Some(packet));
                }
                self.incomplete = Some(Box::new(IncompletePacket { packet, attachment_count }));
                Ok(None)
            }
            (Message::Binary(bytes), Some(mut incomplete)) => {
                let (Body::Event { arguments, .. } | Body::Ack { arguments, .. }) = &mut incomplete.packet.body else {
                    return Err(DecodeError::Unexpected);
                };
                incomplete.packet.length += bytes.len();
                if incomplete.packet.length > self.limits.bytes {
                    return Err(DecodeError::Attachments);
                }
                arguments.attachments.push(bytes);
                if arguments.attachments.len() == incomplete.attachment_count {
                    return Ok(Some(incomplete.packet));
                }
                self.incomplete = Some(incomplete);
                Ok(None)
            }
            (Message::Text(_), Some(_)) | (Message::Binary(_), None) => Err(DecodeError::Unexpected),
        }
    }
}

/// Decodes a text. Returns the packet and the number of attachments that follow it.
fn decode_text(text: &ByteString, limits: Limits) -> Result<(Packet, usize), DecodeError> {
    let mut rest: &str = text;
    let kind = rest.bytes().next().ok_or(DecodeError::UnknownType)?;
    if !(b'0'..=b'6').contains(&kind) {
        return Err(DecodeError::UnknownType);
    }
    rest = rest.get(1..).unwrap_or_default();
    let binary = matches!(kind, b'5' | b'6');
    let attachments = if binary { take_attachments(&mut rest, limits.attachments)? } else { 0 };
    let namespace = take_namespace(&mut rest, limits.namespace)?;
    let id = take_id(&mut rest)?;
    if depth(rest) > limits.depth {
        return Err(DecodeError::Payload);
    }
    let body = match kind {
        b'0' => Body::Connect(match rest {
            "" => None,
            json => Some(parse(json)?),
        }),
        b'1' if rest.is_empty() => Body::Disconnect,
        b'2' | b'5' => {
            let (name, arguments) = event(parse(rest)?, attachments, binary)?;
            Body::Event { name, arguments, id }
        }
        b'3' | b'6' => {
            Body::Ack { id: id.ok_or(DecodeError::AckId)?, arguments: arguments(parse(rest)?, attachments, binary)? }
        }
        b'4' => Body::ConnectError,
        _ => return Err(DecodeError::Payload),
    };
    let namespace = if namespace.is_empty() { ByteString::from_static("/") } else { text.slice_ref(namespace) };
    Ok((Packet { namespace, body, length: text.len() }, attachments))
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, DecodeError> {
    serde_json::from_str(json).map_err(|_| DecodeError::Payload)
}

/// Takes the number of attachments and its dash.
fn take_attachments(rest: &mut &str, limit: usize) -> Result<usize, DecodeError> {
    let (count, after) = rest.split_once('-').ok_or(DecodeError::Attachments)?;
    let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count = digits
        .then(|| count.parse::<usize>().ok())
        .flatten()
        .filter(|count| *count <= limit)
        .ok_or(DecodeError::Attachments)?;
    *rest = after;
    Ok(count)
}

/// Takes the namespace: from a slash up to a comma or the end. Empty if there is none.
fn take_namespace<'a>(rest: &mut &'a str, limit: usize) -> Result<&'a str, DecodeError> {
    if !rest.starts_with('/') {
        return Ok("");
    }
    let (namespace, after) = rest.split_once(',').unwrap_or((rest, ""));
    if namespace.len() > limit {
        return Err(DecodeError::Namespace);
    }
    *rest = after;
    Ok(namespace)
}

/// Takes the ack id, if there is one.
fn take_id(rest: &mut &str) -> Result<Option<u64>, DecodeError> {
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let Some((digits, after)) = rest.split_at_checked(end).filter(|(digits, _)| !digits.is_empty()) else {
        return Ok(None);
    };
    *rest = after;
    digits.parse().ok().filter(|id| *id <= LARGEST_ACK_ID).map(Some).ok_or(DecodeError::AckId)
}

/// Splits an event's array into name and arguments.
fn event(values: Vec<Value>, attachments: usize, binary: bool) -> Result<(String, Arguments), DecodeError> {
    let mut values = values.into_iter();
    let name = match values.next() {
        Some(Value::String(name)) if !RESERVED_EVENTS.contains(&name.as_str()) => name,
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(DecodeError::Payload),
    };
    Ok((name, arguments(values.collect(), attachments, binary)?))
}

fn arguments(values: Vec<Value>, attachments: usize, binary: bool) -> Result<Arguments, DecodeError> {
    if binary && !values.iter().all(|value| placeholders_fit(value, attachments)) {
        return Err(DecodeError::Attachments);
    }
    Ok(Arguments { values, attachments: Vec::new() })
}

/// Whether every placeholder refers to an announced attachment. The recursion is bounded, because the depth of the value
/// was checked before it was parsed.
fn placeholders_fit(value: &Value, attachments: usize) -> bool {
    match value {
        Value::Array(values) => values.iter().all(|value| placeholders_fit(value, attachments)),
        Value::Object(object) if object.get("_placeholder") == Some(&Value::Bool(true)) => {
            object.get("num").and_then(Value::as_u64).is_some_and(|number| number < attachments as u64)
        }
        Value::Object(object) => object.values().all(|value| placeholders_fit(value, attachments)),
        _ => true,
    }
}

/// The nesting depth of a JSON text, without parsing it.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
