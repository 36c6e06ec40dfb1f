//! Decodes Socket.IO packets (protocol 5): a text of packet type, attachment count, namespace, ack id and JSON, followed
//! by binary attachments.
//!
//! Pure: no I/O.
//!
//! Invariants: any input gives packets or an error, in linear time; between two messages the decoder keeps at most one
//! packet whose attachments are incomplete, as the text and bytes that were received; the arguments of events and
//! acknowledgements stay text until they are needed ([`Payload`]). After an error the connection must be closed; the
//! decoder does not resynchronise.

use bytestring::ByteString;
use engineio::Message;
use serde_json::{Map, Value};

pub(crate) use self::payload::{ParsedEvent, Payload};
use self::shape::Shape;
use crate::config::SocketIoConfig;
use crate::lenient_json::lenient_json;

mod payload;
mod shape;

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
        /// Name and arguments.
        payload: Payload,
        /// The ack id, if the client waits for an acknowledgement.
        id: Option<u64>,
    },
    /// ACK (`3`) or BINARY_ACK (`6`).
    Ack {
        /// The ack id of the event.
        id: u64,
        /// The answer.
        payload: Payload,
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

/// Whether a message begins a packet of one of the types CONNECT and DISCONNECT, which need no joined namespace.
pub(crate) fn needs_no_namespace(message: &Message) -> bool {
    matches!(message, Message::Text(text) if text.starts_with(['0', '1']))
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
    auth: usize,
    depth: usize,
    parsed: usize,
    namespace: usize,
}

impl Packet {
    /// A bound for the memory that it takes until it has been handled, in bytes.
    pub(crate) fn memory(&self, config: &SocketIoConfig) -> usize {
        match &self.body {
            Body::Event { payload, .. } | Body::Ack { payload, .. } => self.length + payload.parsed_bytes(config),
            Body::Connect(_) | Body::Disconnect | Body::ConnectError => self.length,
        }
    }
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
                auth: config.max_auth_bytes,
                depth: config.max_json_depth,
                parsed: config.max_parsed_bytes,
                namespace: config.max_namespace_length,
            },
            incomplete: None,
        }
    }

    /// Whether attachments of a packet are missing.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.incomplete.is_some()
    }

    /// Size of the packet whose attachments are missing, in bytes.
    pub(crate) fn incomplete_bytes(&self) -> usize {
        self.incomplete.as_ref().map_or(0, |incomplete| incomplete.packet.length)
    }

    /// Drops the packet whose attachments are missing.
    pub(crate) fn clear(&mut self) {
        self.incomplete = None;
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
                if let Body::Event { payload, .. } | Body::Ack { payload, .. } = &packet.body {
                    payload.check_placeholders(attachment_count, self.limits.depth, self.limits.parsed)?;
                }
                self.incomplete = Some(Box::new(IncompletePacket { packet, attachment_count }));
                Ok(None)
            }
            (Message::Binary(bytes), Some(mut incomplete)) => {
                let (Body::Event { payload, .. } | Body::Ack { payload, .. }) = &mut incomplete.packet.body else {
                    return Err(DecodeError::Unexpected);
                };
                incomplete.packet.length += bytes.len();
                if incomplete.packet.length > self.limits.bytes {
                    return Err(DecodeError::Attachments);
                }
                payload.push_attachment(bytes);
                if payload.attachment_count() == incomplete.attachment_count {
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
    let body = match kind {
        b'0' => Body::Connect(match rest {
            "" => None,
            json if json.len() > limits.auth || Shape::of(json).depth() > limits.depth => {
                return Err(DecodeError::Payload);
            }
            json => Some(parse(json)?),
        }),
        b'1' if rest.is_empty() => Body::Disconnect,
        b'2' | b'5' => Body::Event { payload: Payload::new(rest, binary)?, id },
        b'3' | b'6' => Body::Ack { id: id.ok_or(DecodeError::AckId)?, payload: Payload::new(rest, binary)? },
        b'4' => Body::ConnectError,
        _ => return Err(DecodeError::Payload),
    };
    let namespace = if namespace.is_empty() { ByteString::from_static("/") } else { text.slice_ref(namespace) };
    Ok((Packet { namespace, body, length: text.len() }, attachments))
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, DecodeError> {
    serde_json::from_str(&lenient_json(json)).map_err(|_| DecodeError::Payload)
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

#[cfg(test)]
mod tests;
