//! Decodes Socket.IO packets (protocol 5): text of a type, attachments, a namespace, an acknowledgement id and JSON;
//! then binary attachments.
//!
//! Pure: no I/O. Any bytes give a packet or an error, in linear time; what is kept between two messages is one packet
//! whose attachments are still coming. After an error the connection is to be closed, so the decoder need not go on.

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::{Map, Value};

use super::config::SocketIoConfig;
use engineio::Message;

/// The largest acknowledgement id: 2^53, up to which JavaScript counts without gaps.
const LARGEST_ACK_ID: u64 = 1 << 53;
/// Names of events that mean something on either side and cannot be sent.
pub(super) const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// A packet as it came from a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// The namespace it is for.
    pub namespace: ByteString,
    /// What it says.
    pub body: Body,
    /// The bytes that it came in, attachments included.
    pub length: usize,
}

/// What a packet says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// `0`: the client wants to join, and says who it is.
    Connect(Option<Map<String, Value>>),
    /// `1`: the client leaves.
    Disconnect,
    /// `2` and `5`: an event, and the id under which its acknowledgement is awaited.
    Event {
        /// The first element, a number in decimal.
        name: String,
        /// The other elements, and the attachments.
        arguments: Arguments,
        /// Present where the client waits for an answer.
        id: Option<u64>,
    },
    /// `3` and `6`: the answer to an event of ours.
    Ack {
        /// The event's id.
        id: u64,
        /// The answer.
        arguments: Arguments,
    },
    /// `4`: only servers send it.
    ConnectError,
}

/// Values, and binary data that stands outside of them.
///
/// Where binary data belongs, the values have a placeholder, `{"_placeholder":true,"num":0}`, whose number counts the
/// attachments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Arguments {
    /// JSON values, with placeholders.
    pub values: Vec<Value>,
    /// Binary data, by the placeholders' numbers.
    pub attachments: Vec<Bytes>,
}

/// Why bytes are no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The first character is no packet type.
    #[error("unknown packet type")]
    UnknownType,
    /// No count, no dash, or more than the limit, in number or in bytes.
    #[error("illegal attachments")]
    Attachments,
    /// Longer than the limit.
    #[error("namespace too long")]
    Namespace,
    /// Larger than 2^53, or missing in an acknowledgement.
    #[error("illegal acknowledgement id")]
    AckId,
    /// No JSON, too deep, or not what the packet type asks for.
    #[error("invalid payload")]
    Payload,
    /// A text in the middle of attachments, or an attachment that nobody announced.
    #[error("unexpected message")]
    Unexpected,
}

/// Decodes the messages of one connection, in order.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    pending: Option<Box<Pending>>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    attachments: usize,
    bytes: usize,
    depth: usize,
    namespace: usize,
}

/// A packet whose attachments are still coming.
#[derive(Debug)]
struct Pending {
    packet: Packet,
    expected: usize,
}

impl Decoder {
    /// A decoder with the limits of a configuration.
    #[must_use]
    pub fn new(config: &SocketIoConfig) -> Self {
        Self {
            limits: Limits {
                attachments: config.max_attachments,
                bytes: config.max_message_bytes,
                depth: config.max_json_depth,
                namespace: config.max_namespace_length,
            },
            pending: None,
        }
    }

    /// Takes the next message; `None` while attachments are missing.
    ///
    /// # Errors
    /// [`DecodeError`] where the message is no packet or comes at the wrong time.
    pub fn decode(&mut self, message: Message) -> Result<Option<Packet>, DecodeError> {
        match (message, self.pending.take()) {
            (Message::Text(text), None) => {
                let (packet, expected) = decode_text(&text, self.limits)?;
                if expected == 0 {
                    return Ok(Some(packet));
                }
                self.pending = Some(Box::new(Pending { packet, expected }));
                Ok(None)
            }
            (Message::Binary(bytes), Some(mut pending)) => {
                let (Body::Event { arguments, .. } | Body::Ack { arguments, .. }) = &mut pending.packet.body else {
                    return Err(DecodeError::Unexpected);
                };
                pending.packet.length += bytes.len();
                if pending.packet.length > self.limits.bytes {
                    return Err(DecodeError::Attachments);
                }
                arguments.attachments.push(bytes);
                if arguments.attachments.len() == pending.expected {
                    return Ok(Some(pending.packet));
                }
                self.pending = Some(pending);
                Ok(None)
            }
            _ => Err(DecodeError::Unexpected),
        }
    }
}

/// The packet of a text, and how many attachments follow it.
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
            let (name, values) = event(parse(rest)?, attachments, binary)?;
            Body::Event { name, arguments: values, id }
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

fn take_attachments(rest: &mut &str, limit: usize) -> Result<usize, DecodeError> {
    let (count, behind) = rest.split_once('-').ok_or(DecodeError::Attachments)?;
    let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count = digits
        .then(|| count.parse::<usize>().ok())
        .flatten()
        .filter(|count| *count <= limit)
        .ok_or(DecodeError::Attachments)?;
    *rest = behind;
    Ok(count)
}

/// A name from its slash up to a comma or the end; empty where there is none.
fn take_namespace<'a>(rest: &mut &'a str, limit: usize) -> Result<&'a str, DecodeError> {
    if !rest.starts_with('/') {
        return Ok("");
    }
    let (namespace, behind) = rest.split_once(',').unwrap_or((rest, ""));
    if namespace.len() > limit {
        return Err(DecodeError::Namespace);
    }
    *rest = behind;
    Ok(namespace)
}

fn take_id(rest: &mut &str) -> Result<Option<u64>, DecodeError> {
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let Some((digits, behind)) = rest.split_at_checked(end).filter(|(digits, _)| !digits.is_empty()) else {
        return Ok(None);
    };
    *rest = behind;
    digits.parse().ok().filter(|id| *id <= LARGEST_ACK_ID).map(Some).ok_or(DecodeError::AckId)
}

/// An event's name and arguments from its array.
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

/// Whether every placeholder counts an attachment that comes. The depth of a value is bounded before.
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

/// How deep JSON is nested, without parsing it.
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
