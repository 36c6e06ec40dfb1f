//! `join_conversation` with `after_seq`: missed messages precede the acknowledgement (`decisions.md`, "Beyond the
//! contract"). The sockets are polling sessions in which every packet is visible.

use serde_json::{Value, json};

use crate::support::{ApiServer, Backend, SEND, ScratchDatabase, SupportSession, TestUser, on_both_databases};

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["message"].as_str().unwrap()).collect()
}

on_both_databases! {
    async fn after_seq_brings_the_missed_messages_and_notes_only_to_agents(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        for (action, message) in [("reply", json!({ "message": "two" })), ("reply", json!({ "message": "note", "is_internal": true })), ("reply", json!({ "message": "three" }))] {
            assert_eq!(server.agent_action(&sarah, &id, action, Some(message)).await.status, 201);
        }
        let success = json!({ "success": true });
        for (user, after, expected) in [
            (&john, json!(0), vec!["Hello", "two", "three"]),
            (&john, json!(2), vec!["three"]),
            (&john, json!(3), vec![]),
            (&john, Value::Null, vec![]),
            (&sarah, json!(1), vec!["two", "note", "three"]),
        ] {
            let socket = SupportSession::join(&server, user).await;
            let (missed, ack) = socket.join_conversation(json!({ "conversation_id": id, "after_seq": after })).await;
            assert_eq!((texts(&missed), &ack), (expected, &success), "{after}");
            // A socket that has already joined has missed nothing.
            let (again, _) = socket.join_conversation(json!({ "conversation_id": id, "after_seq": 0 })).await;
            assert!(again.is_empty());
        }
        let socket = SupportSession::join(&server, &TestUser::customer("jane")).await;
        let (missed, ack) = socket.join_conversation(json!({ "conversation_id": id, "after_seq": 0 })).await;
        assert_eq!((missed.len(), &ack["error"]["code"]), (0, &json!("ACCESS_DENIED")));
        for wrong in [json!(-1), json!("1"), json!(1.5)] {
            let (_, ack) = socket.join_conversation(json!({ "conversation_id": id, "after_seq": wrong })).await;
            assert_eq!(ack["error"]["code"], "VALIDATION_ERROR");
        }
    }
}

on_both_databases! {
    /// A running actor decides from its state; without one the database is read.
    async fn access_is_the_same_with_and_without_a_running_actor(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let busy = ApiServer::start(&database).await;
        // No actor runs on this one.
        let quiet = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let id = busy.open_conversation(&john).await;
        let nowhere = "00000000-0000-4000-8000-000000000000";
        for server in [&busy, &quiet] {
            for (user, id, expected) in [
                (&john, id.as_str(), Value::Null),
                (&TestUser::agent("sarah"), &id, Value::Null),
                (&TestUser::customer("jane"), &id, json!("ACCESS_DENIED")),
                (&john, nowhere, json!("NOT_FOUND")),
            ] {
                let (_, ack) = SupportSession::join(server, user).await.join_conversation(json!({ "conversation_id": id })).await;
                assert_eq!(ack["error"]["code"], expected, "{ack}");
            }
        }
    }
}

/// JSON escapes make a message of control characters six times as long.
#[tokio::test]
async fn missed_messages_never_exceed_the_outgoing_queue() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start_with(&database, &[("SWITCHBOARD__SOCKET__OUTGOING_BYTES", "65536")]).await;
    let john = TestUser::customer("john");
    let id = server.open_conversation(&john).await;
    for _ in 0..5 {
        let body = json!({ "conversation_id": id, "message": format!("a{}b", "\u{1}".repeat(3000)) });
        assert_eq!(server.post(&john, SEND, body).await.status, 201);
    }
    let socket = SupportSession::join(&server, &john).await;
    let (missed, ack) = socket.join_conversation(json!({ "conversation_id": id, "after_seq": 0 })).await;
    assert_eq!(ack, json!({ "success": true }));
    // A quarter of the queue is less than one message; the gap in `seq` makes the client fetch over REST.
    assert!(missed.is_empty());
    let (missed, _) = SupportSession::join(&server, &john)
        .await
        .join_conversation(json!({ "conversation_id": id, "after_seq": 6 }))
        .await;
    assert!(missed.is_empty());
}

/// Each of its joins reads 200 messages; all sockets still receive every message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_joins_and_leaves_in_a_loop_delays_no_other() {
    const LONG: usize = 200;
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    let id = server.open_conversation(&john).await;
    let send = async |number: usize| {
        let body = json!({ "conversation_id": id, "message": format!("{number}") });
        assert_eq!(server.post(&john, SEND, body).await.status, 201);
    };
    for number in 2..=LONG {
        send(number).await;
    }
    let listener = SupportSession::join(&server, &john).await;
    listener.join_conversation(json!({ "conversation_id": id })).await;
    let greedy = SupportSession::join(&server, &john).await;
    let leave = format!("42/support,2{}", json!(["leave_conversation", { "conversation_id": id }]));
    let (mut joins, mut has_sent) = (0, false);
    let joining = async {
        let mut last = 0;
        while last < 2 * LONG {
            let (missed, _) = greedy.join_conversation(json!({ "conversation_id": id, "after_seq": 0 })).await;
            let numbers: Vec<usize> = texts(&missed).iter().filter_map(|text| text.parse().ok()).collect();
            assert!(numbers.is_sorted_by(|one, next| one + 1 == *next), "{numbers:?}");
            assert!(numbers.last().is_some_and(|newest| *newest >= last), "{numbers:?}");
            (joins, last) = (joins + 1, numbers[numbers.len() - 1]);
            greedy.send(&leave).await;
            // Events that precede the acknowledgement are live ones.
            while !greedy.poll().await.iter().any(|packet| packet.starts_with("43/support,2")) {}
        }
    };
    let sending = async {
        for number in LONG + 1..=2 * LONG {
            send(number).await;
        }
        has_sent = true;
    };
    let listening = async {
        let mut heard = Vec::new();
        while heard.len() < LONG {
            for packet in listener.poll().await {
                if let Some(event) = packet.strip_prefix("42/support,[\"new_message\",") {
                    let event: Value = serde_json::from_str(&format!("[{event}")).unwrap();
                    heard.push(event[0]["message"]["message"].as_str().unwrap().parse::<usize>().unwrap());
                }
            }
        }
        assert_eq!(heard, (LONG + 1..=2 * LONG).collect::<Vec<_>>());
    };
    tokio::join!(joining, sending, listening);
    assert!(has_sent && joins > 1, "{joins}");
}
