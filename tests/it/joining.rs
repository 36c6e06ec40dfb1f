//! `join_conversation` with `after_seq`: what a socket missed comes in front of the acknowledgement (`decisions.md`, "Beyond
//! the contract"). Sockets here are polling sessions, whose every packet can be seen.

use serde_json::{Value, json};

use crate::support::{Backend, Person, SEND, Socket, TestDatabase, TestServer, on_both_databases};

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
