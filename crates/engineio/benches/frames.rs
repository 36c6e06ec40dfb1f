//! What one delivery of a broadcast costs, three ways: the finished WebSocket frame is shared (what the server does),
//! the packet is shared and each socket gets a header in front of it, or actix-http encodes it again for each socket.
//!
//! `cargo bench --bench frames`. Each socket's frames go into a chunk of 64 KiB, as they do when a room is busy.

#![allow(missing_docs, clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use actix_engineio::SharedPacket;
use actix_http::ws::{OpCode, Parser};
use bytes::BytesMut;

const DELIVERIES: u32 = 2_000_000;
const ROUNDS: usize = 5;
const CHUNK: usize = 64 * 1024;

/// Nanoseconds for each delivery, the median of some rounds.
fn measure(mut deliver: impl FnMut(&mut BytesMut)) -> f64 {
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let mut chunk = BytesMut::with_capacity(2 * CHUNK);
            let begun = Instant::now();
            for _ in 0..DELIVERIES {
                deliver(&mut chunk);
                if chunk.len() > CHUNK {
                    black_box(&chunk);
                    chunk.clear();
                }
            }
            begun.elapsed()
        })
        .collect();
    rounds.sort();
    rounds.get(ROUNDS / 2).map_or(f64::NAN, |median| median.as_nanos() as f64 / f64::from(DELIVERIES))
}

fn main() {
    println!("bytes  shared frame  header each  encoded each   (ns a delivery)");
    for length in [50, 300, 5000] {
        let text = format!("4{}", "x".repeat(length));
        let packet = SharedPacket::text(&text);
        let frame = measure(|chunk| chunk.extend_from_slice(black_box(&packet).frame()));
        let header = measure(|chunk| {
            let data = black_box(&packet).data();
            match u8::try_from(data.len()).ok().filter(|short| *short < 126) {
                Some(short) => chunk.extend_from_slice(&[0x81, short]),
                None => {
                    let [high, low] = u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes();
                    chunk.extend_from_slice(&[0x81, 126, high, low]);
                }
            }
            chunk.extend_from_slice(data);
        });
        let encoded = measure(|chunk| Parser::write_message(chunk, black_box(&text), OpCode::Text, true, false));
        println!("{length:5}  {frame:12.1}  {header:11.1}  {encoded:12.1}");
    }
}
