//! Looks at the headers of WebSocket frames before they are buffered.
//!
//! actix-ws knows a limit for frames, but checks it only once the whole frame is in memory. This ends the stream as soon as a
//! header announces too much. Small chunks are copied on the way, so that an idle socket does not keep the connection's read
//! buffer of several KiB alive for the few bytes that it last received.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{dev, error::PayloadError};
use bytes::Bytes;
use futures_util::Stream;

/// Chunks up to this many bytes are copied.
const COPIED: usize = 512;
/// Bytes of a masking key.
const MASK: usize = 4;

/// The bytes of a WebSocket, as long as no frame is too long.
pub(super) struct FrameGuard {
    payload: dev::Payload,
    limit: u64,
    position: Position,
}

/// Where in the stream of frames the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// FIN, reserved bits and opcode.
    Opcode,
    /// The mask bit and a short length.
    Length,
    /// The bytes of a long length, most significant first.
    LongLength { left: u8, length: u64 },
    /// The mask and the data.
    Data { left: u64 },
}

impl FrameGuard {
    pub(super) fn new(payload: dev::Payload, limit: usize) -> Self {
        Self { payload, limit: limit as u64, position: Position::Opcode }
    }

    /// Follows the frames through a chunk. `false` where one is too long.
    fn follow(&mut self, mut chunk: &[u8]) -> bool {
        while let Some((&byte, rest)) = chunk.split_first() {
            self.position = match self.position {
                Position::Opcode => Position::Length,
                Position::Length => match byte & 0x7f {
                    126 => Position::LongLength { left: 2, length: 0 },
                    127 => Position::LongLength { left: 8, length: 0 },
                    short => self.data(u64::from(short)),
                },
                Position::LongLength { left, length } => {
                    let length = length << 8 | u64::from(byte);
                    match left {
                        1 => self.data(length),
                        _ => Position::LongLength { left: left - 1, length },
                    }
                }
                Position::Data { left } => {
                    let here = usize::try_from(left).map_or(chunk.len(), |left| left.min(chunk.len()));
                    chunk = chunk.get(here..).unwrap_or(&[]);
                    let left = left.saturating_sub(here as u64);
                    self.position = if left == 0 { Position::Opcode } else { Position::Data { left } };
                    continue;
                }
            };
            if matches!(self.position, Position::Data { left } if left > self.limit.saturating_add(MASK as u64)) {
                return false;
            }
            chunk = rest;
        }
        true
    }

    /// A client's frames are masked; one that is not is refused by the reader.
    fn data(&self, length: u64) -> Position {
        Position::Data { left: length.saturating_add(MASK as u64) }
    }
}

impl Stream for FrameGuard {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = match ready!(Pin::new(&mut self.payload).poll_next(context)) {
            Some(Ok(chunk)) => chunk,
            end => return Poll::Ready(end),
        };
        if !self.follow(&chunk) {
            return Poll::Ready(Some(Err(PayloadError::Overflow)));
        }
        Poll::Ready(Some(Ok(if chunk.len() <= COPIED { Bytes::copy_from_slice(&chunk) } else { chunk })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Vec<u8> {
        let mut bytes = vec![0x82];
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
        bytes.extend(vec![0xff; MASK + length]);
        bytes
    }

    #[test]
    fn frames_up_to_the_limit_pass_however_they_are_cut() {
        let stream: Vec<u8> = [0, 5, 125, 126, 700, 1000].into_iter().flat_map(frame).collect();
        for size in [1, 2, 3, 7, 64, stream.len()] {
            let mut guard = FrameGuard::new(dev::Payload::None, 1000);
            assert!(stream.chunks(size).all(|chunk| guard.follow(chunk)));
            assert_eq!(guard.position, Position::Opcode);
        }
    }

    #[test]
    fn a_header_that_announces_too_much_is_enough() {
        for length in [1001_u64, 65_536, 1 << 40] {
            let mut guard = FrameGuard::new(dev::Payload::None, 1000);
            let mut bytes = frame(10);
            bytes.push(0x82);
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
            assert!(!guard.follow(&bytes));
        }
    }
}
