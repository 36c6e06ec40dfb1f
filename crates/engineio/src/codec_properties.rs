//! What holds for any input of the codecs. Fuzz targets and the corpus tests below call the same functions.
//!
//! Compiled for tests and fuzzing only; no part of the public API. Each function takes untrusted bytes and panics where
//! a property does not hold:
//! - decoding never panics and yields no more bytes than its input has;
//! - nothing follows an error;
//! - limits are respected;
//! - encoding what was decoded and decoding it again gives the same packets.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actix_web::dev::Payload;
use actix_web::error::PayloadError as StreamError;
use bytes::Bytes;
use bytestring::ByteString;
use futures_util::{Stream, stream};

use crate::config::EngineConfig;
use crate::frame::{Frame, SharedPacket};
use crate::outbox::Outbox;
use crate::packet::{Message, Packet};
use crate::payload::{PayloadWriter, decode};
use crate::session::Inbound;
use crate::ws_reader::WebSocketReader;

/// Packets per payload that [`check_payload`] admits.
const MAX_PACKETS: usize = 100;
/// Longest payload that [`check_payload`] encodes.
const PAYLOAD_LIMIT: usize = 64;
/// Longest WebSocket message that [`check_websocket`] admits, in bytes.
const MESSAGE_LIMIT: usize = 1000;

/// One packet, as a text frame and as part of a polling payload.
pub fn check_packet(input: &[u8]) {
    let Ok(text) = ByteString::try_from(input) else { return };
    let from_frame = Packet::decode_text(&text);
    if let Ok(packet) = &from_frame {
        assert!(length(packet) <= input.len());
        let encoded = ByteString::try_from(encode(packet).data()).ok();
        assert_eq!(encoded.and_then(|text| Packet::decode_text(&text).ok()).as_ref(), Some(packet));
    }
    let from_payload = Packet::decode_polled(&text);
    if let Ok(packet) = &from_payload {
        assert!(length(packet) <= input.len());
        let mut encoded = Vec::new();
        let shared = encode(packet);
        shared.frames().for_each(|frame| frame.write_polled(&mut encoded));
        assert_eq!(encoded.len(), shared.frames().map(Frame::polled_length).sum::<usize>());
        let encoded = ByteString::try_from(encoded).ok();
        assert_eq!(encoded.and_then(|text| Packet::decode_polled(&text).ok()).as_ref(), Some(packet));
    }
    if !text.starts_with('b') {
        assert_eq!(from_frame, from_payload, "only binary packets differ between the transports");
    }
}

/// The body of a polling request: packets, then at most one error.
pub fn check_payload(input: &[u8]) {
    let Ok(text) = ByteString::try_from(input) else { return };
    let results: Vec<_> = decode(&text, MAX_PACKETS).collect();
    assert!(results.len() <= MAX_PACKETS + 1);
    assert!(results.iter().rev().skip(1).all(Result::is_ok), "decoding stops at the first error");
    let packets: Vec<Packet> = results.into_iter().flatten().collect();
    assert!(packets.iter().map(length).sum::<usize>() <= input.len());

    let mut writer = PayloadWriter::with_limit(usize::MAX);
    assert!(packets.iter().all(|packet| writer.push(&encode(packet))));
    let encoded = ByteString::try_from(writer.finish()).unwrap_or_default();
    let again: Vec<Packet> = decode(&encoded, MAX_PACKETS).flatten().collect();
    assert_eq!(again, packets);

    let mut writer = PayloadWriter::with_limit(PAYLOAD_LIMIT);
    let written = packets.iter().take_while(|packet| writer.push(&encode(packet))).count();
    assert!(written <= 1 || writer.finish().len() <= PAYLOAD_LIMIT);
}

/// The bytes of a client's WebSocket: packets, then at most one end, however the network cuts the bytes.
pub fn check_websocket(input: &[u8]) {
    let inbound = read_websocket([input.to_vec()], MESSAGE_LIMIT);
    for size in [1, 7] {
        let chunked = read_websocket(input.chunks(size).map(<[u8]>::to_vec), MESSAGE_LIMIT);
        assert_eq!(describe(&chunked), describe(&inbound), "chunks of {size} bytes");
    }
    // A frame takes at least the two bytes of its header.
    assert!(inbound.len() <= input.len() / 2 + 1);
    let is_end = |inbound: &Inbound| matches!(inbound, Inbound::Ended(..));
    assert!(!inbound.iter().rev().skip(1).any(is_end), "nothing follows the end");

    let packets: Vec<Packet> = inbound
        .into_iter()
        .filter_map(|inbound| match inbound {
            Inbound::Packet(packet) => packet.ok(),
            Inbound::Ended(..) => None,
        })
        .collect();
    assert!(packets.iter().all(|packet| length(packet) <= MESSAGE_LIMIT));
    let frames = packets.iter().map(|packet| mask(encode(packet).frame()));
    let again = read_websocket(frames, MESSAGE_LIMIT);
    let expected: Vec<_> = packets.into_iter().map(|packet| Inbound::Packet(Ok(packet))).collect();
    assert_eq!(describe(&again), describe(&expected));
}

/// What was read, without close codes: of a frame that breaks two rules, the chunks decide which one is seen first.
fn describe(inbound: &[Inbound]) -> Vec<String> {
    let describe = |inbound: &Inbound| match inbound {
        Inbound::Packet(packet) => format!("{packet:?}"),
        Inbound::Ended(reason, _) => reason.to_string(),
    };
    inbound.iter().map(describe).collect()
}

/// Everything that a WebSocket yields of these chunks.
pub(crate) fn read_websocket(chunks: impl IntoIterator<Item = Vec<u8>>, limit: usize) -> Vec<Inbound> {
    let mut reader = websocket_reader(chunks, limit);
    let mut context = Context::from_waker(Waker::noop());
    std::iter::from_fn(|| match Pin::new(&mut reader).poll_next(&mut context) {
        Poll::Ready(inbound) => inbound,
        // All chunks are in memory, so the reader never waits.
        Poll::Pending => unreachable!("the chunks are ready"),
    })
    .collect()
}

/// A reader of these chunks.
pub(crate) fn websocket_reader(chunks: impl IntoIterator<Item = Vec<u8>>, limit: usize) -> WebSocketReader {
    let chunks: Vec<_> = chunks.into_iter().map(|chunk| Ok::<_, StreamError>(Bytes::from(chunk))).collect();
    let chunks: Pin<Box<dyn Stream<Item = _>>> = Box::pin(stream::iter(chunks));
    let payload = Payload::Stream { payload: chunks };
    let config = EngineConfig { max_payload: limit, initial_max_payload: limit, ..EngineConfig::default() };
    WebSocketReader::new(payload, Arc::new(Outbox::websocket(&config)))
}

/// A server's frame as a client sends it: with the mask bit, and a mask of zeros that leaves the data as it is.
fn mask(frame: &[u8]) -> Vec<u8> {
    let mut masked = frame.to_vec();
    if let Some(length) = masked.get_mut(1) {
        let header = match *length {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        *length |= 0x80;
        masked.splice(header..header, [0; 4]);
    }
    masked
}

fn encode(packet: &Packet) -> SharedPacket {
    match packet {
        Packet::Open => SharedPacket::text("0"),
        Packet::Close => SharedPacket::text("1"),
        Packet::Ping(data) => SharedPacket::text(&["2", data].concat()),
        Packet::Pong(data) => SharedPacket::text(&["3", data].concat()),
        Packet::Message(Message::Text(text)) => SharedPacket::text(&["4", text].concat()),
        Packet::Message(Message::Binary(bytes)) => SharedPacket::binary(bytes),
        Packet::Upgrade => SharedPacket::text("5"),
        Packet::Noop => SharedPacket::text("6"),
    }
}

/// Bytes of data in a packet.
fn length(packet: &Packet) -> usize {
    match packet {
        Packet::Ping(data) | Packet::Pong(data) | Packet::Message(Message::Text(data)) => data.len(),
        Packet::Message(Message::Binary(bytes)) => bytes.len(),
        Packet::Open | Packet::Close | Packet::Upgrade | Packet::Noop => 0,
    }
}

#[cfg(test)]
mod tests;
