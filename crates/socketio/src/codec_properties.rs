//! Properties of the codec that hold for any input. The fuzz target and the corpus tests call the same function.
//!
//! Compiled for tests and fuzzing only; not part of the public API. The function takes untrusted bytes and panics if a
//! property does not hold:
//! - decoding never panics and yields no more than it was given;
//! - limits are respected;
//! - decoding an encoded packet gives the same packet.

use bytes::Bytes;
use bytestring::ByteString;
use engineio::Message;
use serde_json::Value;

use crate::arguments::Arguments;
use crate::config::SocketIoConfig;
use crate::encode::{self, EncodedMessage, EventHead};
use crate::packet::{Body, Decoder, Packet, ParsedEvent};

/// Separates the messages of an input.
const SEPARATOR: u8 = b'|';

/// The messages of one connection, separated by `|`. A message that starts with `b` is binary, any other is text.
pub fn check_packets(input: &[u8]) {
    let config = SocketIoConfig::default();
    let mut decoder = Decoder::new(&config);
    for message in input.split(|byte| *byte == SEPARATOR) {
        let message = match message.split_first() {
            Some((b'b', bytes)) => Message::Binary(Bytes::copy_from_slice(bytes)),
            _ => match ByteString::try_from(message) {
                Ok(text) => Message::Text(text),
                Err(_) => return,
            },
        };
        match decoder.decode(message) {
            Ok(Some(packet)) => {
                assert!(packet.length <= input.len());
                assert!(packet.namespace.len() <= config.max_namespace_length);
                let Some(content) = parse(packet.body, &config) else { return };
                check_limits(&content, &config, input.len());
                check_round_trip(&packet.namespace, &content);
            }
            Ok(None) => {}
            Err(_) => return,
        }
    }
}

/// What a packet carries, parsed.
#[derive(Debug)]
enum Content {
    Event(ParsedEvent, Option<u64>),
    Ack(u64, Arguments),
    Disconnect,
    /// A server's CONNECT and CONNECT_ERROR have other content than a client's.
    Other,
}

/// `None` if it is not valid.
fn parse(body: Body, config: &SocketIoConfig) -> Option<Content> {
    Some(match body {
        Body::Event { payload, id } => Content::Event(payload.into_event(config).ok()?, id),
        Body::Ack { id, payload } => Content::Ack(id, payload.into_arguments(config).ok()??),
        Body::Disconnect => Content::Disconnect,
        Body::Connect(_) | Body::ConnectError => Content::Other,
    })
}

fn check_limits(content: &Content, config: &SocketIoConfig, input_length: usize) {
    if let Content::Event(ParsedEvent { arguments, .. }, _) | Content::Ack(_, arguments) = content {
        assert!(arguments.attachments.len() <= config.max_attachments);
        assert!(arguments.attachments.iter().map(Bytes::len).sum::<usize>() <= input_length);
    }
}

fn check_round_trip(namespace: &str, content: &Content) {
    let prefix = encode::prefix(namespace);
    let encoded = match content {
        Content::Event(ParsedEvent { name, arguments, .. }, id) => {
            let head = EventHead { prefix: &prefix, name, id: *id };
            encode::event::<()>(&head, &encode::Content::Many(arguments)).ok()
        }
        Content::Ack(id, arguments) => encode::ack::<()>(&prefix, *id, &encode::Content::Many(arguments)).ok(),
        Content::Disconnect => Some(encode::disconnected(&prefix)),
        Content::Other => return,
    };
    let config = SocketIoConfig::default();
    let decoded = encoded.and_then(|message| decode(&message));
    let decoded = decoded.and_then(|packet| Some((packet.namespace, parse(packet.body, &config)?)));
    let is_same =
        decoded.as_ref().is_some_and(|(found, decoded)| *found == *namespace && is_same_content(decoded, content));
    assert!(is_same, "{content:?} became {decoded:?}");
}

/// Decodes an encoded message like a server that receives it from a client.
fn decode(message: &EncodedMessage) -> Option<Packet> {
    let mut decoder = Decoder::new(&SocketIoConfig::default());
    let mut packets = message.packets();
    let head = std::str::from_utf8(packets.next()?.data()).ok()?;
    let head = Message::Text(head.strip_prefix('4')?.into());
    let mut decoded = decoder.decode(head).ok()?;
    for packet in packets {
        decoded = decoder.decode(Message::Binary(Bytes::copy_from_slice(packet.data()))).ok()?;
    }
    decoded
}

fn is_same_content(one: &Content, other: &Content) -> bool {
    match (one, other) {
        (Content::Event(one, id), Content::Event(other, other_id)) => {
            one.name == other.name && id == other_id && are_same_arguments(&one.arguments, &other.arguments)
        }
        (Content::Ack(id, one), Content::Ack(other_id, other)) => id == other_id && are_same_arguments(one, other),
        (Content::Disconnect, Content::Disconnect) => true,
        _ => false,
    }
}

fn are_same_arguments(one: &Arguments, other: &Arguments) -> bool {
    one.attachments == other.attachments
        && one.values.len() == other.values.len()
        && one.values.iter().zip(&other.values).all(|(one, other)| is_same_value(one, other))
}

/// Equality up to the last digit of a float, which `serde_json` does not promise to preserve.
fn is_same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_f64() => {
            let (one, other) = (one.as_f64().unwrap_or_default(), other.as_f64().unwrap_or_default());
            (one - other).abs() <= one.abs() * 1e-12
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| is_same_value(value, other)))
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests;
