//! The offset is an event of its own: handlers get exactly the arguments that were sent.

use std::time::Duration;

use actix_socketio::{Arguments, ConnectRefusal, EngineConfig, Event, Namespace, Socket, SocketIo, SocketIoConfig};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::{Frame, RecoveryServer, Server, token, wait_until};

#[tokio::test]
async fn an_offset_follows_each_event_and_is_no_argument() {
    let server = RecoveryServer::start();
    let mut client = server.client(token()).await;
    for payload in [json!({"a": 1}), json!("text"), json!(null), json!([1]), json!({"end": "\"]"})] {
        server.namespace().to("always").emit("n", &payload);
        assert_eq!(client.event().await, json!(["n", payload]));
    }
    for values in [vec![], vec![json!(1), json!("text")]] {
        let arguments = Arguments { values: values.clone(), ..Arguments::default() };
        server.namespace().all().emit_arguments("many", &arguments);
        let event: Vec<Value> = std::iter::once(json!("many")).chain(values).collect();
        assert_eq!(client.event().await, json!(event));
    }
}

#[tokio::test]
async fn a_volatile_event_has_an_offset_only_if_a_client_would_take_its_argument_for_one() {
    let server = RecoveryServer::start();
    let mut client = server.client(token()).await;
    let namespace = server.namespace();
    // It is dropped while an earlier one waits to be sent.
    let object = json!({"a": "b"});
    wait_until("it was sent", || namespace.to("always").volatile().emit("v", &object) == 1).await;
    assert_eq!(client.packet().await, json!(["v", {"a": "b"}]));
    wait_until("it was sent", || namespace.to("always").volatile().emit("v", &"text") == 1).await;
    assert_eq!(client.event().await, json!(["v", "text"]));
    let auth = client.auth();
    client.socket.abort();
    server.wait_disconnected().await;
    namespace.to("always").emit("n", &1);
    let back = server.client(auth).await;
    assert_eq!((back.sid, back.missed), (client.sid, vec![json!(1)]));
}

#[tokio::test]
async fn the_offset_follows_the_last_attachment() {
    let server = RecoveryServer::start();
    let mut client = server.client(token()).await;
    let placeholder = |number| json!({"_placeholder": true, "num": number});
    let attachments = vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")];
    let arguments = Arguments { values: vec![placeholder(0), placeholder(1)], attachments };
    server.namespace().all().emit_arguments("picture", &arguments);
    let header = client.socket.expect("452-").await;
    assert_eq!(header, r#"452-["picture",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    for expected in [&b"one"[..], b"two"] {
        match client.socket.next().await {
            Frame::Binary(bytes) => assert_eq!(bytes, expected),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(client.packet().await[0], "offset");
}

/// A server that asks each client a question when the client sends `ask`.
fn asking_server() -> Server {
    let namespace = Namespace::<()>::new("/", |_| async { Ok::<_, ConnectRefusal>(()) }).on(
        "ask",
        |socket: Socket<()>, _: Event| async move {
            let answer = socket.emit_with_ack("question", &"why?", Duration::from_secs(60));
            answer.await.ok().map(|arguments| arguments.values)
        },
    );
    Server::start(SocketIo::builder(EngineConfig::default(), SocketIoConfig::default()).namespace(namespace).build())
}

#[tokio::test]
async fn a_question_is_asked_and_acknowledged_without_its_offset() {
    let server = asking_server();
    let mut socket = server.websocket().await;
    socket.send("40").await;
    socket.expect("40").await;
    socket.send("427[\"ask\"]").await;
    let question = socket.expect("42").await;
    let (id, array) = question[2..].split_at(question[2..].find('[').unwrap());
    assert_eq!(array, r#"["question","why?"]"#);
    socket.expect("42[\"offset\",").await;
    socket.send(&format!("43{id}[\"because\"]")).await;
    socket.expect("437[[\"because\"]]").await;
}

#[tokio::test]
async fn a_poll_receives_an_event_and_its_offset_together() {
    let server = asking_server();
    let mut poller = server.poller().await;
    poller.post("40").await;
    poller.poll().await;
    poller.post("427[\"ask\"]").await;
    let body = poller.poll().await.body;
    let packets: Vec<_> = body.split('\u{1e}').collect();
    assert_eq!(packets.len(), 2, "{body}");
    assert!(packets[0].ends_with(r#"["question","why?"]"#) && packets[1].starts_with("42[\"offset\","), "{body}");
}
