use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::arguments::Arguments;

fn decode(text: &str) -> Result<Option<Packet>, DecodeError> {
    Decoder::new(&SocketIoConfig::default()).decode(Message::Text(text.into()))
}

fn decoded(text: &str) -> Packet {
    decode(text).unwrap().unwrap()
}

/// Decodes a packet completely: what it carries as well.
fn parsed(text: &str) -> Result<Option<ParsedEvent>, DecodeError> {
    let config = SocketIoConfig::default();
    match decode(text)?.map(|packet| packet.body) {
        Some(Body::Event { payload, .. }) => payload.into_event(&config).map(Some),
        Some(Body::Ack { payload, .. }) => payload.into_arguments(&config).map(|_| None),
        _ => Ok(None),
    }
}

/// The event of a packet with its attachments.
fn parsed_with(header: &str, attachments: usize) -> Result<ParsedEvent, DecodeError> {
    let config = SocketIoConfig::default();
    let mut decoder = Decoder::new(&config);
    let mut packet = decoder.decode(Message::Text(header.into()))?;
    for _ in 0..attachments {
        packet = decoder.decode(Message::Binary(Bytes::from_static(b"x")))?;
    }
    match packet.unwrap().body {
        Body::Event { payload, .. } => payload.into_event(&config),
        other => panic!("{other:?}"),
    }
}

#[test]
fn type_namespace_id_and_json_are_parsed() {
    assert_eq!(decoded("0").body, Body::Connect(None));
    assert_eq!(decoded("0/a,").namespace, "/a");
    assert_eq!(decoded("0/a").namespace, "/a");
    assert_eq!(decoded(r#"0{"token":"1"}"#).body, Body::Connect(json!({"token": "1"}).as_object().cloned()));
    assert_eq!(decoded("1/a,").body, Body::Disconnect);
    for (text, namespace, name, id, values) in [
        (r#"2["a",1]"#, "/", "a", None, vec![json!(1)]),
        (r#"2/ns,12["a","é"]"#, "/ns", "a", Some(12), vec![json!("é")]),
        ("2[7]", "/", "7", None, vec![]),
    ] {
        let packet = decoded(text);
        assert_eq!((packet.length, &*packet.namespace), (text.len(), namespace));
        let Body::Event { id: found, payload } = packet.body else { panic!("{text}") };
        let arguments = Arguments { values, attachments: vec![] };
        let event = ParsedEvent { name: name.to_owned(), arguments, is_refused: false };
        assert_eq!((found, payload.into_event(&SocketIoConfig::default())), (id, Ok(event)));
    }
    let Body::Ack { id, payload } = decoded("39007199254740992[]").body else { panic!("no acknowledgement") };
    assert_eq!((id, payload.into_arguments(&SocketIoConfig::default())), (1 << 53, Ok(Some(Arguments::default()))));
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
        "é",
    ] {
        assert!(parsed(text).is_err(), "{text}");
    }
    for placeholder in [r#""num":1"#, r#""num":-1"#, r#""no":0"#] {
        let header = format!(r#"51-["a",{{"_placeholder":true,{placeholder}}}]"#);
        assert_eq!(parsed_with(&header, 1), Err(DecodeError::Attachments), "{header}");
    }
    assert!(decode(&format!("0/{},", "a".repeat(300))).is_err());
}

#[test]
fn nesting_depth_is_limited_and_brackets_in_strings_do_not_count() {
    let nested = |depth: usize| format!("2[\"a\",{}{}]", "[".repeat(depth), "]".repeat(depth));
    let is_refused = |text: &str| parsed(text).unwrap().unwrap().is_refused;
    assert!(!is_refused(&nested(126)));
    for depth in [127, 128, 1000, 500_000] {
        let refused = ParsedEvent { name: "a".to_owned(), arguments: Arguments::default(), is_refused: true };
        assert_eq!(parsed(&nested(depth)), Ok(Some(refused)), "an event without its arguments");
    }
    assert!(parsed(&format!("2[\"a\",{}", "[".repeat(500_000))).is_err(), "no JSON");
    assert!(!is_refused(&format!(r#"2["a","{}\"["]"#, "[".repeat(100))));
    // A client that is not known yet is refused at once.
    for (depth, is_ok) in [(125, true), (127, false)] {
        let text = format!("0{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(decode(&text).is_ok(), is_ok, "{depth}");
    }
    // An acknowledgement counts as none.
    for (depth, is_kept) in [(126, true), (127, false), (100_000, false)] {
        let text = format!("31[{}{}]", "[".repeat(depth), "]".repeat(depth));
        let Body::Ack { payload, .. } = decoded(&text).body else { panic!("no acknowledgement") };
        assert_eq!(payload.into_arguments(&SocketIoConfig::default()).unwrap().is_some(), is_kept, "{depth}");
    }
    assert!(parsed(&format!("31[{}", "[".repeat(100_000))).is_err(), "no JSON");
}

#[test]
fn a_packet_is_complete_after_exactly_the_announced_attachments() {
    let mut decoder = Decoder::new(&SocketIoConfig::default());
    let header = r#"52-/n,1["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;
    assert_eq!(decoder.decode(Message::Text(header.into())), Ok(None));
    assert_eq!(decoder.decode(Message::Binary(Bytes::from_static(b"x"))), Ok(None));
    let packet = decoder.decode(Message::Binary(Bytes::from_static(b"y"))).unwrap().unwrap();
    let Body::Event { payload, id } = packet.body else { panic!() };
    let arguments = payload.into_event(&SocketIoConfig::default()).unwrap().arguments;
    assert_eq!((arguments.attachments, id), (vec![Bytes::from_static(b"x"), Bytes::from_static(b"y")], Some(1)));
    assert_eq!(decoder.decode(Message::Binary(Bytes::new())), Err(DecodeError::Unexpected));
}

#[test]
fn a_text_between_attachments_is_an_error() {
    let mut decoder = Decoder::new(&SocketIoConfig::default());
    assert_eq!(decoder.decode(Message::Text(r#"51-["a"]"#.into())), Ok(None));
    assert_eq!(decoder.decode(Message::Text(r#"2["a"]"#.into())), Err(DecodeError::Unexpected));
}

/// JSON of small objects takes a hundred times its text when it is parsed.
#[test]
fn arguments_that_would_take_too_much_memory_are_refused() {
    let objects = |count: usize| format!(r#"2["a",[{}]]"#, vec![r#"{"":1}"#; count].join(","));
    let config = SocketIoConfig::default();
    let is_refused = |count| parsed(&objects(count)).unwrap().unwrap().is_refused;
    let limit = (1..100_000).collect::<Vec<_>>().partition_point(|count| !is_refused(*count));
    let text = objects(limit).len();
    assert!((2_000..8_000).contains(&limit), "{limit} objects");
    assert!(text < config.max_parsed_bytes / 50, "{text} bytes");
    assert!(!parsed(&format!(r#"2["a","{}"]"#, "x".repeat(1_000_000))).unwrap().unwrap().is_refused, "text is text");
}

#[test]
fn an_auth_payload_is_limited_to_the_byte() {
    let auth = |length: usize| format!(r#"0{{"a":"{}"}}"#, "x".repeat(length - 8));
    let limit = SocketIoConfig::default().max_auth_bytes;
    assert!(decode(&auth(limit)).is_ok());
    assert_eq!(decode(&auth(limit + 1)), Err(DecodeError::Payload));
}

/// A slice of a long message would keep all of it.
#[test]
fn an_event_does_not_keep_the_message_it_arrived_in() {
    let body = Bytes::from(vec![7; 1_000_000]);
    let config = SocketIoConfig::default();
    let mut decoder = Decoder::new(&config);
    assert_eq!(decoder.decode(Message::Text(r#"51-["a"]"#.into())), Ok(None));
    let packet = decoder.decode(Message::Binary(body.slice(10..20))).unwrap();
    assert!(packet.is_some());
    assert!(body.is_unique(), "the attachment is a copy");
}
