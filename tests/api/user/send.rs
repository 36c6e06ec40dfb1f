//! `POST /api/v1/support/chat/send`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, TestUser, on_both_databases};

on_both_databases! {
    async fn a_first_message_makes_a_conversation(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let body = json!({ "message": "  Hi, sending fails.\n", "device_metadata": { "platform": "ios" } });
        let answer = server.post(&TestUser::customer("john"), SEND, body).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "conversation": {
                  "assigned_admin_name": null,
                  "created_at": "[timestamp]",
                  "email": "john@example.com",
                  "feedback": null,
                  "id": "[id]",
                  "last_message_at": "[timestamp]",
                  "messages": [
                    {
                      "attachments": null,
                      "createdAt": "[timestamp]",
                      "created_at": "[timestamp]",
                      "id": "[id]",
                      "is_from_user": true,
                      "message": "Hi, sending fails.",
                      "sender_email": "john@example.com",
                      "sender_name": "John Doe",
                      "seq": 1
                    }
                  ],
                  "phone_number": "+2348012345678",
                  "satisfaction_rating": null,
                  "status": "active",
                  "ticket": null,
                  "total_messages": 1,
                  "updated_at": "[timestamp]"
                },
                "is_new": true
              },
              "message": "Message sent",
              "success": true
            }
            "#) };
    }

    async fn a_further_message_goes_into_it(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let id = server.open_conversation(&john).await;
        let answer = server.post(&john, SEND, json!({ "message": "More", "conversation_id": id })).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "conversation_id": "[id]",
                "is_new": false,
                "message": {
                  "attachments": null,
                  "createdAt": "[timestamp]",
                  "created_at": "[timestamp]",
                  "id": "[id]",
                  "is_from_user": true,
                  "message": "More",
                  "sender_email": "john@example.com",
                  "sender_name": "John Doe",
                  "seq": 2
                }
              },
              "message": "Message sent",
              "success": true
            }
            "#) };
        let list = server.get(&john, MY_CONVERSATIONS).await;
        assert_eq!(list.body["data"]["conversations"][0]["status"], "waiting_support");
    }

    async fn only_the_owner_may_write_into_a_conversation(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let id = server.open_conversation(&TestUser::customer("john")).await;
        let body = json!({ "message": "Hello", "conversation_id": id });
        let stranger = server.post(&TestUser::customer("mallory"), SEND, body.clone()).await;
        allow_duplicates! { assert_snapshot!(stranger.snapshot(), @r#"
            400 Bad Request
            content-type: application/json

            {
              "code": "ACCESS_DENIED",
              "error": "Bad Request",
              "message": "Access denied",
              "statusCode": 400,
              "success": false
            }
            "#) };
        let anonymous = server.post(&TestUser::anonymous(), SEND, body).await;
        allow_duplicates! { assert_snapshot!(anonymous.snapshot(), @r#"
            401 Unauthorized
            www-authenticate: Bearer
            content-type: application/json

            {
              "code": "UNAUTHORIZED",
              "error": "Unauthorized",
              "message": "Unauthorized",
              "statusCode": 401,
              "success": false
            }
            "#) };
    }

    async fn a_closed_conversation_accepts_no_message(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        assert_eq!(server.agent_action(&sarah, &id, "close", None).await.status, StatusCode::CREATED);
        let answer = server.post(&john, SEND, json!({ "message": "More", "conversation_id": id })).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            400 Bad Request
            content-type: application/json

            {
              "code": "CONVERSATION_CLOSED",
              "error": "Bad Request",
              "message": "This conversation has been closed",
              "statusCode": 400,
              "success": false
            }
            "#) };
    }

    async fn device_headers_are_stored_as_device_metadata(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let all = [
            ("x-device-id", "abc"), ("x-device-fingerprint", "f1"), ("x-device-name", "John's"),
            ("x-device-model", "iPhone15,2"), ("Platform", "iOS"), ("x-os-name", "iOS"), ("x-os-version", "17.2"),
            ("x-app-version", "2.1.0"),
        ];
        let known = json!({
            "device_id": "abc", "device_fingerprint": "f1", "device_name": "John's", "device_model": "iPhone15,2",
            "platform": "ios", "os_name": "iOS", "os_version": "17.2", "app_version": "2.1.0",
        });
        // The headers that were sent, and the platform that agents need.
        for (headers, known) in [
            (&all[..], known),
            (&all[..1], json!({ "device_id": "abc", "platform": "unknown" })),
            (&[], json!({ "platform": "unknown" })),
        ] {
            let request = server.request(reqwest::Method::POST, &TestUser::customer("john"), SEND);
            let request = headers.iter().fold(request.header("user-agent", "app/2.1"), |request, (name, value)| {
                request.header(name, value)
            });
            let id = request.send(Some(json!({ "message": "Hello" }))).await.body["data"]["conversation"]["id"].clone();
            let seen = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}/{}", id.as_str().unwrap())).await;
            let seen = &seen.body["data"];
            assert_eq!(seen["device_metadata"], known);
            assert_eq!((&seen["user_agent"], &seen["ip_address"]), (&json!("app/2.1"), &json!("127.0.0.1")));
        }
    }
}

/// Every validation rule, at its limit.
#[tokio::test]
async fn a_field_that_breaks_its_rule_is_named() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    let text = |length: usize| "👋".repeat(length);
    for (body, refused) in [
        (json!({ "message": text(5000) }), None),
        (json!({ "message": text(5001) }), Some(("message", "message must be at most 5000 characters"))),
        (json!({ "message": " \n " }), Some(("message", "message must not be empty"))),
        (json!({ "message": null }), Some(("message", "message must not be empty"))),
        (json!({}), Some(("message", "message must not be empty"))),
        (json!({ "message": 5 }), Some(("message", "message has the wrong type"))),
        (json!({ "message": "a\u{0}b" }), None),
        (json!({ "message": "a", "client_message_id": "x".repeat(64) }), None),
        (
            json!({ "message": "a", "client_message_id": "x".repeat(65) }),
            Some(("client_message_id", "client_message_id must be at most 64 characters")),
        ),
        (
            json!({ "message": "a", "device_metadata": [] }),
            Some(("device_metadata", "device_metadata has the wrong type")),
        ),
        (
            json!({ "message": "a", "device_metadata": { "x": "y".repeat(4096) } }),
            Some(("device_metadata", "device_metadata must be an object of at most 4096 bytes of JSON")),
        ),
    ] {
        let answer = server.post(&john, SEND, body.clone()).await;
        match refused {
            None => assert_eq!(answer.status, StatusCode::CREATED, "{body}"),
            Some((field, message)) => {
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
                assert_eq!(answer.body["details"], json!([{ "field": field, "message": message }]), "{body}");
                assert_eq!(answer.message(), message);
            }
        }
    }
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_not_found() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    for id in ["conv-1", "", "01900000-0000-7000-8000-000000000000"] {
        let answer =
            server.post(&TestUser::customer("john"), SEND, json!({ "message": "Hello", "conversation_id": id })).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"), "{id:?}");
    }
}

#[tokio::test]
async fn refusals_follow_the_order_of_the_contract() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let bad = json!({ "message": "", "conversation_id": "01900000-0000-7000-8000-000000000000" });
    // 401 precedes validation, validation precedes 404.
    assert_eq!(server.post(&TestUser::anonymous(), SEND, bad.clone()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.post(&TestUser::customer("john"), SEND, bad).await.status, StatusCode::BAD_REQUEST);
    // 403 for the role precedes validation and 404.
    let path = format!("{QUEUE}/nonsense/reply");
    let answer = server.post(&TestUser::customer("john"), &path, Value::Null).await;
    assert_eq!((answer.status, answer.message()), (StatusCode::FORBIDDEN, "Admin access required"));
}
