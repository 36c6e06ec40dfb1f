//! `join_conversation` with `after_seq`: what a socket missed comes in front of the acknowledgement (`decisions.md`, "Beyond
//! the contract"). Sockets here are polling sessions, whose every packet can be seen.

use serde_json::{Value, json};

use crate::support::{Backend, Person, SEND, TestDatabase, TestServer, on_both_databases};

const OPEN: &str = "/socket.io/?EIO=4&transport=polling";

/// A polling session on `/support`.
struct Socket<'a> {
    server: &'a TestServer,
    path: String,
}

impl<'a> Socket<'a> {
    async fn join(server: &'a TestServer, person: &Person) -> Self {
        let opening = server.get(&Person::nobody(), OPEN).await;
        let opening: Value = serde_json::from_str(&opening.body.as_str().unwrap()[1..]).unwrap();
        let socket = Self { server, path: format!("{OPEN}&sid={}", opening["sid"].as_str().unwrap()) };
        socket.says(&format!("40/support,{}", json!({ "token": person.token }))).await;
        // An agent hears that they have come right behind it.
        assert!(socket.poll().await[0].starts_with("40/support,"));
        socket
    }

    async fn says(&self, packet: &str) {
        let url = format!("{}{}", self.server.url, self.path);
        let answer = self.server.http.post(url).body(packet.to_owned()).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "ok");
    }

    async fn poll(&self) -> Vec<String> {
        let url = format!("{}{}", self.server.url, self.path);
        let answer = self.server.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap().split('\u{1e}').map(ToOwned::to_owned).collect()
    }

    /// Joins a conversation: the messages that come before the acknowledgement, and that.
    async fn joins(&self, payload: Value) -> (Vec<Value>, Value) {
        self.says(&format!("42/support,1{}", json!(["join_conversation", payload]))).await;
        let mut messages = Vec::new();
        loop {
            for packet in self.poll().await {
                if let Some(ack) = packet.strip_prefix("43/support,1") {
                    return (messages, serde_json::from_str::<Value>(ack).unwrap()[0].take());
                }
                assert_ne!(packet, "1", "the session was closed");
                if let Some(event) = packet.strip_prefix("42/support,[\"new_message\",") {
                    let event: Value = serde_json::from_str(&format!("[{event}")).unwrap();
                    messages.push(event[0]["message"].clone());
                }
            }
        }
    }
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["message"].as_str().unwrap()).collect()
}

on_both_databases! {
    async fn who_says_what_they_have_is_sent_the_rest_and_notes_only_as_an_agent(backend: Backend) {
        let database = TestDatabase::create(backend).await;
        let server = TestServer::start(&database).await;
        let (john, sarah) = (Person::customer("john"), Person::agent("sarah"));
        let id = server.conversation(&john).await;
        for (action, message) in [("reply", json!({ "message": "two" })), ("reply", json!({ "message": "note", "is_internal": true })), ("reply", json!({ "message": "three" }))] {
            assert_eq!(server.agent_does(&sarah, &id, action, Some(message)).await.status, 201);
        }
        let success = json!({ "success": true });
        for (person, after, expected) in [
            (&john, json!(0), vec!["Hello", "two", "three"]),
            (&john, json!(2), vec!["three"]),
            (&john, json!(3), vec![]),
            (&john, Value::Null, vec![]),
            (&sarah, json!(1), vec!["two", "note", "three"]),
        ] {
            let socket = Socket::join(&server, person).await;
            let (missed, ack) = socket.joins(json!({ "conversation_id": id, "after_seq": after })).await;
            assert_eq!((texts(&missed), &ack), (expected, &success), "{after}");
            // Whoever is there has missed nothing.
            let (again, _) = socket.joins(json!({ "conversation_id": id, "after_seq": 0 })).await;
            assert!(again.is_empty());
        }
        let socket = Socket::join(&server, &Person::customer("jane")).await;
        let (missed, ack) = socket.joins(json!({ "conversation_id": id, "after_seq": 0 })).await;
        assert_eq!((missed.len(), &ack["error"]["code"]), (0, &json!("ACCESS_DENIED")));
        for wrong in [json!(-1), json!("1"), json!(1.5)] {
            let (_, ack) = socket.joins(json!({ "conversation_id": id, "after_seq": wrong })).await;
            assert_eq!(ack["error"]["code"], "VALIDATION_ERROR");
        }
    }
}

/// A message of control characters is six times as long on the wire.
#[tokio::test]
async fn what_was_missed_is_never_more_than_may_wait_for_a_socket() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start_with(&database, &[("SWITCHBOARD__SOCKET__OUTGOING_BYTES", "65536")]).await;
    let john = Person::customer("john");
    let id = server.conversation(&john).await;
    for _ in 0..5 {
        let body = json!({ "conversation_id": id, "message": format!("a{}b", "\u{1}".repeat(3000)) });
        assert_eq!(server.post(&john, SEND, body).await.status, 201);
    }
    let socket = Socket::join(&server, &john).await;
    let (missed, ack) = socket.joins(json!({ "conversation_id": id, "after_seq": 0 })).await;
    assert_eq!(ack, json!({ "success": true }));
    // A quarter of what may wait is not even one of them; the client sees by `seq` that it has to read.
    assert!(missed.is_empty());
    let (missed, _) = Socket::join(&server, &john).await.joins(json!({ "conversation_id": id, "after_seq": 6 })).await;
    assert!(missed.is_empty());
}
