//! Decodes the Engine.IO and Socket.IO packets that a server sends, as far as the load test uses them. Does no I/O.
//!
//! The server's own decoder is for packets of clients. This one borrows from the frame, since a load test reads very many.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

/// The namespace that the load test talks to, as packets spell it.
const NAMESPACE: &str = "/support,";

/// A packet that a server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// Engine.IO's handshake, JSON.
    Open(&'a str),
    /// Must be answered with a pong.
    Ping,
    /// The session is over.
    Close,
    /// The namespace was joined, JSON.
    Connected(&'a str),
    /// The namespace was refused, JSON.
    Refused(&'a str),
    /// An event: its name, and the complete array.
    Event(&'a str, &'a str),
    /// An acknowledgement: its number, and the array.
    Ack(u64, &'a str),
    /// The server has disconnected us from the namespace.
    Disconnected,
    /// Nothing of interest.
    Other,
}

impl<'a> Packet<'a> {
    pub(super) fn decode(text: &'a str) -> Self {
        let Some(kind) = text.as_bytes().first() else { return Self::Other };
        let rest = text.get(1..).unwrap_or_default();
        match kind {
            b'0' => Self::Open(rest),
            b'1' => Self::Close,
            b'2' => Self::Ping,
            b'4' => Self::message(rest),
            _ => Self::Other,
        }
    }

    fn message(text: &'a str) -> Self {
        let Some(kind) = text.as_bytes().first() else { return Self::Other };
        let rest = text.get(1..).unwrap_or_default();
        let rest = rest.strip_prefix(NAMESPACE).unwrap_or(rest);
        match kind {
            b'0' => Self::Connected(rest),
            b'1' => Self::Disconnected,
            b'2' => event_name(rest).map_or(Self::Other, |name| Self::Event(name, rest)),
            b'3' => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                match rest.split_at_checked(digits) {
                    Some((id, array)) => id.parse().map_or(Self::Other, |id| Self::Ack(id, array)),
                    None => Self::Other,
                }
            }
            b'4' => Self::Refused(rest),
            _ => Self::Other,
        }
    }
}

/// The first element, which our server's events spell without escapes.
fn event_name(array: &str) -> Option<&str> {
    array.strip_prefix("[\"")?.split_once('"').map(|(name, _)| name)
}

/// An event's first argument, and its last one where that is a string: the offset from which to recover.
pub(super) struct Arguments<'a, T> {
    pub(super) payload: Option<T>,
    pub(super) offset: Option<Cow<'a, str>>,
}

impl<'a, T: Deserialize<'a>> Arguments<'a, T> {
    /// Reads the array of an event or an acknowledgement, whose first element is its name.
    pub(super) fn of_event(array: &'a str) -> Option<Self> {
        serde_json::from_str(array).ok()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Arguments<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = Arguments<'de, T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an event's array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let _name: Option<IgnoredAny> = elements.next_element()?;
                let payload = elements.next_element()?;
                let mut offset = None;
                while let Some(Last(last)) = elements.next_element()? {
                    offset = last;
                }
                Ok(Arguments { payload, offset })
            }
        }
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

/// A string, or anything else.
struct Last<'a>(Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Last<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Any<'a> {
            Text(#[serde(borrow)] Cow<'a, str>),
            Else(IgnoredAny),
        }
        Ok(match Any::deserialize(deserializer)? {
            Any::Text(text) => Self(Some(text)),
            Any::Else(_) => Self(None),
        })
    }
}

/// `new_message`.
#[derive(Deserialize)]
pub(super) struct NewMessage<'a> {
    #[serde(borrow)]
    pub(super) conversation_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) message: ReceivedMessage<'a>,
}

/// A message in an event or in a history.
#[derive(Deserialize)]
pub(super) struct ReceivedMessage<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    pub(super) seq: Option<i64>,
    pub(super) position: Option<i64>,
    #[serde(borrow)]
    pub(super) message: Cow<'a, str>,
    #[serde(default)]
    pub(super) is_internal: bool,
    #[serde(default)]
    pub(super) is_from_user: bool,
}

/// The fields that the load test reads of every other event of a conversation.
#[derive(Deserialize)]
pub(super) struct ConversationEvent<'a> {
    #[serde(borrow, alias = "id")]
    pub(super) conversation_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) assigned_to: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) message: Option<Preview<'a>>,
}

/// `handover_requested` and `handover_resolved`.
#[derive(Deserialize)]
pub(super) struct Handover<'a> {
    #[serde(borrow)]
    pub(super) handover_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) conversation_id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) status: Option<Cow<'a, str>>,
}

/// The preview of a message in lists.
#[derive(Deserialize)]
pub(super) struct Preview<'a> {
    #[serde(borrow, default)]
    pub(super) preview: Cow<'a, str>,
}

/// The answer to joining the namespace.
#[derive(Deserialize)]
pub(super) struct Connected<'a> {
    #[serde(borrow)]
    pub(super) pid: Option<Cow<'a, str>>,
}

/// Engine.IO's handshake.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Handshake {
    pub(super) sid: String,
    pub(super) ping_interval: u64,
    pub(super) ping_timeout: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_packet_is_decoded() {
        assert_eq!(Packet::decode("0{}"), Packet::Open("{}"));
        assert_eq!(Packet::decode("2"), Packet::Ping);
        assert_eq!(Packet::decode("1"), Packet::Close);
        assert_eq!(Packet::decode("40/support,{\"sid\":\"x\"}"), Packet::Connected("{\"sid\":\"x\"}"));
        assert_eq!(Packet::decode("44/support,{\"message\":\"no\"}"), Packet::Refused("{\"message\":\"no\"}"));
        assert_eq!(Packet::decode("42/support,[\"typing\",{}]"), Packet::Event("typing", "[\"typing\",{}]"));
        assert_eq!(Packet::decode("43/support,7[{}]"), Packet::Ack(7, "[{}]"));
        assert_eq!(Packet::decode("41/support,"), Packet::Disconnected);
        for text in ["", "4", "6", "42", "42/support,{}", "43/support,[]", "é"] {
            assert_eq!(Packet::decode(text), Packet::Other, "{text}");
        }
    }

    #[test]
    fn the_last_argument_is_the_offset_if_it_is_a_string() {
        let parsed = |array| Arguments::<IgnoredAny>::of_event(array).unwrap().offset;
        assert_eq!(parsed("[\"typing\",{},\"abc\"]").as_deref(), Some("abc"));
        assert_eq!(parsed("[\"typing\",{}]"), None);
        assert_eq!(parsed("[\"typing\",{},\"abc\",{\"x\":[1]}]"), None);
    }

    #[test]
    fn escapes_in_a_message_are_decoded() {
        let array =
            "[\"new_message\",{\"conversation_id\":\"c\",\"message\":{\"id\":\"m\",\"seq\":3,\"message\":\"a\\\"b\"}}]";
        let message = Arguments::<NewMessage<'_>>::of_event(array).unwrap().payload.unwrap();
        assert_eq!((message.message.seq, &*message.message.message), (Some(3), "a\"b"));
        assert!(!message.message.is_internal);
    }
}
