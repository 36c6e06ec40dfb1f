//! rust_socketio against examples/chat, on each transport: auth, refusal, acks both ways, binary, coming back.
//!
//! PORT: where examples/chat listens. Ends with 0 where all went well.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rust_socketio::{ClientBuilder, Event, Payload, RawClient, TransportType};
use rust_socketio::client::Client;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(10);

/// What a client heard.
#[derive(Debug, PartialEq)]
enum Heard {
    Connect,
    Close,
    Error(String),
    Event(String, Vec<Value>),
    Bytes(usize),
}

fn text(payload: Payload) -> Vec<Value> {
    match payload {
        Payload::Text(values) => values,
        Payload::Binary(bytes) => vec![json!(bytes.len())],
        #[allow(deprecated)]
        Payload::String(text) => vec![json!(text)],
    }
}

fn connect(transport: TransportType, auth: Value) -> (Client, Receiver<Heard>) {
    let (sender, heard) = channel();
    let tell = |make: fn(Payload) -> Heard, sender: &Sender<Heard>| {
        let sender = sender.clone();
        move |payload: Payload, _: RawClient| drop(sender.send(make(payload)))
    };
    let port = std::env::var("PORT").unwrap_or("3000".to_owned());
    let any = sender.clone();
    let client = ClientBuilder::new(format!("http://127.0.0.1:{port}/"))
        .namespace("/chat")
        .transport_type(transport)
        .auth(auth)
        .reconnect_delay(50, 100)
        .on(Event::Connect, tell(|_| Heard::Connect, &sender))
        .on(Event::Close, tell(|_| Heard::Close, &sender))
        .on(Event::Error, tell(|payload| Heard::Error(json!(text(payload)).to_string()), &sender))
        .on_any(move |event, payload: Payload, _| {
            let heard = match payload {
                Payload::Binary(bytes) => Heard::Bytes(bytes.len()),
                other => Heard::Event(event.to_string(), text(other)),
            };
            drop(any.send(heard));
        })
        .connect()
        .expect("connected");
    (client, heard)
}

fn wait_for(heard: &Receiver<Heard>, what: &str, is_it: impl Fn(&Heard) -> bool) -> Heard {
    loop {
        let heard = heard.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("not heard in time: {what}"));
        if is_it(&heard) {
            return heard;
        }
    }
}

fn event(heard: &Receiver<Heard>, name: &str) -> Vec<Value> {
    match wait_for(heard, name, |heard| matches!(heard, Heard::Event(event, _) if event == name)) {
        Heard::Event(_, values) => values,
        other => panic!("{other:?}"),
    }
}

/// Asks, and gives the answer's payload.
fn ask(client: &Client, name: &str, payload: Value) -> Payload {
    let (sender, answer) = channel();
    client.emit_with_ack(name, payload, PATIENCE, move |payload, _| drop(sender.send(payload))).expect("sent");
    answer.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {name}"))
}

fn run(name: &str, transport: fn() -> TransportType) {
    let (refused, heard) = connect(transport(), json!({}));
    let refusal = wait_for(&heard, "the refusal", |heard| matches!(heard, Heard::Error(_)));
    assert!(format!("{refusal:?}").contains("say who you are"), "{refusal:?}");
    drop(refused.disconnect());

    let room = format!("rust {name}");
    let (a, heard_a) = connect(transport(), json!({"name": "a", "room": room}));
    let (b, heard_b) = connect(transport(), json!({"name": "b", "room": room}));
    assert_eq!(event(&heard_a, "welcome")[0], json!({"name": "a", "recovered": false}));
    event(&heard_b, "welcome");

    let number = text(ask(&a, "say", json!("héllo ✓")));
    let said = event(&heard_b, "said");
    assert_eq!(said[0]["text"], "héllo ✓");
    assert_eq!(json!(number)[0][0], said[0]["number"], "{number:?}");
    let long = "y".repeat(300_000);
    assert_eq!(json!(text(ask(&a, "echo", json!(long))))[0][0], long);
    // With an acknowledgement asked for, this client sends bytes as an acknowledgement, which no server answers. And of
    // a binary event it takes all that stands in the array for the name, the offset of a server that recovers too.
    a.emit("show", vec![7_u8; 70_000]).expect("sent");
    wait_for(&heard_b, "the bytes", |heard| *heard == Heard::Bytes(70_000));
    // Sent elsewhere, it comes back by itself; but what a poll gets, a close packet, it takes for an end that it wants.
    if name != "polling" {
        a.emit("cut me", json!(null)).expect("sent");
        wait_for(&heard_a, "the second connection", |heard| *heard == Heard::Connect);
        event(&heard_a, "welcome");
        assert_eq!(json!(text(ask(&a, "echo", json!(1))))[0][0], 1);
    }
    a.disconnect().expect("left");
    b.disconnect().expect("left");
    println!("ok {room}");
}

fn main() {
    run("websocket", || TransportType::Websocket);
    run("polling", || TransportType::Polling);
    run("upgrade", || TransportType::WebsocketUpgrade);
    std::process::exit(0);
}
