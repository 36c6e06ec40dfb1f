//! `GET …/conversations/:id/timeline`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{ApiServer, Backend, QUEUE, SEND, ScratchDatabase, TestUser, on_both_databases};

async fn positions(server: &ApiServer, id: &str, query: &str) -> (Vec<u64>, bool) {
    let answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}/{id}/timeline{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let events = answer.body["data"]["events"].as_array().unwrap();
    let has_more = answer.body["data"]["has_more"].as_bool().unwrap();
    (events.iter().map(|event| event["position"].as_u64().unwrap()).collect(), has_more)
}

on_both_databases! {
    async fn the_timeline_lists_all_events_in_order(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        server.agent_action(&sarah, &id, "claim", None).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "Careful", "is_internal": true }))).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "x".repeat(101) }))).await;
        server.agent_action(&sarah, &id, "close", None).await;
        server.post(&john, &format!("/api/v1/support/conversations/{id}/rate"), json!({ "rating": 5 })).await;
        let answer = server.get(&sarah, &format!("{QUEUE}/{id}/timeline")).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "events": [
                  {
                    "actor_id": "john",
                    "actor_name": "John Doe",
                    "createdAt": "[timestamp]",
                    "data": {
                      "channel": "support"
                    },
                    "position": 1,
                    "type": "created"
                  },
                  {
                    "actor_id": "john",
                    "actor_name": "John Doe",
                    "createdAt": "[timestamp]",
                    "data": {
                      "is_from_user": true,
                      "message_id": "[id]",
                      "preview": "Hello",
                      "seq": 1
                    },
                    "position": 2,
                    "type": "message"
                  },
                  {
                    "actor_id": "sarah",
                    "actor_name": "Sarah Johnson",
                    "createdAt": "[timestamp]",
                    "data": {},
                    "position": 3,
                    "type": "claimed"
                  },
                  {
                    "actor_id": "sarah",
                    "actor_name": "Sarah Johnson",
                    "createdAt": "[timestamp]",
                    "data": {
                      "is_from_user": false,
                      "message_id": "[id]",
                      "preview": "Careful",
                      "seq": null
                    },
                    "position": 4,
                    "type": "note"
                  },
                  {
                    "actor_id": "sarah",
                    "actor_name": "Sarah Johnson",
                    "createdAt": "[timestamp]",
                    "data": {
                      "is_from_user": false,
                      "message_id": "[id]",
                      "preview": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                      "seq": 2
                    },
                    "position": 5,
                    "type": "message"
                  },
                  {
                    "actor_id": "sarah",
                    "actor_name": "Sarah Johnson",
                    "createdAt": "[timestamp]",
                    "data": {},
                    "position": 6,
                    "type": "closed"
                  },
                  {
                    "actor_id": "john",
                    "actor_name": "John Doe",
                    "createdAt": "[timestamp]",
                    "data": {
                      "feedback": null,
                      "rating": 5
                    },
                    "position": 7,
                    "type": "rated"
                  }
                ],
                "has_more": false
              },
              "message": "Timeline fetched",
              "success": true
            }
            "#) };
    }

    async fn a_timeline_is_read_in_pages(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        server.agent_action(&sarah, &id, "claim", None).await;
        server.agent_action(&sarah, &id, "reply", Some(json!({ "message": "A note", "is_internal": true }))).await;
        server.post(&john, SEND, json!({ "message": "More", "conversation_id": id })).await;
        server.agent_action(&sarah, &id, "close", None).await;
        for (query, expected, has_more) in [
            ("", vec![1, 2, 3, 4, 5, 6], false),
            ("?limit=2", vec![5, 6], true),
            ("?limit=6", vec![1, 2, 3, 4, 5, 6], false),
            ("?after_position=0&limit=3", vec![1, 2, 3], true),
            ("?after_position=3&limit=3", vec![4, 5, 6], false),
            ("?after_position=6", vec![], false),
            ("?after_position=99999999999", vec![], false),
            ("?before_position=4&limit=2", vec![2, 3], true),
            ("?before_position=3&limit=2", vec![1, 2], false),
            ("?before_position=0", vec![], false),
            ("?before_position=99999999999", vec![1, 2, 3, 4, 5, 6], false),
        ] {
            assert_eq!(positions(&server, &id, query).await, (expected, has_more), "{query}");
        }
    }
}

#[tokio::test]
async fn the_timeline_shows_the_newest_thousand_events_at_most() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
    let id = server.open_conversation(&john).await;
    // Positions 1 and 2 are the creation and the first message.
    for number in 3..=1001 {
        let body = json!({ "message": number.to_string(), "is_internal": true });
        server.agent_action(&sarah, &id, "reply", Some(body)).await;
    }
    let (shown, has_more) = positions(&server, &id, "").await;
    assert_eq!((shown, has_more), ((2..=1001).collect(), true));
    assert_eq!(positions(&server, &id, "?after_position=0&limit=1000").await, ((1..=200).collect(), true));
    for (query, field) in [
        ("?limit=0", "limit"),
        ("?after_position=x", "after_position"),
        ("?before_position=-1", "before_position"),
        ("?before_position=1&after_position=1", "after_position"),
    ] {
        let answer = server.get(&sarah, &format!("{QUEUE}/{id}/timeline{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.body["details"][0]["field"], field, "{query}");
    }
    for unknown in ["01900000-0000-7000-8000-000000000000", "nonsense"] {
        let answer = server.get(&sarah, &format!("{QUEUE}/{unknown}/timeline")).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
    }
}
