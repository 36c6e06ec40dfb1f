//! Engine.IO packets (protocol 4): one type byte and its data, or raw bytes.
//!
//! Pure: no I/O and no limits of its own. What is decoded shares the bytes it came in. Packets that leave are not made
//! here but in [`crate::frame`], ready for the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use bytestring::ByteString;

/// What an application says and hears: text, or bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The data of a `4` packet.
    Text(ByteString),
    /// A binary packet: a binary WebSocket frame, or `b` and base64 when polling.
    Binary(Bytes),
}

/// A packet as it came from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    /// `0`: only servers send it.
    Open,
    /// `1`: the sender closes the session.
    Close,
    /// `2`: in protocol 4 only the probe of an upgrade comes from a client.
    Ping(ByteString),
    /// `3`: the answer to our ping.
    Pong(ByteString),
    /// `4`, or bytes.
    Message(Message),
    /// `5`: the probed transport takes over.
    Upgrade,
    /// `6`: nothing.
    Noop,
}

/// Why bytes are no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PacketError {
    /// Nothing where a type byte should be.
    #[error("empty packet")]
    Empty,
    /// The first byte is no packet type.
    #[error("unknown packet type")]
    UnknownType,
    /// What follows a `b` is not base64.
    #[error("invalid base64")]
    InvalidBase64,
}

impl Packet {
    /// Decodes a text frame, or one packet of a polling payload.
    ///
    /// # Errors
    /// [`PacketError`] where the text is no packet; the session it came from is then to be closed.
    pub(crate) fn decode_text(text: &ByteString) -> Result<Self, PacketError> {
        let mut rest = text.chars();
        let kind = rest.next().ok_or(PacketError::Empty)?;
        let data = text.slice_ref(rest.as_str());
        Ok(match kind {
            '0' => Self::Open,
            '1' => Self::Close,
            '2' => Self::Ping(data),
            '3' => Self::Pong(data),
            '4' => Self::Message(Message::Text(data)),
            '5' => Self::Upgrade,
            '6' => Self::Noop,
            _ => return Err(PacketError::UnknownType),
        })
    }

    /// Decodes one packet of a polling payload, where bytes travel as `b` and base64.
    ///
    /// # Errors
    /// As [`Packet::decode_text`], and [`PacketError::InvalidBase64`].
    pub(crate) fn decode_polled(text: &ByteString) -> Result<Self, PacketError> {
        match text.strip_prefix('b') {
            Some(encoded) => STANDARD
                .decode(encoded)
                .map(|bytes| Self::Message(Message::Binary(bytes.into())))
                .map_err(|_| PacketError::InvalidBase64),
            None => Self::decode_text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_told_by_its_first_byte() {
        let decoded = |text: &str| Packet::decode_text(&ByteString::from(text));
        assert_eq!(decoded("0"), Ok(Packet::Open));
        assert_eq!(decoded("1"), Ok(Packet::Close));
        assert_eq!(decoded("2probe"), Ok(Packet::Ping("probe".into())));
        assert_eq!(decoded("3"), Ok(Packet::Pong("".into())));
        assert_eq!(decoded("4é"), Ok(Packet::Message(Message::Text("é".into()))));
        assert_eq!(decoded("5"), Ok(Packet::Upgrade));
        assert_eq!(decoded("6"), Ok(Packet::Noop));
    }

    #[test]
    fn what_is_no_packet_is_an_error() {
        assert_eq!(Packet::decode_text(&ByteString::new()), Err(PacketError::Empty));
        for text in ["7", "abc", "é", "-1", "b"] {
            assert_eq!(Packet::decode_text(&text.into()), Err(PacketError::UnknownType));
        }
        assert_eq!(Packet::decode_polled(&"b§".into()), Err(PacketError::InvalidBase64));
    }

    #[test]
    fn polled_bytes_are_base64() {
        assert_eq!(
            Packet::decode_polled(&"bAQIDBA==".into()),
            Ok(Packet::Message(Message::Binary(Bytes::from_static(&[1, 2, 3, 4]))))
        );
    }
}
