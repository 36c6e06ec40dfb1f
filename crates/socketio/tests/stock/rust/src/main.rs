//! rust_socketio against examples/stock, on each transport: auth, refusal, acks both ways, binary, reconnect.
//!
//! PORT: where examples/stock listens. Exits with 0 on success.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rust_socketio::{ClientBuilder, Event, Payload, RawClient, TransportType};
use rust_socketio::client::Client;
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(10);

/// What a client received.
#[derive(Debug, PartialEq)]
enum Received {
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

fn connect(transport: TransportType, auth: Value) -> (Client, Receiver<Received>) {
    let (sender, received) = channel();
    let forward = |make: fn(Payload) -> Received, sender: &Sender<Received>| {
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
        .on(Event::Connect, forward(|_| Received::Connect, &sender))
        .on(Event::Close, forward(|_| Received::Close, &sender))
        .on(Event::Error, forward(|payload| Received::Error(json!(text(payload)).to_string()), &sender))
        .on_any(move |event, payload: Payload, _| {
            let received = match payload {
                Payload::Binary(bytes) => Received::Bytes(bytes.len()),
                other => Received::Event(event.to_string(), text(other)),
            };
            drop(any.send(received));
        })
        .connect()
        .expect("connected");
    (client, received)
}

fn wait_for(received: &Receiver<Received>, what: &str, is_it: impl Fn(&Received) -> bool) -> Received {
    loop {
        let received = received.recv_timeout(TIMEOUT).unwrap_or_else(|_| panic!("timeout: {what}"));
        if is_it(&received) {
            return received;
        }
    }
}

fn event(received: &Receiver<Received>, name: &str) -> Vec<Value> {
    match wait_for(received, name, |received| matches!(received, Received::Event(event, _) if event == name)) {
        Received::Event(_, values) => values,
        other => panic!("{other:?}"),
    }
}

/// Emits with an acknowledgement and returns its payload.
fn ask(client: &Client, name: &str, payload: Value) -> Payload {
    let (sender, answer) = channel();
    client.emit_with_ack(name, payload, TIMEOUT, move |payload, _| drop(sender.send(payload))).expect("sent");
    answer.recv_timeout(TIMEOUT).unwrap_or_else(|_| panic!("no answer to {name}"))
}

fn run(name: &str, transport: fn() -> TransportType) {
    let (refused, received) = connect(transport(), json!({}));
    let refusal = wait_for(&received, "the refusal", |received| matches!(received, Received::Error(_)));
    assert!(format!("{refusal:?}").contains("name and room required"), "{refusal:?}");
    drop(refused.disconnect());

    let room = format!("rust {name}");
    let (a, received_a) = connect(transport(), json!({"name": "a", "room": room}));
    let (b, received_b) = connect(transport(), json!({"name": "b", "room": room}));
    assert_eq!(event(&received_a, "welcome")[0], json!({"name": "a", "recovered": false}));
    event(&received_b, "welcome");

    let number = text(ask(&a, "send", json!("héllo ✓")));
    let message = event(&received_b, "message");
    assert_eq!(message[0]["text"], "héllo ✓");
    assert_eq!(json!(number)[0][0], message[0]["number"], "{number:?}");
    let long = "y".repeat(300_000);
    assert_eq!(json!(text(ask(&a, "echo", json!(long))))[0][0], long);
    // With an acknowledgement asked for, this client sends bytes as an acknowledgement, which no server answers. And of
    // a binary event it takes everything in the array for the name.
    a.emit("show", vec![7_u8; 70_000]).expect("sent");
    wait_for(&received_b, "the bytes", |received| *received == Received::Bytes(70_000));
    // After a close by the server it reconnects, but it takes the close packet that a poll receives as a wanted disconnect.
    if name != "polling" {
        a.emit("close-transport", json!(null)).expect("sent");
        wait_for(&received_a, "the second connection", |received| *received == Received::Connect);
        event(&received_a, "welcome");
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
