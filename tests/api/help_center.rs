//! `GET` and `POST /api/help-center/messages` (`help-center.md`, 7; `decisions.md`, "Help center").

use futures_util::future::join_all;
use insta::{allow_duplicates, assert_snapshot};
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use switchboard::identity::{TokenClaims, sign};

use crate::support::{
    Answer, ApiServer, Backend, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, TestUser, on_both_databases,
};

const MESSAGES: &str = "/api/help-center/messages";
const NEVER: (&str, &str) = ("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__POLICY", "never");

async fn writes(server: &ApiServer, user: &TestUser, text: &str) -> Answer {
    let answer = server.post(user, MESSAGES, json!({ "text": text })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer
}

fn id(answer: &Answer) -> String {
    answer.body["conversation"]["id"].as_str().unwrap().to_owned()
}

/// The messages of an answer.
fn senders_and_texts(answer: &Answer) -> Vec<(&str, &str)> {
    let messages = answer.body["messages"].as_array().unwrap();
    messages.iter().map(|it| (it["sender"].as_str().unwrap(), it["text"].as_str().unwrap())).collect()
}

fn texts(answer: &Answer) -> Vec<&str> {
    senders_and_texts(answer).into_iter().map(|(_, text)| text).collect()
}

on_both_databases! {
    async fn a_first_call_makes_an_empty_conversation(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let first = server.get(&john, MESSAGES).await;
        allow_duplicates! { assert_snapshot!(first.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "conversation": {
                "createdAt": "[timestamp]",
                "id": "[id]",
                "status": "open",
                "updatedAt": "[timestamp]",
                "userId": "john"
              },
              "hasMore": false,
              "messages": []
            }
            "#) };
        assert_eq!(server.get(&john, MESSAGES).await.body, first.body);
    }

    async fn a_message_is_answered_with_the_conversation_and_what_follows_it(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let sent = writes(&server, &john, "  Hi, my outfits are gone.\n").await;
        allow_duplicates! { assert_snapshot!(sent.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "conversation": {
                "createdAt": "[timestamp]",
                "id": "[id]",
                "status": "open",
                "updatedAt": "[timestamp]",
                "userId": "john"
              },
              "hasMore": false,
              "messages": [
                {
                  "conversationId": "[id]",
                  "createdAt": "[timestamp]",
                  "id": "[id]",
                  "sender": "user",
                  "seq": 1,
                  "text": "Hi, my outfits are gone."
                },
                {
                  "conversationId": "[id]",
                  "createdAt": "[timestamp]",
                  "id": "[id]",
                  "sender": "support",
                  "seq": 2,
                  "text": "Thanks for your message! Our team has received it and will answer here as soon as possible."
                }
              ]
            }
            "#) };
        assert_eq!(server.get(&john, MESSAGES).await.body, sent.body);
    }

    async fn a_text_has_1_to_2000_characters_after_trimming(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start_with(&database, &[NEVER]).await;
        let john = TestUser::customer("john");
        for bad in [json!({}), json!({ "text": " \n" }), json!({ "text": null }), json!({ "text": "x".repeat(2001) })] {
            let answer = server.post(&john, MESSAGES, bad).await;
            assert_eq!((answer.status, &answer.body["code"]), (StatusCode::BAD_REQUEST, &json!("VALIDATION_ERROR")));
            assert_eq!(answer.body["details"][0]["field"], "text");
        }
        for good in ["👋".repeat(2000), format!("  {}  ", "x".repeat(2000)), "?".to_owned()] {
            writes(&server, &john, &good).await;
        }
        let answer = server.post(&john, MESSAGES, json!({ "text": "x".repeat(2001), "clientMessageId": "" })).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            400 Bad Request
            content-type: application/json

            {
              "code": "VALIDATION_ERROR",
              "details": [
                {
                  "field": "text",
                  "message": "text must be at most 2000 characters"
                },
                {
                  "field": "clientMessageId",
                  "message": "clientMessageId must not be empty"
                }
              ],
              "error": "Bad Request",
              "message": "text must be at most 2000 characters",
              "statusCode": 400,
              "success": false
            }
            "#) };
        let answer = server.post(&john, MESSAGES, json!({ "text": 5 })).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            400 Bad Request
            content-type: application/json

            {
              "code": "VALIDATION_ERROR",
              "details": [
                {
                  "field": "text",
                  "message": "text has the wrong type"
                }
              ],
              "error": "Bad Request",
              "message": "text has the wrong type",
              "statusCode": 400,
              "success": false
            }
            "#) };
    }

    async fn the_newest_200_are_shown_and_earlier_ones_by_before(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start_with(&database, &[NEVER]).await;
        let john = TestUser::customer("john");
        for number in 1..=203 {
            writes(&server, &john, &number.to_string()).await;
        }
        let all = server.get(&john, MESSAGES).await;
        assert_eq!(texts(&all), (4..=203).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(all.body["hasMore"], true);
        let first = &all.body["messages"][0];
        for before in [first["seq"].to_string(), first["id"].as_str().unwrap().to_owned()] {
            let rest = server.get(&john, &format!("{MESSAGES}?before={before}")).await;
            assert_eq!((texts(&rest), &rest.body["hasMore"]), (vec!["1", "2", "3"], &json!(false)), "{before}");
        }
        let two = server.get(&john, &format!("{MESSAGES}?before=4&limit=2")).await;
        assert_eq!((texts(&two), &two.body["hasMore"]), (vec!["2", "3"], &json!(true)));
        let last = server.get(&john, &format!("{MESSAGES}?limit=1")).await;
        assert_eq!((texts(&last), &last.body["hasMore"]), (vec!["203"], &json!(true)));
        assert_eq!(texts(&server.get(&john, &format!("{MESSAGES}?limit=1000")).await).len(), 200);
        assert_eq!(texts(&server.get(&john, &format!("{MESSAGES}?before=0")).await), [""; 0]);
        for query in ["limit=0", "limit=x", "before=x", "before=-1", "before=00000000-0000-4000-8000-000000000000"] {
            let answer = server.get(&john, &format!("{MESSAGES}?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
            assert_eq!(answer.body["details"][0]["field"], query.split('=').next().unwrap());
        }
    }

    async fn a_repeated_send_is_stored_once(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let servers = [ApiServer::start(&database).await, ApiServer::start(&database).await];
        let john = TestUser::customer("john");
        let body = json!({ "text": "Hi", "clientMessageId": "one" });
        let sends = (0..10).map(|number| servers[number % 2].post(&john, MESSAGES, body.clone()));
        for answer in join_all(sends).await {
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
            assert_eq!(texts(&answer)[0], "Hi");
        }
        let [server, _] = servers;
        let by_header = server.request(Method::POST, &john, MESSAGES).header("Idempotency-Key", "one");
        assert_eq!(by_header.send(Some(json!({ "text": "Hi" }))).await.status, StatusCode::CREATED);
        let all = server.get(&john, MESSAGES).await;
        assert_eq!(senders_and_texts(&all).iter().map(|(sender, _)| *sender).collect::<Vec<_>>(), ["user", "support"]);
        let other = server.post(&john, MESSAGES, json!({ "text": "Bye", "clientMessageId": "one" })).await;
        allow_duplicates! { assert_snapshot!(other.snapshot(), @r#"
            409 Conflict
            content-type: application/json

            {
              "code": "CONFLICT",
              "error": "Conflict",
              "message": "client_message_id was already used for another message",
              "statusCode": 409,
              "success": false
            }
            "#) };
        let two = server.request(Method::POST, &john, MESSAGES).header("Idempotency-Key", "two");
        let two = two.send(Some(body)).await;
        assert_eq!(two.message(), "Idempotency-Key and clientMessageId must not differ");
    }

    async fn concurrent_first_calls_on_two_servers_open_one_conversation(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let servers = [ApiServer::start(&database).await, ApiServer::start(&database).await];
        let john = TestUser::customer("john");
        let calls = (0..20).map(|number| servers[number % 2].get(&john, MESSAGES));
        let ids: std::collections::HashSet<_> = join_all(calls).await.iter().map(id).collect();
        assert_eq!(ids.len(), 1);
        assert_ne!(ids, [id(&servers[0].get(&TestUser::customer("jane"), MESSAGES).await)].into());
    }

    async fn a_changed_secret_opens_no_second_conversation(backend: Backend) {
        const OTHER: &str = "another-secret-for-tests-another-secret";
        let database = ScratchDatabase::create(backend).await;
        let before = ApiServer::start(&database).await;
        let first = writes(&before, &TestUser::customer("john"), "Before").await;
        drop(before);
        let after = ApiServer::start_with(&database, &[("JWT_SECRET", OTHER)]).await;
        let claims = TokenClaims { sub: "john".to_owned(), exp: 4_000_000_000, ..TokenClaims::default() };
        let john = TestUser { token: sign(&claims, &SecretString::from(OTHER)).unwrap() };
        let second = writes(&after, &john, "After").await;
        assert_eq!((id(&first), texts(&second)[0], texts(&second)[2]), (id(&second), "Before", "After"));
    }

    async fn agents_see_it_once_it_has_a_message_and_treat_it_as_any_other(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = id(&server.get(&john, MESSAGES).await);
        for action in ["claim", "close"] {
            assert_eq!(server.agent_action(&sarah, &id, action, None).await.message(), "Conversation not found");
        }
        for body in [json!({ "message": "Hi" }), json!({ "message": "Hm", "is_internal": true })] {
            let answer = server.agent_action(&sarah, &id, "reply", Some(body)).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
        }
        for path in [format!("{QUEUE}/{id}"), format!("{QUEUE}/{id}/timeline")] {
            let answer = server.get(&sarah, &path).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
        }
        for query in ["", "?channel=help_center", "?assigned_to=unassigned"] {
            let list = server.get(&sarah, &format!("{QUEUE}{query}")).await.body["data"].clone();
            assert_eq!((&list["meta"]["total"], &list["conversations"]), (&json!(0), &json!([])), "{query}");
            assert_eq!(list["analytics"]["total_conversations"], 0);
        }

        writes(&server, &john, "Hi").await;
        let list = server.get(&sarah, &format!("{QUEUE}?channel=help_center")).await.body["data"].clone();
        assert_eq!((&list["meta"]["total"], &list["conversations"][0]["id"]), (&json!(1), &json!(id)));
        assert_eq!(list["conversations"][0]["has_unread"], true);
        assert_eq!(server.get(&sarah, &format!("{QUEUE}?channel=support")).await.body["data"]["meta"]["total"], 0);
        let detail = server.get(&sarah, &format!("{QUEUE}/{id}")).await.body["data"].clone();
        assert_eq!((&detail["channel"], &detail["status"]), (&json!("help_center"), &json!("active")));
        assert_eq!((&detail["has_unread"], &detail["message_count"]), (&json!(true), &json!(2)));
        assert_eq!(detail["last_message"]["message"], "Hi");
        let auto_reply = &detail["messages"][1];
        assert_eq!((&auto_reply["is_from_user"], &auto_reply["user_id"]), (&json!(false), &Value::Null));
        assert_eq!((&auto_reply["sender_name"], &auto_reply["sender_email"]), (&json!("Support"), &Value::Null));

        assert_eq!(server.agent_action(&sarah, &id, "claim", None).await.status, StatusCode::CREATED);
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "He is rich", "is_internal": true }))).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "Which ones?" }))).await;
        let sent = writes(&server, &john, "The red ones").await;
        let expected = [("user", "Hi"), ("support", ""), ("support", "Which ones?"), ("user", "The red ones")];
        assert_eq!(senders_and_texts(&sent).len(), 4, "no auto-reply, and no note");
        for (message, expected) in senders_and_texts(&sent).into_iter().zip(expected) {
            assert!(message.0 == expected.0 && (expected.1.is_empty() || message.1 == expected.1), "{message:?}");
        }
        assert_eq!(server.agent_action(&sarah, &id, "close", None).await.status, StatusCode::CREATED);
        assert_eq!(server.get(&john, MESSAGES).await.body["conversation"]["status"], "closed");

        let reopened = writes(&server, &john, "Still there?").await;
        assert_eq!(reopened.body["conversation"]["status"], "open");
        let detail = server.get(&sarah, &format!("{QUEUE}/{id}")).await.body["data"].clone();
        assert_eq!((&detail["status"], &detail["assigned_to"]), (&json!("waiting_support"), &Value::Null));
        assert_eq!(senders_and_texts(&reopened).last().map(|(sender, _)| *sender), Some("support"), "it is unassigned again");
        let analytics = server.get(&sarah, QUEUE).await.body["data"]["analytics"].clone();
        assert_eq!((&analytics["by_status"]["closed"], &analytics["unassigned"]), (&json!(0), &json!(1)));
        let timeline = server.get(&sarah, &format!("{QUEUE}/{id}/timeline")).await.body["data"]["events"].clone();
        let timeline: Vec<_> = timeline.as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
        let notes_and_messages = ["claimed", "note", "message", "message", "closed", "reopened", "message", "message"];
        assert_eq!(timeline, [&["created", "message", "message"], &notes_and_messages[..]].concat());
    }

    async fn it_is_not_among_its_customers_support_conversations(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let id = id(&writes(&server, &john, "Hi").await);
        assert_eq!(server.get(&john, MY_CONVERSATIONS).await.body["data"], json!({ "conversations": [], "total": 0 }));
        for user in [&john, &TestUser::customer("mallory")] {
            let read = server.get(user, &format!("{MY_CONVERSATIONS}/{id}")).await;
            let sent = server.post(user, SEND, json!({ "message": "Hi", "conversation_id": id })).await;
            let rated = server.post(user, &format!("{MY_CONVERSATIONS}/{id}/rate"), json!({ "rating": 5 })).await;
            let by_guest = json!({ "message": "Hi", "conversation_id": id, "email": "john@example.com" });
            let guest = server.post(user, &format!("{SEND}-unauthenticated"), by_guest).await;
            for answer in [read, sent, rated, guest] {
                assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
            }
        }
        assert_eq!(texts(&server.get(&john, MESSAGES).await).len(), 2);
    }

    async fn without_a_valid_token_it_is_unauthorized_and_other_methods_are_refused(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let bad = TestUser { token: "bad".to_owned() };
        for user in [&TestUser::anonymous(), &bad] {
            let read = server.get(user, MESSAGES).await;
            let sent = server.post(user, MESSAGES, json!({ "text": "Hi" })).await;
            for answer in [read, sent] {
                assert_eq!((answer.status, answer.message()), (StatusCode::UNAUTHORIZED, "Unauthorized"));
                assert_eq!(answer.body["code"], "UNAUTHORIZED");
            }
        }
        let answer = server.request(Method::PUT, &TestUser::customer("john"), MESSAGES).send(None).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers["allow"], "GET, HEAD, POST");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_count_against_the_limit_of_sends() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let settings = [
        NEVER,
        ("SWITCHBOARD__LIMITS__ENABLED", "true"),
        ("SWITCHBOARD__LIMITS__SENDS_PER_SECOND", "1"),
        ("SWITCHBOARD__LIMITS__SENDS_BURST", "2"),
    ];
    let server = ApiServer::start_with(&database, &settings).await;
    let john = TestUser::customer("john");
    for _ in 0..3 {
        // A send that breaks its rule does not count.
        server.post(&john, MESSAGES, json!({ "text": "" })).await;
    }
    let mut answers = join_all((0..10).map(|_| server.post(&john, MESSAGES, json!({ "text": "Hi" })))).await;
    answers.retain(|answer| answer.status != StatusCode::CREATED);
    let refused = answers.first().expect("more than may be sent");
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("RATE_LIMITED")));
    assert!(refused.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_auto_reply_is_the_configured_one() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let settings = [
        ("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__POLICY", "first"),
        ("SWITCHBOARD__HELP_CENTER__AUTO_REPLY__TEXT", "We are asleep."),
    ];
    let server = ApiServer::start_with(&database, &settings).await;
    let john = TestUser::customer("john");
    writes(&server, &john, "1").await;
    let sent = writes(&server, &john, "2").await;
    assert_eq!(senders_and_texts(&sent), [("user", "1"), ("support", "We are asleep."), ("user", "2")]);
}
