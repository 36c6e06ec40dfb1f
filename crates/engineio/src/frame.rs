//! Packets that leave, encoded once for every transport and every socket.
//!
//! A frame that a server sends is not masked, so the finished WebSocket frame, header and all, is the same for every
//! socket and is shared as bytes. The Engine.IO packet that a polling client gets is a slice of the same bytes, behind
//! the header.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes};

/// Longest header of an unmasked frame: two bytes, and eight of length.
const LONGEST_HEADER: usize = 10;
/// What a packet costs in a queue besides its bytes.
const OVERHEAD: usize = 64;
/// A single frame up to this many bytes is copied to be written, which is cheaper than to share it.
const COPIED: usize = 2048;
/// FIN and the opcode of a text frame (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PONG: u8 = 0x8a;

/// One finished packet. A clone costs one reference count, and a place in a queue one pointer.
#[derive(Debug, Clone)]
pub struct SharedPacket(Arc<Frame>);

/// A frame, behind some room that its header did not need.
#[derive(Debug)]
struct Frame {
    buffer: Vec<u8>,
    start: u8,
    data: u8,
}

impl Frame {
    fn bytes(&self) -> &[u8] {
        self.buffer.get(usize::from(self.start)..).unwrap_or(&[])
    }
}

/// A frame as the owner of its bytes.
struct FrameOwner(SharedPacket);

impl AsRef<[u8]> for FrameOwner {
    fn as_ref(&self) -> &[u8] {
        self.0.frame()
    }
}

impl SharedPacket {
    /// A packet of text, its type byte included: `2`, `4hello`, `6`.
    #[must_use]
    pub fn text(packet: &str) -> Self {
        Self::finished(TEXT, packet.as_bytes())
    }

    /// A packet of bytes, sent as they are.
    #[must_use]
    pub fn binary(data: &[u8]) -> Self {
        Self::finished(BINARY, data)
    }

    /// The answer to a WebSocket ping. Only ever queued for a WebSocket.
    pub(crate) fn pong(data: &[u8]) -> Self {
        Self::finished(PONG, data)
    }

    /// The frame that ends a WebSocket, with a status code where there is something to say.
    pub(crate) fn close(code: Option<u16>) -> Self {
        match code {
            Some(code) => Self::finished(CLOSE, &code.to_be_bytes()),
            None => Self::finished(CLOSE, &[]),
        }
    }

    fn finished(first: u8, data: &[u8]) -> Self {
        let mut writer = PacketWriter::with_capacity(data.len());
        writer.buffer.extend_from_slice(data);
        writer.finish(first)
    }

    /// The WebSocket frame.
    #[must_use]
    pub fn frame(&self) -> &[u8] {
        self.0.bytes()
    }

    /// What it costs in a queue: its bytes, and something for keeping it.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.frame().len() + OVERHEAD
    }

    /// The WebSocket frame, to be written.
    pub(crate) fn into_bytes(self) -> Bytes {
        if self.frame().len() <= COPIED {
            Bytes::copy_from_slice(self.frame())
        } else {
            Bytes::from_owner(FrameOwner(self))
        }
    }

    /// The Engine.IO packet in it.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.0.buffer.get(usize::from(self.0.data)..).unwrap_or(&[])
    }

    /// Whether this is a control frame, which means nothing to a polling client.
    fn is_control(&self) -> bool {
        self.frame().first().is_some_and(|first| first & 0x08 != 0)
    }

    /// How long [`SharedPacket::write_polled`] makes it.
    #[must_use]
    pub(crate) fn polled_length(&self) -> usize {
        match self.frame().first() {
            Some(&TEXT) => self.data().len(),
            Some(&BINARY) => 1 + self.data().len().div_ceil(3) * 4,
            _ => 0,
        }
    }

    /// Appends it as it stands in a polling payload: text as it is, bytes as `b` and base64.
    pub(crate) fn write_polled(&self, payload: &mut Vec<u8>) {
        if self.is_control() {
            return;
        }
        match self.frame().first() {
            Some(&BINARY) => {
                payload.push(b'b');
                let start = payload.len();
                payload.resize(start + self.data().len().div_ceil(3) * 4, 0);
                if let Some(room) = payload.get_mut(start..) {
                    // The room is exactly as long as the encoding, so this cannot fail.
                    let _ = STANDARD.encode_slice(self.data(), room);
                }
            }
            _ => payload.extend_from_slice(self.data()),
        }
    }
}

/// Builds a text packet in place, so that what is serialised into it is not copied again.
#[derive(Debug)]
pub struct PacketWriter {
    buffer: Vec<u8>,
}

impl PacketWriter {
    /// Room for `capacity` bytes of packet before it grows.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let mut buffer = Vec::with_capacity(LONGEST_HEADER + capacity);
        buffer.put_bytes(0, LONGEST_HEADER);
        Self { buffer }
    }

    /// Appends text of the packet.
    pub fn push_str(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Where a serialiser writes. Only UTF-8 may go in.
    pub fn writer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// The finished text packet.
    #[must_use]
    pub fn into_text(self) -> SharedPacket {
        self.finish(TEXT)
    }

    /// Puts the header right in front of the data and cuts off the room that it does not need.
    fn finish(mut self, first: u8) -> SharedPacket {
        let length = self.buffer.len().saturating_sub(LONGEST_HEADER);
        let mut header = [0_u8; LONGEST_HEADER];
        let mut rest = header.as_mut_slice();
        rest.put_u8(first);
        // A length is at most isize::MAX, so the widest form always holds it.
        if let Some(short) = u8::try_from(length).ok().filter(|short| *short < 126) {
            rest.put_u8(short);
        } else if let Ok(medium) = u16::try_from(length) {
            rest.put_u8(126);
            rest.put_u16(medium);
        } else {
            rest.put_u8(127);
            rest.put_u64(length as u64);
        }
        let used = LONGEST_HEADER - rest.len();
        let start = LONGEST_HEADER - used;
        if let (Some(room), Some(header)) = (self.buffer.get_mut(start..LONGEST_HEADER), header.get(..used)) {
            room.copy_from_slice(header);
        }
        SharedPacket(Arc::new(Frame {
            buffer: self.buffer,
            start: u8::try_from(start).unwrap_or_default(),
            data: LONGEST_HEADER as u8,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_shortest_form_that_holds_the_length() {
        let header = |length: usize| {
            let packet = SharedPacket::binary(&vec![7; length]);
            assert_eq!(packet.data(), vec![7; length]);
            packet.frame()[..packet.frame().len() - length].to_vec()
        };
        assert_eq!(header(0), [0x82, 0]);
        assert_eq!(header(125), [0x82, 125]);
        assert_eq!(header(126), [0x82, 126, 0, 126]);
        assert_eq!(header(65_535), [0x82, 126, 255, 255]);
        assert_eq!(header(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn one_packet_serves_both_transports() {
        let packet = SharedPacket::text("4hello");
        assert_eq!(packet.frame(), b"\x81\x064hello");
        let mut payload = Vec::new();
        packet.write_polled(&mut payload);
        assert_eq!(payload, b"4hello");
        assert_eq!(packet.polled_length(), 6);

        let packet = SharedPacket::binary(&[1, 2, 3, 4]);
        let mut payload = Vec::new();
        packet.write_polled(&mut payload);
        assert_eq!(payload, b"bAQIDBA==");
        assert_eq!(packet.polled_length(), 9);
    }

    #[test]
    fn control_frames_are_nothing_to_a_poll() {
        let mut payload = Vec::new();
        SharedPacket::pong(b"x").write_polled(&mut payload);
        assert!(payload.is_empty());
        assert_eq!(SharedPacket::close(Some(1009)).frame(), [0x88, 2, 3, 0xf1]);
    }
}
