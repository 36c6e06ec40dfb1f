//! Engine.IO packets (protocol 4): one type byte and its data, or raw bytes.
//!
//! Pure: no I/O, and no limits of its own. A decoded packet shares the bytes of its input. Outgoing packets are encoded
//! in [`crate::frame`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use bytestring::ByteString;

/// A message of the application, in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text: the data of a `4` packet.
    Text(ByteString),
    /// Bytes: a binary WebSocket frame, or `b` and base64 in a polling payload.
    Binary(Bytes),
}

/// A packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    /// `0`: opens a session. Only servers send it.
    Open,
    /// `1`: the sender closes the session.
    Close,
    /// `2`: in protocol 4 a client sends it only as the probe of an upgrade.
    Ping(ByteString),
    /// `3`: answers a ping.
    Pong(ByteString),
    /// `4`, or a binary packet.
    Message(Message),
    /// `5`: completes an upgrade.
    Upgrade,
    /// `6`: no operation.
    Noop,
}

/// Why text is not a valid packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PacketError {
    /// There is no type byte.
    #[error("empty packet")]
    Empty,
    /// The first character is not a packet type.
    #[error("unknown packet type")]
    UnknownType,
    /// The data after `b` is not base64.
    #[error("invalid base64")]
    InvalidBase64,
}

impl Packet {
    /// Decodes the data of a text frame.
    ///
    /// # Errors
    /// [`PacketError`] if the text is not a valid packet. The session must then be closed.
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

    /// Decodes one packet of a polling payload, in which a binary message is `b` and base64.
    ///
    /// # Errors
    /// Those of [`Packet::decode_text`], and [`PacketError::InvalidBase64`].
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
    fn the_first_character_gives_the_type() {
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
    fn invalid_packets_are_errors() {
        assert_eq!(Packet::decode_text(&ByteString::new()), Err(PacketError::Empty));
        for text in ["7", "abc", "é", "-1", "b"] {
            assert_eq!(Packet::decode_text(&text.into()), Err(PacketError::UnknownType));
        }
        assert_eq!(Packet::decode_polled(&"b§".into()), Err(PacketError::InvalidBase64));
    }

    #[test]
    fn binary_messages_are_base64_in_payloads() {
        assert_eq!(
            Packet::decode_polled(&"bAQIDBA==".into()),
            Ok(Packet::Message(Message::Binary(Bytes::from_static(&[1, 2, 3, 4]))))
        );
    }
}
