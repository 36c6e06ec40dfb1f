//! `claim`, `reply`, `close`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{ApiServer, Backend, QUEUE, ScratchDatabase, TestUser, on_both_databases};

on_both_databases! {
    async fn a_claim_answers_with_the_owner(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let id = server.open_conversation(&TestUser::customer("john")).await;
        let (sarah, mike) = (TestUser::agent("sarah"), TestUser::agent("mike"));
        let first = server.agent_action(&sarah, &id, "claim", None).await;
        allow_duplicates! { assert_snapshot!(first.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "assigned_admin_name": "Sarah Johnson",
                "assigned_to": "sarah",
                "conversation_id": "[id]"
              },
              "message": "Conversation claimed",
              "success": true
            }
            "#) };
        let again = server.agent_action(&sarah, &id, "claim", None).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        let second = server.agent_action(&mike, &id, "claim", None).await;
        allow_duplicates! { assert_snapshot!(second.snapshot(), @r#"
            400 Bad Request
            content-type: application/json

            {
              "code": "ALREADY_ASSIGNED",
              "error": "Bad Request",
              "message": "This conversation is already assigned to another support agent. Use the handover flow to request a transfer.",
              "statusCode": 400,
              "success": false
            }
            "#) };
    }

    async fn a_reply_claims_and_has_the_contracts_form(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let id = server.open_conversation(&TestUser::customer("john")).await;
        let answer = server.agent_action(&TestUser::agent("sarah"), &id, "reply", Some(json!({ "message": "Hi" }))).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "createdAt": "[timestamp]",
                "id": "[id]",
                "is_from_user": false,
                "is_internal": false,
                "message": "Hi",
                "position": 4,
                "sender_email": "sarah@example.com",
                "sender_name": "Sarah Johnson",
                "seq": 2
              },
              "message": "Reply sent",
              "success": true
            }
            "#) };
        let other = server.agent_action(&TestUser::agent("mike"), &id, "reply", Some(json!({ "message": "Hi" }))).await;
        allow_duplicates! { assert_snapshot!(other.snapshot(), @r#"
            403 Forbidden
            content-type: application/json

            {
              "code": "FORBIDDEN",
              "error": "Forbidden",
              "message": "This conversation is assigned to another support agent. Request a handover to take it over.",
              "statusCode": 403,
              "success": false
            }
            "#) };
    }

    async fn any_agent_may_write_a_note_and_it_has_no_seq(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let id = server.open_conversation(&TestUser::customer("john")).await;
        server.agent_action(&TestUser::agent("sarah"), &id, "claim", None).await;
        let note = json!({ "message": "Careful", "is_internal": true });
        let answer = server.agent_action(&TestUser::agent("mike"), &id, "reply", Some(note)).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "createdAt": "[timestamp]",
                "id": "[id]",
                "is_from_user": false,
                "is_internal": true,
                "message": "Careful",
                "position": 4,
                "sender_email": "mike@example.com",
                "sender_name": "Sarah Johnson",
                "seq": null
              },
              "message": "Reply sent",
              "success": true
            }
            "#) };
        let seen = server.get(&TestUser::agent("mike"), &format!("{QUEUE}/{id}")).await;
        assert_eq!(seen.body["data"]["assigned_to"], "sarah");
        assert_eq!(seen.body["data"]["last_message"]["message"], "Hello");
    }

    async fn a_closed_conversation_admits_no_action(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let id = server.open_conversation(&TestUser::customer("john")).await;
        let sarah = TestUser::agent("sarah");
        let answer = server.agent_action(&sarah, &id, "close", None).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "conversation_id": "[id]"
              },
              "message": "Conversation closed",
              "success": true
            }
            "#) };
        for (action, body, message) in [
            ("close", None, "Conversation is already closed"),
            ("claim", None, "Cannot claim a closed conversation"),
            ("reply", Some(json!({ "message": "Hi" })), "Cannot reply to a closed conversation"),
            ("reply", Some(json!({ "message": "Hi", "is_internal": true })), "Cannot reply to a closed conversation"),
        ] {
            let answer = server.agent_action(&sarah, &id, action, body).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, message), "{action}");
            assert_eq!(answer.body["code"], "CONVERSATION_CLOSED");
        }
    }
}

/// Every endpoint by every kind of caller: who is admitted, and how the others are refused.
#[tokio::test]
async fn only_agents_may() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    let id = server.open_conversation(&john).await;
    for action in ["claim", "reply", "close"] {
        let body = Some(json!({ "message": "Hi" }));
        let anonymous = server.agent_action(&TestUser::anonymous(), &id, action, body.clone()).await;
        assert_eq!((anonymous.status, anonymous.message()), (StatusCode::UNAUTHORIZED, "Unauthorized"), "{action}");
        let owner = server.agent_action(&john, &id, action, body).await;
        assert_eq!((owner.status, owner.message()), (StatusCode::FORBIDDEN, "Admin access required"), "{action}");
    }
    for path in [QUEUE.to_owned(), format!("{QUEUE}/{id}")] {
        assert_eq!(server.get(&TestUser::anonymous(), &path).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.get(&john, &path).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_request_without_fields_takes_an_empty_body_of_any_type() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
    for content_type in [None, Some("application/json")] {
        let id = server.open_conversation(&john).await;
        let mut request = server.request(reqwest::Method::POST, &sarah, &format!("{QUEUE}/{id}/claim"));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        assert_eq!(request.send(None).await.status, StatusCode::CREATED, "{content_type:?}");
    }
}

#[tokio::test]
async fn an_unknown_conversation_is_not_found() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let sarah = TestUser::agent("sarah");
    for id in ["01900000-0000-7000-8000-000000000000", "nonsense"] {
        for (action, body) in [("claim", None), ("close", None), ("reply", Some(json!({ "message": "Hi" })))] {
            let answer = server.agent_action(&sarah, id, action, body).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
        }
        let answer = server.get(&sarah, &format!("{QUEUE}/{id}")).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
    }
}
