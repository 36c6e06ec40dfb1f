//! `GET …/conversations` and `/:id`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, TestUser, on_both_databases};

on_both_databases! {
    async fn the_queue_counts_everything_and_pages(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah, mike) = (TestUser::customer("john"), TestUser::agent("sarah"), TestUser::agent("mike"));
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(server.open_conversation(&john).await);
        }
        server.agent_action(&sarah, &ids[0], "claim", None).await;
        server.agent_action(&mike, &ids[1], "reply", Some(json!({ "message": "Hi" }))).await;
        server.agent_action(&sarah, &ids[2], "claim", None).await;
        server.agent_action(&sarah, &ids[2], "close", None).await;
        server.post(&john, SEND, json!({ "message": "More", "conversation_id": ids[3] })).await;
        let first = server.get(&sarah, &format!("{QUEUE}?limit=2")).await;
        assert_eq!(first.body["data"]["analytics"], json!({
            "total_conversations": 5, "mine": 1, "active": 4, "unassigned": 2, "handovers_to_me": 0,
            "by_status": { "active": 2, "waiting_support": 1, "waiting_user": 1, "closed": 1 },
        }));
        assert_eq!(first.body["data"]["meta"], json!({ "total": 5, "page": 1, "limit": 2, "total_pages": 3 }));
        let mut seen = Vec::new();
        for page in 1..=3 {
            let answer = server.get(&sarah, &format!("{QUEUE}?limit=2&page={page}")).await;
            seen.extend(answer.body["data"]["conversations"].as_array().unwrap().iter().map(|one| one["id"].clone()));
        }
        // Ordered by the last message: a reply and a later message have moved theirs to the front.
        assert_eq!(seen, [&ids[3], &ids[1], &ids[4], &ids[2], &ids[0]].map(|id| json!(id)));
        assert_eq!(server.get(&sarah, &format!("{QUEUE}?limit=1000")).await.body["data"]["meta"]["limit"], 100);
        assert_eq!(server.get(&sarah, &format!("{QUEUE}?page=9")).await.body["data"]["conversations"], json!([]));
    }

    async fn a_customer_known_by_a_full_name_alone_has_a_first_and_a_last_name(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let sarah = TestUser::agent("sarah");
        for (sub, name, first, last) in
            [("one", "Mary Ann Lee", json!("Mary Ann"), json!("Lee")), ("two", " Cher ", json!("Cher"), json!(null))]
        {
            let id = server.open_conversation(&TestUser::with_full_name(sub, name)).await;
            for path in [format!("{QUEUE}/{id}"), format!("{QUEUE}?user_id={sub}")] {
                // The directory stores callers in the background: read until they are in the answer.
                let user = loop {
                    let data = &server.get(&sarah, &path).await.body["data"];
                    let listed = if path.contains('?') { &data["conversations"][0] } else { data };
                    if listed["user"].is_object() {
                        break listed["user"].clone();
                    }
                };
                assert_eq!((&user["first_name"], &user["last_name"]), (&first, &last), "{name:?}");
            }
        }
    }

    async fn a_conversation_looks_as_the_contract_says(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "A note", "is_internal": true }))).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "Hi John" }))).await;
        // The directory stores callers in the background: read until they are in the answer.
        let seen = loop {
            let seen = server.get(&sarah, &format!("{QUEUE}/{id}")).await;
            if seen.body["data"]["user"].is_object() && seen.body["data"]["assigned_admin"]["email"].is_string() {
                break seen;
            }
        };
        allow_duplicates! { assert_snapshot!(seen.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "assigned_admin": {
                  "email": "sarah@example.com",
                  "first_name": "Sarah",
                  "id": "sarah",
                  "last_name": "Johnson"
                },
                "assigned_at": "[timestamp]",
                "assigned_to": "sarah",
                "channel": "support",
                "createdAt": "[timestamp]",
                "device_metadata": {
                  "platform": "unknown"
                },
                "email": "john@example.com",
                "feedback": null,
                "handovers": [],
                "has_more": false,
                "has_unread": false,
                "id": "[id]",
                "ip_address": "127.0.0.1",
                "last_message": {
                  "createdAt": "[timestamp]",
                  "is_from_user": false,
                  "message": "Hi John",
                  "sender_name": "Sarah Johnson"
                },
                "last_message_at": "[timestamp]",
                "message_count": 3,
                "messages": [
                  {
                    "attachments": null,
                    "createdAt": "[timestamp]",
                    "id": "[id]",
                    "is_from_user": true,
                    "is_internal": false,
                    "message": "Hello",
                    "position": 2,
                    "sender_email": "john@example.com",
                    "sender_name": "John Doe",
                    "seq": 1,
                    "user_id": "john"
                  },
                  {
                    "attachments": null,
                    "createdAt": "[timestamp]",
                    "id": "[id]",
                    "is_from_user": false,
                    "is_internal": true,
                    "message": "A note",
                    "position": 3,
                    "sender_email": "sarah@example.com",
                    "sender_name": "Sarah Johnson",
                    "seq": null,
                    "user_id": "sarah"
                  },
                  {
                    "attachments": null,
                    "createdAt": "[timestamp]",
                    "id": "[id]",
                    "is_from_user": false,
                    "is_internal": false,
                    "message": "Hi John",
                    "position": 5,
                    "sender_email": "sarah@example.com",
                    "sender_name": "Sarah Johnson",
                    "seq": 2,
                    "user_id": "sarah"
                  }
                ],
                "pending_handover": null,
                "phone_number": "+2348012345678",
                "read_up_to": {
                  "agent": 2,
                  "customer": 1
                },
                "satisfaction_rating": null,
                "smileai_conversation_id": null,
                "status": "waiting_user",
                "ticket": null,
                "total_messages": 3,
                "unread_count": 0,
                "updatedAt": "[timestamp]",
                "user": {
                  "account_status": "active",
                  "email": "john@example.com",
                  "first_name": "John",
                  "id": "john",
                  "kyc_verification": null,
                  "last_name": "Doe",
                  "phone_number": "+2348012345678",
                  "profile_image": null,
                  "role": "user",
                  "smipay_tag": null,
                  "tier": null,
                  "wallet": null
                },
                "user_agent": null,
                "user_id": "john"
              },
              "message": "Conversation fetched",
              "success": true
            }
            "#) };
    }

    async fn a_picture_is_shown_as_the_profile_image(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::with_picture("john", "https://img.example.com/john.png"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        // The directory stores callers in the background: read until they are in the answer.
        let user = loop {
            let user = server.get(&sarah, &format!("{QUEUE}/{id}")).await.body["data"]["user"].clone();
            if user.is_object() {
                break user;
            }
        };
        assert_eq!(user["profile_image"], json!({ "secure_url": "https://img.example.com/john.png" }));
    }

    async fn a_note_reaches_no_customer(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        let before = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await.body;
        let list_before = server.get(&john, MY_CONVERSATIONS).await.body;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "A note", "is_internal": true }))).await;
        assert_eq!(server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await.body, before);
        assert_eq!(server.get(&john, MY_CONVERSATIONS).await.body, list_before);
    }

    async fn agents_page_through_messages_by_position(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        for message in ["note", "another note"] {
            server.agent_action(&sarah, &id, "reply", Some(json!({ "message": message, "is_internal": true }))).await;
        }
        server.post(&john, SEND, json!({ "message": "More", "conversation_id": id })).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "a last note", "is_internal": true }))).await;
        for (query, positions) in [
            ("", vec![2, 3, 4, 5, 6]),
            ("?after_position=3", vec![4, 5, 6]),
            ("?after_position=2&limit=1", vec![3]),
            ("?before_seq=2", vec![2, 3, 4]),
            ("?before_seq=2&limit=1", vec![4]),
            ("?before_seq=1", vec![]),
            ("?before_seq=3&limit=2", vec![5, 6]),
        ] {
            let answer = server.get(&sarah, &format!("{QUEUE}/{id}{query}")).await;
            let got: Vec<Value> =
                answer.body["data"]["messages"].as_array().unwrap().iter().map(|one| one["position"].clone()).collect();
            assert_eq!(got, positions.into_iter().map(Value::from).collect::<Vec<_>>(), "{query}");
        }
    }
}

#[tokio::test]
async fn a_query_value_that_breaks_its_rule_is_named() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    for (query, field) in [("page=0", "page"), ("page=x", "page"), ("limit=0", "limit"), ("limit=ten", "limit")] {
        let answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.body["details"][0]["field"], field, "{query}");
    }
}
