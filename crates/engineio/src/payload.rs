//! Polling payloads: packets joined by the record separator `\x1e`.
//!
//! Pure. Decoding is lazy, so that a payload of a million separators needs no more memory than one. It stops at the first
//! invalid packet, as the protocol demands; the packets before it are valid.

use bytestring::ByteString;

use crate::frame::SharedPacket;
use crate::packet::{Packet, PacketError};

/// Separates two packets (ASCII record separator).
const SEPARATOR: char = '\x1e';

/// Why the decoding of a payload stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PayloadError {
    /// A packet is invalid.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// The payload has more packets than the limit.
    #[error("too many packets in a payload")]
    TooManyPackets,
}

/// Decodes at most `max_packets` packets. The iterator ends after the first error.
pub(crate) fn decode(
    payload: &ByteString,
    max_packets: usize,
) -> impl Iterator<Item = Result<Packet, PayloadError>> + '_ {
    let mut failed = false;
    payload.split(SEPARATOR).enumerate().map_while(move |(index, text)| {
        if failed {
            return None;
        }
        let packet = if index < max_packets {
            Packet::decode_polled(&payload.slice_ref(text)).map_err(PayloadError::from)
        } else {
            Err(PayloadError::TooManyPackets)
        };
        failed = packet.is_err();
        Some(packet)
    })
}

/// Joins packets into a payload of bounded length.
#[derive(Debug)]
pub(crate) struct PayloadWriter {
    payload: Vec<u8>,
    limit: usize,
    packets: usize,
}

impl PayloadWriter {
    /// An empty payload of at most `limit` bytes, or of a single longer group of packets.
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { payload: Vec::new(), limit, packets: 0 }
    }

    /// Appends a packet. Returns `false` if it does not fit.
    pub(crate) fn push(&mut self, packet: &SharedPacket) -> bool {
        self.push_group(std::iter::once(packet))
    }

    /// Appends packets that stay together. Returns `false` and appends none if they do not fit.
    pub(crate) fn push_group<'a>(&mut self, packets: impl Iterator<Item = &'a SharedPacket> + Clone) -> bool {
        // Control frames have no polling form and are skipped.
        let frames = packets.flat_map(SharedPacket::frames).filter(|frame| frame.polled_length() > 0);
        let more: usize = frames.clone().map(|frame| frame.polled_length() + SEPARATOR.len_utf8()).sum();
        // The first packet of the payload has no separator in front of it.
        let length = (self.payload.len() + more).saturating_sub(usize::from(self.packets == 0));
        if self.packets > 0 && length > self.limit {
            return false;
        }
        for frame in frames {
            if self.packets > 0 {
                self.payload.push(SEPARATOR as u8);
            }
            frame.write_polled(&mut self.payload);
            self.packets += 1;
        }
        true
    }

    /// Whether the payload has no packet.
    pub(crate) fn is_empty(&self) -> bool {
        self.packets == 0
    }

    /// The body of the response.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.payload
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::packet::Message;

    fn text(data: &str) -> Packet {
        Packet::Message(Message::Text(data.into()))
    }

    #[test]
    fn joined_packets_are_separate_in_a_payload_and_fit_together_or_not_at_all() {
        let joined =
            SharedPacket::joined(&[SharedPacket::text("4a"), SharedPacket::pong(b""), SharedPacket::binary(&[1])]);
        let written = |limit| {
            let mut payload = PayloadWriter::with_limit(limit);
            assert!(payload.push(&SharedPacket::text("4x")));
            let fits = payload.push(&joined);
            (fits, String::from_utf8(payload.finish()).unwrap())
        };
        assert_eq!(written(11), (true, "4x\u{1e}4a\u{1e}bAQ==".to_owned()));
        assert_eq!(written(10), (false, "4x".to_owned()));
    }

    #[test]
    fn packets_are_decoded_in_order() {
        let payload = ByteString::from("4a\x1ebAQ==\x1e3");
        let packets: Result<Vec<_>, _> = decode(&payload, 10).collect();
        assert_eq!(
            packets.unwrap(),
            [text("a"), Packet::Message(Message::Binary(Bytes::from_static(&[1]))), Packet::Pong("".into())]
        );
    }

    #[test]
    fn decoding_stops_at_the_first_invalid_packet() {
        let payload = ByteString::from("4a\x1eabc\x1e4b");
        let packets: Vec<_> = decode(&payload, 10).collect();
        assert_eq!(packets, [Ok(text("a")), Err(PayloadError::Packet(PacketError::UnknownType))]);
    }

    #[test]
    fn too_many_packets_are_refused() {
        let payload = ByteString::from("4a\x1e4b\x1e4c");
        let packets: Vec<_> = decode(&payload, 2).collect();
        assert_eq!(packets.last(), Some(&Err(PayloadError::TooManyPackets)));
    }

    #[test]
    fn a_payload_respects_its_limit_but_takes_one_packet_of_any_length() {
        let mut writer = PayloadWriter::with_limit(7);
        assert!(writer.push(&SharedPacket::text("4too long by itself")));
        assert!(!writer.push(&SharedPacket::text("4a")));

        let mut writer = PayloadWriter::with_limit(7);
        assert!(writer.push(&SharedPacket::text("4ab")));
        assert!(writer.push(&SharedPacket::text("4cd")));
        assert!(!writer.push(&SharedPacket::text("4")));
        assert_eq!(writer.finish(), b"4ab\x1e4cd");
    }

    proptest! {
        #[test]
        fn decoding_reverses_joining(
            messages in prop::collection::vec(
                prop_oneof![
                    "[^\x1e]{0,20}".prop_map(|data| Message::Text(data.into())),
                    prop::collection::vec(any::<u8>(), 0..20).prop_map(|data| Message::Binary(data.into())),
                ],
                1..20,
            ),
        ) {
            let mut writer = PayloadWriter::with_limit(usize::MAX);
            for message in &messages {
                writer.push(&match message {
                    Message::Text(text) => SharedPacket::text(&["4", text].concat()),
                    Message::Binary(bytes) => SharedPacket::binary(bytes),
                });
            }
            let payload = ByteString::try_from(writer.finish()).unwrap();
            let packets: Vec<_> = decode(&payload, usize::MAX).map(Result::unwrap).collect();
            let expected: Vec<_> = messages.into_iter().map(Packet::Message).collect();
            prop_assert_eq!(packets, expected);
        }

        #[test]
        fn any_text_gives_packets_and_then_at_most_one_error(text in any::<String>(), limit in 0_usize..5) {
            let payload = ByteString::from(text);
            let packets: Vec<_> = decode(&payload, limit).collect();
            prop_assert!(packets.len() <= limit + 1);
            prop_assert!(packets.iter().rev().skip(1).all(Result::is_ok));
        }
    }
}
