//! A ticket in the agents' list and in detail, who may read it, and the allowed methods.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{ApiServer, Backend, QUEUE, ScratchDatabase, TICKETS, TestUser, on_both_databases};

on_both_databases! {
    async fn a_ticket_looks_as_the_contract_says(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let ticket_ref = server.create_ticket(&john, "A question").await;
        let path = format!("{TICKETS}/{}", ticket_ref.id);
        server.put(&sarah, &format!("{path}/assign"), json!({ "assigned_to": "sarah" })).await;
        server.post(&sarah, &format!("{path}/reply"), json!({ "message": "A note", "is_internal": true })).await;
        server.post(&sarah, &format!("{path}/reply"), json!({ "message": "Hi John" })).await;
        let done = json!({ "status": "resolved", "resolution_notes": "Sent again" });
        server.put(&sarah, &format!("{path}/status"), done).await;
        // The directory stores callers in the background: read until they are in the answer.
        let detail = loop {
            let seen = server.get(&sarah, &path).await;
            if seen.body["data"]["user"].is_object() && seen.body["data"]["assigned_admin"]["email"].is_string() {
                break seen;
            }
        };
        allow_duplicates! { assert_snapshot!(detail.snapshot(), @r#"
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
                "assigned_to": "sarah",
                "attachments": null,
                "conversation_id": null,
                "createdAt": "[timestamp]",
                "description": "It keeps failing",
                "device_metadata": {
                  "platform": "unknown"
                },
                "email": "john@example.com",
                "feedback": null,
                "first_response_at": "[timestamp]",
                "has_more": false,
                "id": "[id]",
                "internal_notes": null,
                "ip_address": "127.0.0.1",
                "last_response_at": "[timestamp]",
                "message_count": 3,
                "messages": [
                  {
                    "attachments": null,
                    "createdAt": "[timestamp]",
                    "id": "[id]",
                    "is_from_user": true,
                    "is_internal": false,
                    "message": "It keeps failing",
                    "position": 3,
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
                    "position": 5,
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
                    "position": 6,
                    "sender_email": "sarah@example.com",
                    "sender_name": "Sarah Johnson",
                    "seq": 2,
                    "user_id": "sarah"
                  }
                ],
                "phone_number": "+2348012345678",
                "priority": "low",
                "related_registration_progress_id": null,
                "related_transaction": null,
                "related_transaction_id": null,
                "resolution_notes": "Sent again",
                "resolved_at": "[timestamp]",
                "resolved_by": "sarah",
                "resolved_by_admin": {
                  "email": "sarah@example.com",
                  "first_name": "Sarah",
                  "id": "sarah",
                  "last_name": "Johnson"
                },
                "response_time_seconds": 0,
                "satisfaction_rating": null,
                "session_id": null,
                "status": "resolved",
                "subject": "A question",
                "support_type": "GENERAL_INQUIRY",
                "tags": [],
                "ticket_number": "SMI-year-000001",
                "total_messages": 3,
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
              "message": "Ticket fetched",
              "success": true
            }
            "#) };
        let mut list = server.get(&sarah, TICKETS).await;
        list.body["data"].as_object_mut().unwrap().remove("analytics");
        allow_duplicates! { assert_snapshot!(list.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "meta": {
                  "limit": 20,
                  "page": 1,
                  "total": 1,
                  "total_pages": 1
                },
                "tickets": [
                  {
                    "assigned_admin": {
                      "email": "sarah@example.com",
                      "first_name": "Sarah",
                      "id": "sarah",
                      "last_name": "Johnson"
                    },
                    "assigned_to": "sarah",
                    "conversation_id": null,
                    "createdAt": "[timestamp]",
                    "email": "john@example.com",
                    "first_response_at": "[timestamp]",
                    "id": "[id]",
                    "last_response_at": "[timestamp]",
                    "message_count": 3,
                    "phone_number": "+2348012345678",
                    "priority": "low",
                    "resolved_at": "[timestamp]",
                    "response_time_seconds": 0,
                    "satisfaction_rating": null,
                    "status": "resolved",
                    "subject": "A question",
                    "support_type": "GENERAL_INQUIRY",
                    "tags": [],
                    "ticket_number": "SMI-year-000001",
                    "updatedAt": "[timestamp]",
                    "user": {
                      "email": "john@example.com",
                      "first_name": "John",
                      "id": "john",
                      "last_name": "Doe",
                      "phone_number": "+2348012345678",
                      "profile_image": null,
                      "smipay_tag": null
                    },
                    "user_id": "john"
                  }
                ]
              },
              "message": "Tickets fetched",
              "success": true
            }
            "#) };
        let page = server.get(&sarah, &format!("{path}?after_position=3&limit=1")).await;
        assert_eq!(page.body["data"]["messages"][0]["message"], "A note");
        assert_eq!(page.body["data"]["has_more"], true);
    }

    async fn a_conversations_ticket_shows_the_conversations_messages(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let conversation = server.open_conversation(&john).await;
        let answer = server.create_ticket_from(&sarah, &conversation).await;
        let id = answer.body["data"]["ticket"]["id"].as_str().unwrap();
        server.agent_action(&sarah, &conversation, "reply", Some(json!({ "message": "Hi John" }))).await;
        let ticket = server.get(&sarah, &format!("{TICKETS}/{id}")).await.body["data"].clone();
        let detail = server.get(&sarah, &format!("{QUEUE}/{conversation}")).await.body["data"].clone();
        assert_eq!(ticket["messages"], detail["messages"]);
        assert_eq!(ticket["message_count"], 2);
        assert_eq!(ticket["conversation_id"], conversation.as_str());
        // A reply in the conversation counts as a response to the ticket.
        assert_eq!(ticket["first_response_at"], ticket["messages"][1]["createdAt"]);
    }
}

/// Every endpoint by every kind of caller: who is admitted, and how the others are refused.
#[tokio::test]
async fn only_agents_may() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
    let conversation = server.open_conversation(&john).await;
    let id = server.create_ticket(&john, "A question").await.id;
    for (method, path) in [
        (Method::GET, TICKETS.to_owned()),
        (Method::GET, format!("{TICKETS}/{id}")),
        (Method::POST, format!("{TICKETS}/{id}/reply")),
        (Method::PUT, format!("{TICKETS}/{id}/status")),
        (Method::PUT, format!("{TICKETS}/{id}/assign")),
        (Method::PUT, format!("{TICKETS}/{id}/priority")),
        (Method::POST, format!("{QUEUE}/{conversation}/create-ticket")),
    ] {
        let ask = |user: &TestUser| server.request(method.clone(), user, &path).send(Some(json!({})));
        let anonymous = ask(&TestUser::anonymous()).await;
        assert_eq!((anonymous.status, anonymous.message()), (StatusCode::UNAUTHORIZED, "Unauthorized"), "{path}");
        let owner = ask(&john).await;
        assert_eq!((owner.status, owner.message()), (StatusCode::FORBIDDEN, "Admin access required"), "{path}");
        let agent = ask(&sarah).await;
        let may = if method == Method::GET { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        assert_eq!(agent.status, may, "{path}");
        let wrong = server.request(Method::DELETE, &sarah, &path).send(None).await;
        assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let allowed = if method == Method::GET { "GET, HEAD" } else { method.as_str() };
        assert_eq!(wrong.headers["allow"], allowed, "{path}");
        if method == Method::GET {
            let head = server.request(Method::HEAD, &sarah, &path).send(None).await;
            assert_eq!((head.status, head.body), (StatusCode::OK, json!("")), "{path}");
        }
    }
}

#[tokio::test]
async fn an_unknown_ticket_is_not_found() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
    // A conversation's id is no ticket id.
    let conversation = server.open_conversation(&john).await;
    let ticket_ref = server.create_ticket(&john, "A question").await;
    for id in ["01900000-0000-7000-8000-000000000000", "nonsense", &ticket_ref.number, &conversation] {
        for (method, path, body) in [
            (Method::GET, String::new(), json!({})),
            (Method::POST, "/reply".to_owned(), json!({ "message": "Hi" })),
            (Method::PUT, "/status".to_owned(), json!({ "status": "closed" })),
            (Method::PUT, "/assign".to_owned(), json!({ "assigned_to": "sarah" })),
            (Method::PUT, "/assign".to_owned(), json!({ "assigned_to": "stranger" })),
            (Method::PUT, "/priority".to_owned(), json!({ "priority": "low" })),
        ] {
            let answer = server.request(method, &sarah, &format!("{TICKETS}/{id}{path}")).send(Some(body)).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Ticket not found"), "{id}{path}");
        }
    }
}
