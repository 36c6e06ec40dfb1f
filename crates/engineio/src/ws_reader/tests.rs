use std::task::Waker;

use proptest::prelude::*;

use super::*;
use crate::codec_properties::{read_websocket, websocket_reader};

const LIMIT: usize = 1000;

/// A short description of everything that the reader yields.
fn read(chunks: Vec<Vec<u8>>) -> Vec<String> {
    let describe = |inbound| match inbound {
        Inbound::Packet(Ok(Packet::Message(Message::Text(text)))) => text.to_string(),
        Inbound::Packet(Ok(Packet::Message(Message::Binary(bytes)))) => format!("{} bytes", bytes.len()),
        Inbound::Packet(packet) => format!("{packet:?}"),
        Inbound::Ended(reason, code) => format!("{reason} {code:?}"),
    };
    read_websocket(chunks, LIMIT).into_iter().map(describe).collect()
}

fn header(first: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes
}

fn frame(first: u8, data: &[u8]) -> Vec<u8> {
    [header(first, data.len()), data.to_vec()].concat()
}

#[test]
fn frames_are_read_one_by_one_from_chunks_of_any_size() {
    let stream =
        [frame(0x81, b"4one"), frame(0x82, &[7; 300]), frame(0x81, b"4two"), frame(0x88, &1000_u16.to_be_bytes())];
    let stream = stream.concat();
    for size in [1, 2, 7, 100, stream.len()] {
        let read = read(stream.chunks(size).map(<[u8]>::to_vec).collect());
        assert_eq!(read, ["one", "300 bytes", "two", "transport close Some(1000)"], "chunks of {size}");
    }
}

#[test]
fn a_header_that_announces_too_many_bytes_ends_the_stream() {
    assert_eq!(read(vec![frame(0x82, &[7; LIMIT])]), ["1000 bytes"]);
    for length in [LIMIT + 1, 1 << 17, usize::MAX] {
        assert_eq!(read(vec![header(0x82, length)]), ["transport error Some(1009)"]);
    }
}

#[test]
fn fragments_are_assembled_up_to_the_limit() {
    let fragments = [frame(0x01, b"4a"), frame(0x00, b""), frame(0x89, b"ping"), frame(0x00, b"b"), frame(0x80, b"c")];
    assert_eq!(read(vec![fragments.concat()]), ["abc"]);
    let long = |last| vec![frame(0x02, &[7; LIMIT]), frame(0x80, last)];
    assert_eq!(read(long(b"")), ["1000 bytes"]);
    assert_eq!(read(long(b"x")), ["transport error Some(1009)"]);
}

#[test]
fn a_protocol_violation_ends_the_stream() {
    for bytes in [
        frame(0x80, b"no first fragment"),
        [frame(0x01, b"4a"), frame(0x01, b"4b")].concat(),
        frame(0xc1, b"4reserved bit"),
        frame(0x83, b"4opcode"),
        frame(0x81, &[0xff]),
        frame(0x88, &[1]),
        frame(0x89, &[0; 126]),
        vec![0x81, 2, b'4', b'a'],
    ] {
        assert_eq!(read(vec![bytes.clone(), frame(0x81, b"4not read")]), ["transport error None"], "{bytes:?}");
    }
}

#[test]
fn an_idle_reader_holds_no_buffer() {
    let mut reader = websocket_reader([frame(0x81, &[b'4'; 900])], LIMIT);
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut reader).poll_next(&mut context).is_ready());
    assert_eq!(reader.buffer.capacity(), 0);
}

proptest! {
    #[test]
    fn any_bytes_give_packets_and_then_an_end(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..16)) {
        let bytes: usize = chunks.iter().map(Vec::len).sum();
        prop_assert!(read(chunks).len() <= bytes + 1);
    }
}
