//! `join_conversation` with `after_seq`: what a socket missed comes in front of the acknowledgement (`decisions.md`,
//! "Beyond the contract"). Sockets here are polling sessions, whose every packet can be seen.

use serde_json::{Value, json};

use crate::support::{ApiServer, Backend, SEND, ScratchDatabase, SupportSession, TestUser, on_both_databases};

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["message"].as_str().unwrap()).collect()
}

on_both_databases! {
    async fn who_says_what_they_have_is_sent_the_rest_and_notes_only_as_an_agent(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        for (action, message) in [("reply", json!({ "message": "two" })), ("reply", json!({ "message": "note", "is_internal": true })), ("reply", json!({ "message": "three" }))] {
            assert_eq!(server.agent_action(&sarah, &id, action, Some(message)).await.status, 201);
        }
        let success = json!({ "success": true });
        for (person, after, expected) in [
            (&john, json!(0), vec!["Hello", "two", "three"]),
            (&john, json!(2), vec!["three"]),
            (&john, json!(3), vec![]),
            (&john, Value::Null, vec![]),
            (&sarah, json!(1), vec!["two", "note", "three"]),
        ] {
            let socket = SupportSession::join(&server, person).await;
            let (missed, ack) = socket.join_conversation(json!({ "conversation_id": id, "after_seq": after })).await;
            assert_eq!((texts(&missed), &ack), (expected, &success), "{after}");
            // Whoever is there has missed nothing.
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
    /// With an actor that runs they are asked, and without one the database: both say the same.
    async fn who_may_join_is_the_same_whether_its_actor_runs_or_not(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let busy = ApiServer::start(&database).await;
        // Nothing was asked of this one yet.
        let quiet = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let id = busy.open_conversation(&john).await;
        let nowhere = "00000000-0000-4000-8000-000000000000";
        for server in [&busy, &quiet] {
            for (person, id, expected) in [
                (&john, id.as_str(), Value::Null),
                (&TestUser::agent("sarah"), &id, Value::Null),
                (&TestUser::customer("jane"), &id, json!("ACCESS_DENIED")),
                (&john, nowhere, json!("NOT_FOUND")),
            ] {
                let (_, ack) = SupportSession::join(server, person).await.join_conversation(json!({ "conversation_id": id })).await;
                assert_eq!(ack["error"]["code"], expected, "{ack}");
            }
        }
    }
}

/// A message of control characters is six times as long on the wire.
#[tokio::test]
async fn what_was_missed_is_never_more_than_may_wait_for_a_socket() {
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
    // A quarter of what may wait is not even one of them; the client sees by `seq` that it has to read.
    assert!(missed.is_empty());
    let (missed, _) = SupportSession::join(&server, &john)
        .await
        .join_conversation(json!({ "conversation_id": id, "after_seq": 6 }))
        .await;
    assert!(missed.is_empty());
}

/// Each of its joins reads 200 messages; the others hear what happens all the same, and so does it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_socket_that_joins_and_leaves_in_a_loop_holds_up_nobody() {
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
            // What came until then it has heard like the others.
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
