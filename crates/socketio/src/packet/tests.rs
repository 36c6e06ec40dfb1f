use bytes::Bytes;
use serde_json::json;

use super::*;

fn decode(text: &str) -> Result<Option<Packet>, DecodeError> {
    Decoder::new(&SocketIoConfig::default()).decode(Message::Text(text.into()))
}

fn decoded(text: &str) -> Packet {
    decode(text).unwrap().unwrap()
}

fn event(namespace: &'static str, name: &str, id: Option<u64>, values: Vec<Value>) -> Packet {
    Packet {
        length: 0,
        namespace: namespace.into(),
        body: Body::Event { name: name.into(), id, arguments: Arguments { values, attachments: vec![] } },
    }
}

#[test]
fn type_namespace_id_and_json_are_parsed() {
    assert_eq!(decoded("0").body, Body::Connect(None));
    assert_eq!(decoded("0/a,").namespace, "/a");
    assert_eq!(decoded("0/a").namespace, "/a");
    assert_eq!(decoded(r#"0{"token":"1"}"#).body, Body::Connect(json!({"token": "1"}).as_object().cloned()));
    assert_eq!(decoded("1/a,").body, Body::Disconnect);
    for (text, event) in [
        (r#"2["a",1]"#, event("/", "a", None, vec![json!(1)])),
        (r#"2/ns,12["a","é"]"#, event("/ns", "a", Some(12), vec![json!("é")])),
        ("2[7]", event("/", "7", None, vec![])),
    ] {
        assert_eq!(decoded(text), Packet { length: text.len(), ..event });
    }
    assert_eq!(decoded("39007199254740992[]").body, Body::Ack { id: 1 << 53, arguments: Arguments::default() });
    assert_eq!(decoded("4").body, Body::ConnectError);
}

#[test]
fn invalid_packets_are_errors() {
    for text in [
        "",
        "abc",
        "7",
        "-1",
        "2",
        "2{}",
        "2abc[]",
        "2[]",
        "2[null]",
        "2[{}]",
        "2[\"a\"",
        "2[\"connect\"]",
        "2[\"disconnecting\"]",
        "0[]",
        "0null",
        "1{}",
        "3[]",
        "31{}",
        "31",
        "39007199254740993[]",
        "5[\"a\"]",
        "5-[\"a\"]",
        "511-[\"a\"]",
        "5x-[\"a\"]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":1}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":-1}]",
        "51-[\"a\",{\"_placeholder\":true}]",
        "é",
    ] {
        assert!(decode(text).is_err(), "{text}");
    }
    assert!(decode(&format!("0/{},", "a".repeat(300))).is_err());
}

#[test]
fn nesting_depth_is_limited_and_brackets_in_strings_do_not_count() {
    let nested = |depth: usize| format!("2[\"a\",{}{}]", "[".repeat(depth), "]".repeat(depth));
    assert!(decode(&nested(63)).is_ok());
    assert_eq!(decode(&nested(64)), Err(DecodeError::Payload));
    assert!(decode(&nested(500_000)).is_err());
    assert!(decode(&format!(r#"2["a","{}\"["]"#, "[".repeat(100))).is_ok());
}

#[test]
fn a_packet_is_complete_after_exactly_the_announced_attachments() {
    let mut decoder = Decoder::new(&SocketIoConfig::default());
    let header = r#"52-/n,1["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;
    assert_eq!(decoder.decode(Message::Text(header.into())), Ok(None));
    assert_eq!(decoder.decode(Message::Binary(Bytes::from_static(b"x"))), Ok(None));
    let packet = decoder.decode(Message::Binary(Bytes::from_static(b"y"))).unwrap().unwrap();
    let Body::Event { arguments, id, .. } = packet.body else { panic!() };
    assert_eq!((arguments.attachments.len(), id), (2, Some(1)));
    assert_eq!(decoder.decode(Message::Binary(Bytes::new())), Err(DecodeError::Unexpected));
}

#[test]
fn a_text_between_attachments_is_an_error() {
    let mut decoder = Decoder::new(&SocketIoConfig::default());
    assert_eq!(decoder.decode(Message::Text(r#"51-["a"]"#.into())), Ok(None));
    assert_eq!(decoder.decode(Message::Text(r#"2["a"]"#.into())), Err(DecodeError::Unexpected));
}
