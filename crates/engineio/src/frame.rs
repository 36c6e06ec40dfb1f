//! Outgoing packets, encoded once for all transports and all receivers.
//!
//! A server does not mask its frames (RFC 6455, section 5.1), so the complete WebSocket frame, header included, is the
//! same for all receivers, which share its bytes. The packet that a polling client receives is a slice of those bytes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes};

/// Maximum length of an unmasked frame's header: two bytes, and eight of extended length.
const MAX_HEADER_LENGTH: usize = 10;
/// Bytes a queued packet counts in addition to its length.
const QUEUE_OVERHEAD: usize = 64;
/// A single frame up to this length is copied for the write: below it a copy is cheaper than a shared owner.
const MAX_COPIED_LENGTH: usize = 2048;
/// FIN and the opcode of a text frame (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PONG: u8 = 0x8a;

/// One encoded packet. A clone costs a reference count, and an entry in a queue one pointer.
///
/// Broadcast a packet by pushing clones of it to many sessions: it is encoded once.
///
/// ```
/// use actix_engineio::{Delivery, SessionHandle, SharedPacket};
///
/// fn broadcast(sessions: &[SessionHandle], text: &str) {
///     let packet = SharedPacket::text(&format!("4{text}"));
///     for session in sessions {
///         session.push(std::iter::once(&packet), Delivery::Volatile);
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct SharedPacket(Arc<FrameBuffer>);

/// A frame, or several. The header of the first is right-aligned in the space reserved for it.
#[derive(Debug)]
struct FrameBuffer {
    buffer: Vec<u8>,
    /// Where the header starts.
    header_start: u8,
    /// Where the data starts.
    data_start: u8,
    /// How many frames follow each other in `buffer`.
    frames: usize,
}

/// Lets [`Bytes`] share a frame without a copy.
struct FrameOwner(SharedPacket);

impl AsRef<[u8]> for FrameOwner {
    fn as_ref(&self) -> &[u8] {
        self.0.frame()
    }
}

impl SharedPacket {
    /// A text packet, including its type byte: `4hello` is the message `hello`.
    #[must_use]
    pub fn text(packet: &str) -> Self {
        Self::encode(TEXT, packet.as_bytes())
    }

    /// A binary message.
    #[must_use]
    pub fn binary(data: &[u8]) -> Self {
        Self::encode(BINARY, data)
    }

    /// The pong that answers a WebSocket ping. Polling clients do not receive it.
    pub(crate) fn pong(data: &[u8]) -> Self {
        Self::encode(PONG, data)
    }

    /// The close frame of a WebSocket, with a status code if there is one.
    pub(crate) fn close(code: Option<u16>) -> Self {
        match code {
            Some(code) => Self::encode(CLOSE, &code.to_be_bytes()),
            None => Self::encode(CLOSE, &[]),
        }
    }

    fn encode(first: u8, data: &[u8]) -> Self {
        let mut writer = PacketWriter::with_capacity(data.len());
        writer.buffer.extend_from_slice(data);
        writer.finish(first)
    }

    /// Several packets as one, which every transport sends in one piece: one after the other, each in its own frame.
    ///
    /// For a broadcast this is cheaper than to push them together, because all receivers share one reference count
    /// instead of several, and every thread that sends or drops a packet writes to it.
    ///
    /// ```
    /// use actix_engineio::SharedPacket;
    ///
    /// let both = SharedPacket::joined(&[SharedPacket::text("4a"), SharedPacket::text("4b")]);
    /// assert_eq!(both.frame(), b"\x81\x024a\x81\x024b");
    /// ```
    #[must_use]
    pub fn joined(packets: &[Self]) -> Self {
        let mut buffer = Vec::with_capacity(packets.iter().map(|packet| packet.frame().len()).sum());
        for packet in packets {
            buffer.extend_from_slice(packet.frame());
        }
        let frames = packets.iter().map(|packet| packet.0.frames).sum();
        Self(Arc::new(FrameBuffer { buffer, header_start: 0, data_start: 0, frames }))
    }

    /// The complete WebSocket frame, or the frames of joined packets.
    #[must_use]
    pub fn frame(&self) -> &[u8] {
        self.0.buffer.get(usize::from(self.0.header_start)..).unwrap_or(&[])
    }

    /// What the packet counts against [`EngineConfig::outgoing_budget`](crate::EngineConfig::outgoing_budget), in bytes:
    /// the length of its frame and 64, for each of the packets that it consists of.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.frame().len() + QUEUE_OVERHEAD * self.0.frames
    }

    /// The WebSocket frame for a write.
    pub(crate) fn into_bytes(self) -> Bytes {
        if self.frame().len() <= MAX_COPIED_LENGTH {
            Bytes::copy_from_slice(self.frame())
        } else {
            Bytes::from_owner(FrameOwner(self))
        }
    }

    /// The Engine.IO packet: a text packet with its type byte, or the bytes of a binary message. Of joined packets: their
    /// frames; ask its [`parts`](Self::parts) instead.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.0.buffer.get(usize::from(self.0.data_start)..).unwrap_or(&[])
    }

    /// The packets that this one consists of: those that were joined, or itself. Each as [`SharedPacket::data`].
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.frames().map(|frame| frame.data)
    }

    pub(crate) fn frames(&self) -> Frames<'_> {
        Frames(self.frame())
    }
}

/// The frames of a packet, in order.
#[derive(Debug, Clone)]
pub(crate) struct Frames<'a>(&'a [u8]);

/// One frame of a packet, without its header's length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    first: u8,
    data: &'a [u8],
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let (&[first, short], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match short {
            126 => rest.split_first_chunk().map(|(length, rest)| (u16::from_be_bytes(*length).into(), rest))?,
            127 => rest.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
            short => (short.into(), rest),
        };
        let (data, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(Frame { first, data })
    }
}

impl Frame<'_> {
    /// Whether this is a control frame of the WebSocket protocol, which polling does not have.
    fn is_control(self) -> bool {
        self.first & 0x08 != 0
    }

    /// Number of bytes that [`Frame::write_polled`] appends.
    pub(crate) fn polled_length(self) -> usize {
        match self.first {
            TEXT => self.data.len(),
            BINARY => 1 + self.data.len().div_ceil(3) * 4,
            _ => 0,
        }
    }

    /// Appends the packet in its polling form: text unchanged, a binary message as `b` and base64.
    pub(crate) fn write_polled(self, payload: &mut Vec<u8>) {
        if self.is_control() {
            return;
        }
        if self.first != BINARY {
            payload.extend_from_slice(self.data);
            return;
        }
        payload.push(b'b');
        let start = payload.len();
        payload.resize(start + self.data.len().div_ceil(3) * 4, 0);
        if let Some(encoded) = payload.get_mut(start..) {
            // The slice has exactly the length of the encoding, so this cannot fail.
            let _ = STANDARD.encode_slice(self.data, encoded);
        }
    }
}

/// Builds a text packet in place, without copying what is serialised into it.
///
/// ```
/// use actix_engineio::PacketWriter;
///
/// let mut writer = PacketWriter::with_capacity(16);
/// writer.push_str("4");
/// serde_json::to_writer(writer.writer(), &["a", "b"]).unwrap();
/// assert_eq!(writer.into_text().data(), br#"4["a","b"]"#);
/// ```
#[derive(Debug)]
pub struct PacketWriter {
    buffer: Vec<u8>,
}

impl PacketWriter {
    /// An empty packet that holds `capacity` bytes before it reallocates.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let mut buffer = Vec::with_capacity(MAX_HEADER_LENGTH + capacity);
        buffer.put_bytes(0, MAX_HEADER_LENGTH);
        Self { buffer }
    }

    /// Appends text.
    pub fn push_str(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// The buffer for a serialiser to append to. It must write UTF-8, and leave the bytes already there as they are.
    pub fn writer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Encodes the text packet.
    #[must_use]
    pub fn into_text(self) -> SharedPacket {
        self.finish(TEXT)
    }

    /// Writes the header right in front of the data. The space in front of a shorter header stays unused.
    fn finish(mut self, first: u8) -> SharedPacket {
        let length = self.buffer.len().saturating_sub(MAX_HEADER_LENGTH);
        let mut header = [0_u8; MAX_HEADER_LENGTH];
        let mut rest = header.as_mut_slice();
        rest.put_u8(first);
        // The shortest form that holds the length, as RFC 6455, section 5.2, demands.
        if let Some(short) = u8::try_from(length).ok().filter(|short| *short < 126) {
            rest.put_u8(short);
        } else if let Ok(medium) = u16::try_from(length) {
            rest.put_u8(126);
            rest.put_u16(medium);
        } else {
            rest.put_u8(127);
            rest.put_u64(length as u64);
        }
        let used = MAX_HEADER_LENGTH - rest.len();
        let start = MAX_HEADER_LENGTH - used;
        if let (Some(space), Some(header)) = (self.buffer.get_mut(start..MAX_HEADER_LENGTH), header.get(..used)) {
            space.copy_from_slice(header);
        }
        SharedPacket(Arc::new(FrameBuffer {
            buffer: self.buffer,
            header_start: start as u8,
            data_start: MAX_HEADER_LENGTH as u8,
            frames: 1,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled(packet: &SharedPacket) -> Vec<u8> {
        let mut payload = Vec::new();
        for frame in packet.frames() {
            frame.write_polled(&mut payload);
        }
        assert_eq!(payload.len(), packet.frames().map(Frame::polled_length).sum::<usize>());
        payload
    }

    #[test]
    fn the_header_has_the_shortest_form_for_the_length() {
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
        assert_eq!(polled(&packet), b"4hello");

        assert_eq!(polled(&SharedPacket::binary(&[1, 2, 3, 4])), b"bAQIDBA==");
    }

    #[test]
    fn joined_packets_are_their_frames_and_count_as_many() {
        let text = |length| SharedPacket::text(&"4".repeat(length));
        let mut parts = vec![SharedPacket::binary(&[1, 2])];
        parts.extend([0, 125, 126, 65_535, 65_536, 1].map(text));
        let joined = SharedPacket::joined(&parts);
        let frames: Vec<u8> = parts.iter().flat_map(|packet| packet.frame().to_vec()).collect();
        assert_eq!(joined.frame(), frames);
        assert_eq!(joined.clone().into_bytes(), frames);
        assert_eq!(joined.cost(), parts.iter().map(SharedPacket::cost).sum::<usize>());
        assert!(joined.parts().eq(parts.iter().map(SharedPacket::data)));
        assert_eq!(polled(&joined), parts.iter().flat_map(polled).collect::<Vec<_>>());
        assert!(parts.iter().all(|packet| packet.parts().eq([packet.data()])));
        let nested = SharedPacket::joined(&[joined.clone(), text(3)]);
        assert_eq!((nested.parts().count(), nested.cost()), (8, joined.cost() + text(3).cost()));
    }

    #[test]
    fn control_frames_are_no_part_of_a_payload() {
        assert_eq!(polled(&SharedPacket::pong(b"x")), b"");
        assert_eq!(SharedPacket::close(Some(1009)).frame(), [0x88, 2, 3, 0xf1]);
    }
}
