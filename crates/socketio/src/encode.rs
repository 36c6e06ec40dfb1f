//! Encodes Socket.IO packets (protocol 5), once for all receivers.
//!
//! Pure: no I/O. JSON is serialized straight into the finished WebSocket frame.

use engineio::{PacketWriter, SharedPacket};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::packet::RESERVED_EVENTS;

/// Initial capacity of a packet, enough for most.
const USUAL_LENGTH: usize = 246;

/// The event that carries an offset in a namespace that recovers.
pub(crate) const OFFSET_EVENT: &str = "offset";

/// A packet and its attachments. They are sent contiguously.
#[derive(Debug)]
pub struct EncodedMessage {
    head: SharedPacket,
    /// With an offset, the last packet, which the head is if there are no attachments, is joined with the event that
    /// carries the offset.
    attachments: Box<[SharedPacket]>,
}

impl EncodedMessage {
    pub(crate) fn packets(&self) -> impl Iterator<Item = &SharedPacket> + Clone {
        std::iter::once(&self.head).chain(&*self.attachments)
    }

    /// Appends the event that carries the offset. It follows the attachments, which nothing may separate from their
    /// packet.
    pub(crate) fn with_offset(mut self, prefix: &str, offset: &str) -> Self {
        let parts = ["42", prefix, "[\"", OFFSET_EVENT, "\",\"", offset, "\"]"];
        let mut writer = PacketWriter::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            writer.push_str(part);
        }
        let last = self.attachments.last_mut().unwrap_or(&mut self.head);
        *last = SharedPacket::joined(&[last.clone(), writer.into_text()]);
        self
    }

    /// Whether the last argument, or the name of an event without arguments, is a string. A stock client takes it for an
    /// offset.
    pub(crate) fn ends_with_string(&self) -> bool {
        self.head.data().ends_with(b"\"]")
    }

    /// The message's cost in a queue: bytes, plus 64 for each packet.
    pub(crate) fn cost(&self) -> usize {
        self.packets().map(SharedPacket::cost).sum()
    }
}

impl From<SharedPacket> for EncodedMessage {
    fn from(head: SharedPacket) -> Self {
        Self { head, attachments: Box::default() }
    }
}

/// Why an event cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The name is reserved: every client gives it another meaning.
    #[error("the event name {0:?} is reserved")]
    Reserved(String),
    /// The payload cannot be serialized as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// The arguments of an event or an acknowledgement.
pub(crate) enum Content<'a, T: ?Sized> {
    /// One argument.
    One(&'a T),
    /// Any number of arguments, with binary data.
    Many(&'a Arguments),
}

impl<T: ?Sized> Content<'_, T> {
    fn attachments(&self) -> &[bytes::Bytes] {
        match self {
            Self::One(_) => &[],
            Self::Many(arguments) => &arguments.attachments,
        }
    }
}

/// Everything in an event except its content.
pub(crate) struct EventHead<'a> {
    /// The namespace as [`prefix`] spells it.
    pub(crate) prefix: &'a str,
    pub(crate) name: &'a str,
    /// The ack id, if an acknowledgement is requested.
    pub(crate) id: Option<u64>,
}

/// EVENT (`2`) or BINARY_EVENT (`5`).
pub(crate) fn event<T: Serialize + ?Sized>(
    head: &EventHead<'_>,
    content: &Content<'_, T>,
) -> Result<EncodedMessage, EncodeError> {
    if RESERVED_EVENTS.contains(&head.name) {
        return Err(EncodeError::Reserved(head.name.to_owned()));
    }
    let array = Array { name: Some(head.name), content };
    Ok(packet(["42", "45"], head.prefix, head.id, &array)?)
}

/// ACK (`3`) or BINARY_ACK (`6`).
pub(crate) fn ack<T: Serialize + ?Sized>(
    prefix: &str,
    id: u64,
    content: &Content<'_, T>,
) -> Result<EncodedMessage, EncodeError> {
    let array = Array { name: None, content };
    Ok(packet(["43", "46"], prefix, Some(id), &array)?)
}

/// Encodes a packet with the type `text`, or `binary` if it has attachments.
fn packet<T: Serialize + ?Sized>(
    [text, binary]: [&str; 2],
    prefix: &str,
    id: Option<u64>,
    array: &Array<'_, T>,
) -> serde_json::Result<EncodedMessage> {
    let attachments = array.content.attachments();
    let mut writer = PacketWriter::with_capacity(USUAL_LENGTH);
    if attachments.is_empty() {
        writer.push_str(text);
    } else {
        writer.push_str(binary);
        write_number(&mut writer, attachments.len() as u64);
        writer.push_str("-");
    }
    writer.push_str(prefix);
    if let Some(id) = id {
        write_number(&mut writer, id);
    }
    serde_json::to_writer(writer.writer(), array)?;
    Ok(EncodedMessage {
        head: writer.into_text(),
        attachments: attachments.iter().map(|bytes| SharedPacket::binary(bytes)).collect(),
    })
}

fn write_number(writer: &mut PacketWriter, number: u64) {
    writer.push_str(&number.to_string());
}

/// The JSON array of an event or an acknowledgement.
struct Array<'a, T: ?Sized> {
    /// The event's name; `None` for an acknowledgement.
    name: Option<&'a str>,
    content: &'a Content<'a, T>,
}

impl<T: Serialize + ?Sized> Serialize for Array<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        if let Some(name) = self.name {
            array.serialize_element(name)?;
        }
        match self.content {
            Content::One(value) => array.serialize_element(value)?,
            Content::Many(arguments) => {
                for value in &arguments.values {
                    array.serialize_element(value)?;
                }
            }
        }
        array.end()
    }
}

/// CONNECT (`0`): the client has joined.
pub(crate) fn connected(prefix: &str, sid: &str, pid: Option<&str>) -> EncodedMessage {
    #[derive(Serialize)]
    struct Connected<'a> {
        sid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<&'a str>,
    }
    json("40", prefix, &Connected { sid, pid })
}

/// CONNECT_ERROR (`4`): the client is refused.
pub(crate) fn refused(prefix: &str, message: &str, data: Option<&Value>) -> EncodedMessage {
    #[derive(Serialize)]
    struct Refused<'a> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a Value>,
    }
    json("44", prefix, &Refused { message, data })
}

/// DISCONNECT (`1`): the server disconnects the client from the namespace.
pub(crate) fn disconnected(prefix: &str) -> EncodedMessage {
    let mut writer = PacketWriter::with_capacity(prefix.len() + 2);
    writer.push_str("41");
    writer.push_str(prefix);
    writer.into_text().into()
}

fn json(kind: &str, prefix: &str, body: &impl Serialize) -> EncodedMessage {
    let mut writer = PacketWriter::with_capacity(USUAL_LENGTH);
    writer.push_str(kind);
    writer.push_str(prefix);
    // Cannot fail: the bodies consist of strings and JSON values.
    let _ = serde_json::to_writer(writer.writer(), body);
    writer.into_text().into()
}

/// The namespace as packets spell it: empty for `/`, otherwise the name and a comma.
pub(crate) fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { [namespace, ","].concat() }
}

#[cfg(test)]
mod tests;
