use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

type Check = fn(&[u8]);

/// A fuzz target's name, which is its folder in the corpus, and its property.
const TARGETS: [(&str, Check); 3] =
    [("packet", check_packet), ("payload", check_payload), ("websocket", check_websocket)];

/// The seeds of a fuzz target, by file name. Empty in the published package, which has no `fuzz` folder.
fn corpus(target: &str) -> BTreeMap<String, Vec<u8>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    if !fuzz.exists() {
        return BTreeMap::new();
    }
    let seeds: BTreeMap<_, _> = fs::read_dir(fuzz.join("corpus").join(target))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    assert!(seeds.len() >= 20, "the corpus of {target} has {} seeds", seeds.len());
    seeds
}

/// How many inputs are generated: more with `SOAK`.
fn cases() -> ProptestConfig {
    let cases = if std::env::var_os("SOAK").is_some() { 300_000 } else { 3_000 };
    ProptestConfig { cases, ..ProptestConfig::default() }
}

/// A seed with some bytes overwritten and a range replaced by a range of another seed, or random bytes.
fn mutated_seed(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let seeds: Vec<Vec<u8>> = corpus(target).into_values().chain([Vec::new()]).collect();
    let overwritten = vec((any::<Index>(), any::<u8>()), 0..4);
    let range_ends = any::<[Index; 4]>();
    let inputs = (select(seeds.clone()), select(seeds), overwritten, range_ends);
    let mutated = inputs.prop_map(|(mut seed, other, overwritten, range_ends)| {
        for (index, byte) in overwritten {
            if !seed.is_empty() {
                let position = index.index(seed.len());
                seed[position] = byte;
            }
        }
        let [a, b] = [range_ends[0], range_ends[1]].map(|end| end.index(seed.len() + 1));
        let [c, d] = [range_ends[2], range_ends[3]].map(|end| end.index(other.len() + 1));
        seed.splice(a.min(b)..a.max(b), other[c.min(d)..c.max(d)].to_vec());
        seed
    });
    prop_oneof![4 => mutated, 1 => vec(any::<u8>(), 0..200)]
}

#[test]
fn every_seed_of_the_corpus_has_the_properties() {
    for (target, check) in TARGETS {
        for (name, seed) in corpus(target) {
            println!("{target}/{name}");
            check(&seed);
        }
    }
}

/// If every seed were refused at once, their mutations would be too, and would test little.
#[test]
fn many_seeds_are_valid() {
    let payloads = corpus("payload").into_values().filter_map(|seed| ByteString::try_from(seed).ok());
    let valid = payloads.filter(|text| decode(text, MAX_PACKETS).all(|packet| packet.is_ok())).count();
    assert!(valid >= 8 || corpus("payload").is_empty(), "valid payloads: {valid}");
    let websockets = corpus("websocket").into_values();
    let valid = websockets
        .filter(|seed| matches!(&read_websocket([seed.clone()], MESSAGE_LIMIT)[..], [Inbound::Packet(Ok(_)), ..]))
        .count();
    assert!(valid >= 8 || corpus("websocket").is_empty(), "valid WebSocket streams: {valid}");
}

/// Decoding is linear: with quadratic cost these inputs would take minutes.
#[test]
fn long_inputs_are_decoded_in_linear_time() {
    for piece in ["\x1e", "4\x1e", "b\x1e", "bAAAA", "4[", "[[", "{\"", "\\\"", "1", "45", "é"] {
        let input = piece.repeat(500_000);
        check_packet(input.as_bytes());
        check_payload(input.as_bytes());
    }
    let mut fragments = vec![0x01, 0x80, 0, 0, 0, 0];
    fragments.extend([0x00, 0x80, 0, 0, 0, 0].repeat(500_000));
    assert!(read_websocket([fragments], MESSAGE_LIMIT).is_empty(), "the message never ends");

    let mut writer = PayloadWriter::with_limit(1_000_000);
    while writer.push(&SharedPacket::text("4")) {}
    assert!(writer.finish().len() <= 1_000_000);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_packet_has_the_properties(input in mutated_seed("packet")) {
        check_packet(&input);
    }

    #[test]
    fn any_polling_body_has_the_properties(input in mutated_seed("payload")) {
        check_payload(&input);
    }

    #[test]
    fn any_websocket_stream_has_the_properties(input in mutated_seed("websocket")) {
        check_websocket(&input);
    }
}
