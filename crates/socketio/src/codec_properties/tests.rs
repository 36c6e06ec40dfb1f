use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// The seeds of the fuzz target, by file name. Empty in the published package, which has no `fuzz` folder.
fn corpus() -> BTreeMap<String, Vec<u8>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    if !fuzz.exists() {
        return BTreeMap::new();
    }
    let seeds: BTreeMap<_, _> = fs::read_dir(fuzz.join("corpus/packets"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    assert!(seeds.len() >= 30, "the corpus has {} seeds", seeds.len());
    seeds
}

/// How many inputs are generated: more with `SOAK`.
fn cases() -> ProptestConfig {
    let cases = if std::env::var_os("SOAK").is_some() { 300_000 } else { 3_000 };
    ProptestConfig { cases, ..ProptestConfig::default() }
}

/// A seed with some bytes overwritten and a range replaced by a range of another seed, or random bytes.
fn mutated_seed() -> impl Strategy<Value = Vec<u8>> {
    let seeds: Vec<Vec<u8>> = corpus().into_values().chain([Vec::new()]).collect();
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
    for (name, seed) in corpus() {
        println!("{name}");
        check_packets(&seed);
    }
}

/// If every seed were refused at once, their mutations would be too, and would test little.
#[test]
fn many_seeds_are_valid() {
    let seeds = corpus().into_values().filter_map(|seed| ByteString::try_from(seed).ok());
    let is_valid = |seed: &ByteString| {
        let head = seed.split('|').next().unwrap_or_default();
        Decoder::new(&SocketIoConfig::default()).decode(Message::Text(head.into())).is_ok()
    };
    let valid = seeds.filter(is_valid).count();
    assert!(valid >= 12 || corpus().is_empty(), "valid seeds: {valid}");
}

/// Decoding is linear: with quadratic cost these inputs would take minutes.
#[test]
fn long_inputs_are_decoded_in_linear_time() {
    for piece in ["\x1e", "4\x1e", "b\x1e", "bAAAA", "4[", "[[", "{\"", "\\\"", "1", "45", "é"] {
        let input = piece.repeat(500_000);
        check_packets(input.as_bytes());
        check_packets(format!("2[\"{input}").as_bytes());
        check_packets(format!("2/{input}").as_bytes());
        check_packets(format!("2{input}").as_bytes());
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_messages_have_the_properties(input in mutated_seed()) {
        check_packets(&input);
    }
}
