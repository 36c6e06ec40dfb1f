//! The codecs against anything: any bytes give values or an error, and never more than came in.
//!
//! What `cargo fuzz` would do, without its nightly compiler: inputs from a kept corpus, changed at random, and inputs
//! of random bytes. `SOAK=1` makes it long. What fails is kept by proptest beside this file; a line of the corpus is
//! the place for what was learnt.

use actix_socketio::SocketIoConfig;
use actix_socketio::packet::{Body, Decoder};
use bytestring::ByteString;
use engineio::Message;
use proptest::prelude::*;

use crate::support::soak;

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
    PACKETS.lines().for_each(|line| packets(line.as_bytes()));
}

/// Linear: what is a thousand times as long, made of what costs most, takes no visible time. Quadratic it would take
/// minutes.
#[test]
fn long_inputs_are_decoded_at_once() {
    for piece in ["\x1e", "4\x1e", "b\x1e", "bAAAA", "4[", "[[", "{\"", "\\\"", "1", "45", "é"] {
        let input = piece.repeat(500_000);
        packets(input.as_bytes());
        packets(format!("2[\"{input}").as_bytes());
        packets(format!("2/{input}").as_bytes());
        packets(format!("2{input}").as_bytes());
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_messages_are_packets_and_then_at_most_an_error(input in changed(PACKETS)) {
        packets(&input);
    }
}
