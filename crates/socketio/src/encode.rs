//! Encodes Socket.IO packets, once, for every socket that gets them.
//!
//! Pure: no I/O. JSON is serialised straight into the finished WebSocket frame.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::packet::{Arguments, RESERVED_EVENTS};
use engineio::{PacketWriter, SharedPacket};

/// Room for what most packets take.
const USUAL_LENGTH: usize = 246;

/// A packet and its attachments, which stay together.
#[derive(Debug)]
pub(crate) struct EncodedMessage {
    head: SharedPacket,
    attachments: Box<[SharedPacket]>,
}

impl EncodedMessage {
    pub(crate) fn packets(&self) -> impl Iterator<Item = &SharedPacket> + Clone {
        std::iter::once(&self.head).chain(&*self.attachments)
    }

    /// What it costs in a queue.
    pub(crate) fn cost(&self) -> usize {
        self.packets().map(SharedPacket::cost).sum()
    }
}

impl From<SharedPacket> for EncodedMessage {
    fn from(head: SharedPacket) -> Self {
        Self { head, attachments: Box::default() }
    }
}

/// Why an event cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The name means something else to every client.
    #[error("the event name {0:?} is reserved")]
    Reserved(String),
    /// The payload is no JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// What an event or an acknowledgement carries.
pub(crate) enum Content<'a, T: ?Sized> {
    One(&'a T),
    Many(&'a Arguments),
}

impl<T: ?Sized> Content<'_, T> {
    fn attachments(&self) -> &[bytes::Bytes] {
        match self {
            Self::One(_) => &[],
            Self::Many(arguments) => &arguments.attachments,
        }
    }
}

/// What goes into an event besides its content.
pub(crate) struct EventHead<'a> {
    /// The namespace as it stands in packets: empty, or a name and a comma.
    pub(crate) prefix: &'a str,
    pub(crate) name: &'a str,
    /// Where an acknowledgement is awaited.
    pub(crate) id: Option<u64>,
    /// The last argument, from which a client that comes back goes on.
    pub(crate) offset: Option<&'a str>,
}

/// `2` or `5`.
pub(crate) fn event<T: Serialize + ?Sized>(
    head: &EventHead<'_>,
    content: &Content<'_, T>,
) -> Result<EncodedMessage, EncodeError> {
    if RESERVED_EVENTS.contains(&head.name) {
        return Err(EncodeError::Reserved(head.name.to_owned()));
    }
    let array = Array { name: Some(head.name), content, offset: head.offset };
    Ok(packet(["42", "45"], head.prefix, head.id, &array)?)
}

/// `3` or `6`.
pub(crate) fn ack<T: Serialize + ?Sized>(
    prefix: &str,
    id: u64,
    content: &Content<'_, T>,
) -> Result<EncodedMessage, EncodeError> {
    let array = Array { name: None, content, offset: None };
    Ok(packet(["43", "46"], prefix, Some(id), &array)?)
}

fn packet<T: Serialize + ?Sized>(
    [text, binary]: [&str; 2],
    prefix: &str,
    id: Option<u64>,
    array: &Array<'_, T>,
) -> serde_json::Result<EncodedMessage> {
    let attachments = array.content.attachments();
    let mut writer = PacketWriter::with_capacity(USUAL_LENGTH);
    if attachments.is_empty() {
        writer.push_str(text);
    } else {
        writer.push_str(binary);
        write_number(&mut writer, attachments.len() as u64);
        writer.push_str("-");
    }
    writer.push_str(prefix);
    if let Some(id) = id {
        write_number(&mut writer, id);
    }
    serde_json::to_writer(writer.writer(), array)?;
    Ok(EncodedMessage {
        head: writer.into_text(),
        attachments: attachments.iter().map(|bytes| SharedPacket::binary(bytes)).collect(),
    })
}

fn write_number(writer: &mut PacketWriter, number: u64) {
    writer.push_str(&number.to_string());
}

/// The JSON array of an event or an acknowledgement.
struct Array<'a, T: ?Sized> {
    name: Option<&'a str>,
    content: &'a Content<'a, T>,
    offset: Option<&'a str>,
}

impl<T: Serialize + ?Sized> Serialize for Array<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        if let Some(name) = self.name {
            array.serialize_element(name)?;
        }
        match self.content {
            Content::One(value) => array.serialize_element(value)?,
            Content::Many(arguments) => {
                for value in &arguments.values {
                    array.serialize_element(value)?;
                }
            }
        }
        if let Some(offset) = self.offset {
            array.serialize_element(offset)?;
        }
        array.end()
    }
}

/// `0`: the client has joined.
pub(crate) fn connected(prefix: &str, sid: &str, pid: Option<&str>) -> EncodedMessage {
    #[derive(Serialize)]
    struct Connected<'a> {
        sid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<&'a str>,
    }
    json("40", prefix, &Connected { sid, pid })
}

/// `4`: the client is refused.
pub(crate) fn refused(prefix: &str, message: &str, data: Option<&Value>) -> EncodedMessage {
    #[derive(Serialize)]
    struct Refused<'a> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a Value>,
    }
    json("44", prefix, &Refused { message, data })
}

/// `1`: the server puts the client out of the namespace.
pub(crate) fn disconnected(prefix: &str) -> EncodedMessage {
    let mut writer = PacketWriter::with_capacity(prefix.len() + 2);
    writer.push_str("41");
    writer.push_str(prefix);
    writer.into_text().into()
}

fn json(kind: &str, prefix: &str, body: &impl Serialize) -> EncodedMessage {
    let mut writer = PacketWriter::with_capacity(USUAL_LENGTH);
    writer.push_str(kind);
    writer.push_str(prefix);
    // Strings and values always serialise.
    let _ = serde_json::to_writer(writer.writer(), body);
    writer.into_text().into()
}

/// A namespace as it stands in packets: nothing for the main one, else its name and a comma.
pub(crate) fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { [namespace, ","].concat() }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::SocketIoConfig;
    use crate::packet::{Body, Decoder, Packet};
    use engineio::Message;

    fn texts(message: &EncodedMessage) -> Vec<String> {
        message.packets().map(|packet| String::from_utf8_lossy(packet.data()).into_owned()).collect()
    }

    fn head<'a>(prefix: &'a str, id: Option<u64>, offset: Option<&'a str>) -> EventHead<'a> {
        EventHead { prefix, name: "hi", id, offset }
    }

    #[test]
    fn events_and_acks_stand_as_in_the_protocol() {
        let content = Content::One(&json!({"a": 1}));
        assert_eq!(texts(&event(&head("", None, None), &content).unwrap()), [r#"42["hi",{"a":1}]"#]);
        assert_eq!(
            texts(&event(&head("/n,", Some(7), Some("z1")), &content).unwrap()),
            [r#"42/n,7["hi",{"a":1},"z1"]"#]
        );
        assert_eq!(texts(&ack("/n,", 7, &Content::One("yes")).unwrap()), [r#"43/n,7["yes"]"#]);
        assert_eq!(texts(&connected("", "x", None)), [r#"40{"sid":"x"}"#]);
        assert_eq!(texts(&connected("/n,", "x", Some("p"))), [r#"40/n,{"sid":"x","pid":"p"}"#]);
        assert_eq!(texts(&refused("/n,", "no", Some(&json!(1)))), [r#"44/n,{"message":"no","data":1}"#]);
        assert_eq!(texts(&disconnected("/n,")), ["41/n,"]);
    }

    #[test]
    fn attachments_follow_their_packet() {
        let arguments = Arguments {
            values: vec![json!({"_placeholder": true, "num": 0})],
            attachments: vec![Bytes::from_static(b"abc")],
        };
        let message = event::<()>(&head("", None, None), &Content::Many(&arguments)).unwrap();
        assert_eq!(texts(&message), [r#"451-["hi",{"_placeholder":true,"num":0}]"#, "abc"]);
    }

    #[test]
    fn reserved_names_are_refused() {
        let head = EventHead { name: "disconnect", ..head("", None, None) };
        assert!(matches!(event(&head, &Content::One(&1)), Err(EncodeError::Reserved(_))));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|object| object.into_iter().collect()),
            ]
        })
    }

    fn any_arguments() -> impl Strategy<Value = Arguments> {
        let attachments = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4);
        (prop::collection::vec(any_json(), 0..4), attachments).prop_map(|(mut values, attachments)| {
            let placeholder = |number| json!({"_placeholder": true, "num": number});
            values.extend((0..attachments.len()).map(placeholder));
            Arguments { values, attachments: attachments.into_iter().map(Bytes::from).collect() }
        })
    }

    /// Decodes what was encoded, as a server would that got it from a client.
    fn decoded(message: &EncodedMessage) -> Packet {
        let mut decoder = Decoder::new(&SocketIoConfig::default());
        let mut packets = message.packets();
        let head = std::str::from_utf8(packets.next().unwrap().data()).unwrap();
        let head = Message::Text(head.strip_prefix('4').unwrap().into());
        packets
            .map(|packet| Message::Binary(Bytes::copy_from_slice(packet.data())))
            .fold(decoder.decode(head).unwrap(), |_, message| decoder.decode(message).unwrap())
            .unwrap()
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(
            arguments in any_arguments(),
            name in "[^c-r].{0,20}",
            namespace in "/[^,]{0,20}",
            id in prop::option::of(0..1_u64 << 53),
        ) {
            let prefix = prefix(&namespace);
            let head = EventHead { prefix: &prefix, name: &name, id, offset: None };
            let content = Content::<()>::Many(&arguments);
            let packet = decoded(&event(&head, &content).unwrap());
            prop_assert_eq!(&*packet.namespace, &namespace);
            prop_assert_eq!(packet.body, Body::Event { name, arguments: arguments.clone(), id });
            let id = id.unwrap_or_default();
            let packet = decoded(&ack(&prefix, id, &content).unwrap());
            prop_assert_eq!(packet.body, Body::Ack { id, arguments });
        }

        #[test]
        fn any_text_is_a_packet_or_an_error(texts in prop::collection::vec(any::<String>(), 0..4)) {
            let mut decoder = Decoder::new(&SocketIoConfig::default());
            for text in texts {
                let _ = decoder.decode(Message::Text(text.into()));
            }
        }

        #[test]
        fn what_looks_like_a_packet_is_one_or_an_error(text in "[0-7]{1,3}-?(/[a-z]{0,3},?)?[0-9]{0,20}[\\[\\]{}\",:a0_]{0,12}") {
            let mut decoder = Decoder::new(&SocketIoConfig::default());
            if let Ok(None) = decoder.decode(Message::Text(text.into())) {
                let _ = decoder.decode(Message::Binary(Bytes::new()));
            }
        }
    }
}
