//! `GET /api/v1/support/conversations` and `/:id`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, SEND, ScratchDatabase, TestUser, on_both_databases};

on_both_databases! {
    async fn the_list_shows_the_callers_conversations_latest_first(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let first = server.open_conversation(&john).await;
        let second = server.open_conversation(&john).await;
        server.open_conversation(&TestUser::customer("mallory")).await;
        server.agent_action(&sarah, &first, "reply", Some(json!({ "message": "x".repeat(101) }))).await;
        let list = server.get(&john, MY_CONVERSATIONS).await;
        let ids: Vec<&Value> = list.body["data"]["conversations"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(ids, [&json!(first), &json!(second)]);
        assert_eq!(list.body["data"]["conversations"][0]["last_message"]["message"], "x".repeat(100));
        assert_eq!(server.get(&TestUser::customer("new"), MY_CONVERSATIONS).await.body["data"], json!({ "conversations": [], "total": 0 }));
    }

    async fn a_card_looks_as_the_contract_says(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "Hi John" }))).await;
        let answer = server.get(&john, MY_CONVERSATIONS).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "conversations": [
                  {
                    "assigned_admin_name": "Sarah Johnson",
                    "created_at": "[timestamp]",
                    "has_unread": true,
                    "id": "[id]",
                    "last_message": {
                      "createdAt": "[timestamp]",
                      "is_from_user": false,
                      "message": "Hi John",
                      "sender_name": "Sarah Johnson"
                    },
                    "last_message_at": "[timestamp]",
                    "message_count": 2,
                    "read_up_to": {
                      "agent": 2,
                      "customer": 1
                    },
                    "satisfaction_rating": null,
                    "status": "waiting_user",
                    "ticket": null,
                    "unread_count": 1,
                    "updated_at": "[timestamp]"
                  }
                ],
                "total": 1
              },
              "message": "Conversations fetched",
              "success": true
            }
            "#) };
    }

    async fn the_detail_looks_as_the_contract_says(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "A note", "is_internal": true }))).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "Hi John" }))).await;
        let answer = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "conversation": {
                  "assigned_admin_name": "Sarah Johnson",
                  "created_at": "[timestamp]",
                  "email": "john@example.com",
                  "feedback": null,
                  "has_more": false,
                  "id": "[id]",
                  "last_message_at": "[timestamp]",
                  "messages": [
                    {
                      "attachments": null,
                      "created_at": "[timestamp]",
                      "id": "[id]",
                      "is_from_user": true,
                      "message": "Hello",
                      "sender_email": "john@example.com",
                      "sender_name": "John Doe",
                      "seq": 1
                    },
                    {
                      "attachments": null,
                      "created_at": "[timestamp]",
                      "id": "[id]",
                      "is_from_user": false,
                      "message": "Hi John",
                      "sender_email": "sarah@example.com",
                      "sender_name": "Sarah Johnson",
                      "seq": 2
                    }
                  ],
                  "phone_number": "+2348012345678",
                  "read_up_to": {
                    "agent": 2,
                    "customer": 1
                  },
                  "satisfaction_rating": null,
                  "status": "waiting_user",
                  "ticket": null,
                  "total_messages": 2,
                  "unread_count": 1,
                  "updated_at": "[timestamp]"
                }
              },
              "message": "Conversation retrieved",
              "success": true
            }
            "#) };
    }

    async fn another_customer_learns_only_that_it_is_not_theirs(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let id = server.open_conversation(&TestUser::customer("john")).await;
        let mallory = TestUser::customer("mallory");
        let answer = server.get(&mallory, &format!("{MY_CONVERSATIONS}/{id}")).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, "Access denied"));
        for unknown in ["01900000-0000-7000-8000-000000000000", "nonsense"] {
            let answer = server.get(&mallory, &format!("{MY_CONVERSATIONS}/{unknown}")).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
        }
    }

    async fn a_range_of_messages_is_ascending_and_has_a_flag_for_more(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        // Notes between the messages use positions, but no seq.
        for _ in 2..=9 {
            server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "note", "is_internal": true }))).await;
            server.post(&john, SEND, json!({ "message": "m", "conversation_id": id })).await;
        }
        for (query, seqs, has_more) in [
            ("", 1..=9, false),
            ("?limit=3", 7..=9, true),
            ("?limit=9", 1..=9, false),
            ("?after_seq=0&limit=2", 1..=2, true),
            ("?after_seq=4", 5..=9, false),
            ("?after_seq=4&limit=2", 5..=6, true),
            ("?before_seq=5&limit=3", 2..=4, true),
            ("?before_seq=4&limit=3", 1..=3, false),
            ("?before_seq=100&limit=500", 1..=9, false),
        ] {
            let answer = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}{query}")).await;
            let conversation = &answer.body["data"]["conversation"];
            let got: Vec<i64> =
                conversation["messages"].as_array().unwrap().iter().map(|one| one["seq"].as_i64().unwrap()).collect();
            assert_eq!(got, seqs.collect::<Vec<i64>>(), "{query}");
            assert_eq!(conversation["has_more"], has_more, "{query}");
            assert_eq!(conversation["total_messages"], 9, "{query}");
        }
        for query in ["?limit=0", "?limit=x", "?after_seq=-1", "?before_seq=1.5", "?after_seq=1&before_seq=2", "?limit=1&limit=2"] {
            let answer = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        }
    }
}
