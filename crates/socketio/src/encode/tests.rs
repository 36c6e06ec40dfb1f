use bytes::Bytes;
use engineio::Message;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::SocketIoConfig;
use crate::packet::{Body, Decoder, Packet, ParsedEvent};

fn texts(message: &EncodedMessage) -> Vec<String> {
    message.packets().flat_map(SharedPacket::parts).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

fn head(prefix: &str, id: Option<u64>) -> EventHead<'_> {
    EventHead { prefix, name: "hi", id }
}

#[test]
fn packets_are_encoded_as_in_the_protocol() {
    let content = Content::One(&json!({"a": 1}));
    assert_eq!(texts(&event(&head("", None), &content).unwrap()), [r#"42["hi",{"a":1}]"#]);
    let message = event(&head("/n,", Some(7)), &content).unwrap().with_offset("/n,", "z1");
    assert_eq!(texts(&message), [r#"42/n,7["hi",{"a":1}]"#, r#"42/n,["offset","z1"]"#]);
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
    let message = event::<()>(&head("", None), &Content::Many(&arguments)).unwrap().with_offset("", "z1");
    assert_eq!(texts(&message), [r#"451-["hi",{"_placeholder":true,"num":0}]"#, "abc", r#"42["offset","z1"]"#]);
}

#[test]
fn events_whose_last_element_is_a_string_are_recognised() {
    let ends_with_string = |values: &[Value]| {
        let arguments = Arguments { values: values.to_vec(), ..Arguments::default() };
        event::<()>(&head("", None), &Content::Many(&arguments)).unwrap().ends_with_string()
    };
    for values in [&[][..], &[json!("")], &[json!(1), json!("x\"]")]] {
        assert!(ends_with_string(values), "{values:?}");
    }
    for value in [json!(1), json!(null), json!({"a": "b"}), json!(["a"])] {
        assert!(!ends_with_string(&[json!("a"), value]));
    }
}

#[test]
fn reserved_event_names_are_refused() {
    let head = EventHead { name: "disconnect", ..head("", None) };
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
            prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|object| object.into_iter().collect()),
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

/// Decodes an encoded message like a server that receives it from a client.
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
    fn decoding_an_encoded_packet_gives_the_same_packet(
        arguments in any_arguments(),
        name in "[^c-r].{0,20}",
        namespace in "/[^,]{0,20}",
        id in prop::option::of(0..1_u64 << 53),
    ) {
        let prefix = prefix(&namespace);
        let head = EventHead { prefix: &prefix, name: &name, id };
        let content = Content::<()>::Many(&arguments);
        let packet = decoded(&event(&head, &content).unwrap());
        prop_assert_eq!(&*packet.namespace, &namespace);
        let Body::Event { payload, id: found } = packet.body else { panic!("no event") };
        let event = ParsedEvent { name, arguments: arguments.clone(), is_refused: false };
        prop_assert_eq!((payload.into_event(&SocketIoConfig::default()), found), (Ok(event), id));
        let id = id.unwrap_or_default();
        let packet = decoded(&ack(&prefix, id, &content).unwrap());
        let Body::Ack { payload, id: found } = packet.body else { panic!("no acknowledgement") };
        prop_assert_eq!((payload.into_arguments(&SocketIoConfig::default()), found), (Ok(Some(arguments)), id));
    }

    #[test]
    fn any_text_is_a_packet_or_an_error(texts in prop::collection::vec(any::<String>(), 0..4)) {
        let mut decoder = Decoder::new(&SocketIoConfig::default());
        for text in texts {
            let _ = decoder.decode(Message::Text(text.into()));
        }
    }

    #[test]
    fn a_text_similar_to_a_packet_is_a_packet_or_an_error(text in "[0-7]{1,3}-?(/[a-z]{0,3},?)?[0-9]{0,20}[\\[\\]{}\",:a0_]{0,12}") {
        let mut decoder = Decoder::new(&SocketIoConfig::default());
        if let Ok(None) = decoder.decode(Message::Text(text.into())) {
            let _ = decoder.decode(Message::Binary(Bytes::new()));
        }
    }
}
