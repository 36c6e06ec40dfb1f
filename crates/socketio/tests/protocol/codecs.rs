//! The codecs against anything: any bytes give values or an error, and never more than came in.
//!
//! What `cargo fuzz` would do, without its nightly compiler: inputs from a kept corpus, changed at random, and inputs
//! of random bytes. `SOAK=1` makes it long. What fails is kept by proptest beside this file; a line of the corpus is
//! the place for what was learnt.

use actix_socketio::SocketIoConfig;
use actix_socketio::packet::{Body, Decoder};
use bytestring::ByteString;
use engineio::Message;
use engineio::packet::Packet;
use engineio::payload::{PayloadWriter, decode};
use proptest::prelude::*;

use crate::support::soak;

const PAYLOADS: &str = include_str!("corpus/payloads.txt");
const PACKETS: &str = include_str!("corpus/packets.txt");

/// An input of the corpus, with some bytes overwritten, a piece cut out, and a piece of another one put in.
fn changed(corpus: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<&'static str> = corpus.lines().collect();
    let line = prop::sample::select(lines);
    let overwritten = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let places = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let built =
        (line.clone(), line, overwritten, places, any::<bool>()).prop_map(|(one, other, bytes, (from, to), cut)| {
            let mut input = one.as_bytes().to_vec();
            let place =
                |input: &[u8], index: prop::sample::Index| if input.is_empty() { 0 } else { index.index(input.len()) };
            for (index, byte) in bytes {
                let place = place(&input, index);
                if let Some(old) = input.get_mut(place) {
                    *old = byte;
                }
            }
            if cut {
                let (from, to) = (place(&input, from), place(&input, to));
                input.splice(from.min(to)..from.max(to), other.bytes());
            }
            input
        });
    prop_oneof![4 => built, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn cases() -> ProptestConfig {
    ProptestConfig { cases: if soak() { 300_000 } else { 3_000 }, ..ProptestConfig::default() }
}

fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) => bytes.len(),
    }
}

/// A polling body: packets, then at most one error; what they hold came in.
fn payload(input: &[u8]) {
    let Ok(text) = ByteString::try_from(input) else { return };
    let packets: Vec<_> = decode(&text, 100).collect();
    assert!(packets.len() <= 101);
    assert!(packets.iter().rev().skip(1).all(Result::is_ok), "an error ends it");
    let held: usize = packets
        .iter()
        .map(|packet| match packet {
            Ok(Packet::Message(message)) => length(message),
            Ok(Packet::Ping(data) | Packet::Pong(data)) => data.len(),
            _ => 0,
        })
        .sum();
    assert!(held <= input.len());
}

/// The messages of one connection, the first byte of each line telling its kind: packets until the first error.
fn packets(input: &[u8]) {
    let mut decoder = Decoder::new(&SocketIoConfig::default());
    for line in input.split(|byte| *byte == b'|') {
        let message = match line.split_first() {
            Some((b'b', bytes)) => Message::Binary(bytes.to_vec().into()),
            _ => match ByteString::try_from(line) {
                Ok(text) => Message::Text(text),
                Err(_) => return,
            },
        };
        match decoder.decode(message) {
            Ok(Some(packet)) => {
                if let Body::Event { arguments, .. } | Body::Ack { arguments, .. } = packet.body {
                    assert!(arguments.attachments.len() <= 10);
                    assert!(arguments.attachments.iter().map(bytes::Bytes::len).sum::<usize>() <= input.len());
                }
            }
            Ok(None) => {}
            Err(_) => return,
        }
    }
}

#[test]
fn the_corpus_is_decoded() {
    let texts = PAYLOADS.lines().map(ByteString::from);
    let decoded = texts.filter(|text| decode(text, 100).all(|packet| packet.is_ok())).count();
    assert!(decoded >= 8, "most of it is good, or changing it finds little: {decoded}");
    PAYLOADS.lines().for_each(|line| payload(line.as_bytes()));
    PACKETS.lines().for_each(|line| packets(line.as_bytes()));
}

/// Linear: what is a thousand times as long, made of what costs most, takes no visible time. Quadratic it would take
/// minutes.
#[test]
fn long_inputs_are_decoded_at_once() {
    for piece in ["\x1e", "4\x1e", "b\x1e", "bAAAA", "4[", "[[", "{\"", "\\\"", "1", "45", "é"] {
        let input = piece.repeat(500_000);
        payload(input.as_bytes());
        packets(input.as_bytes());
        packets(format!("2[\"{input}").as_bytes());
        packets(format!("2/{input}").as_bytes());
        packets(format!("2{input}").as_bytes());
    }
    let mut writer = PayloadWriter::with_limit(1_000_000);
    while writer.push(&engineio::SharedPacket::text("4")) {}
    assert!(writer.finish().len() <= 1_000_000);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_polling_body_is_packets_and_then_at_most_an_error(input in changed(PAYLOADS)) {
        payload(&input);
    }

    #[test]
    fn any_messages_are_packets_and_then_at_most_an_error(input in changed(PACKETS)) {
        packets(&input);
    }
}
