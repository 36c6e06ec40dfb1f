//! `POST …/:id/reply`, `PUT …/:id/status`, `/assign`, `/priority`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ApiServer, Backend, ScratchDatabase, TICKET, TICKETS, TestUser, on_both_databases};

async fn seen(server: &ApiServer, id: &str) -> Value {
    server.get(&TestUser::agent("sarah"), &format!("{TICKETS}/{id}")).await.body["data"].clone()
}

on_both_databases! {
    async fn the_first_reply_sets_the_ticket_in_progress_and_a_note_does_not(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah, mike) = (TestUser::customer("john"), TestUser::agent("sarah"), TestUser::agent("mike"));
        let ticket_ref = server.create_ticket(&john, "A question").await;
        let reply = format!("{TICKETS}/{}/reply", ticket_ref.id);
        let note = server.post(&mike, &reply, json!({ "message": "A note", "is_internal": true })).await;
        assert_eq!(note.body["data"]["is_internal"], true);
        let untouched = seen(&server, &ticket_ref.id).await;
        assert_eq!(untouched["status"], "pending");
        assert_eq!(untouched["first_response_at"], json!(null));
        assert_eq!(untouched["message_count"], 2);
        let mine = server.get(&john, &format!("{TICKET}?ticket_number={}", ticket_ref.number)).await;
        assert_eq!(mine.body["data"]["ticket"]["total_messages"], 1);
        let answer = server.post(&sarah, &reply, json!({ "message": " Hi John " })).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "createdAt": "[timestamp]",
                "id": "[id]",
                "is_from_user": false,
                "is_internal": false,
                "message": "Hi John",
                "sender_name": "Sarah Johnson"
              },
              "message": "Reply sent",
              "success": true
            }
            "#) };
        let begun = seen(&server, &ticket_ref.id).await;
        assert_eq!(begun["status"], "in_progress");
        assert_eq!(begun["first_response_at"], answer.body["data"]["createdAt"]);
        assert!(begun["response_time_seconds"].as_i64().unwrap() < 60);
        // A reply assigns it to no one, and any agent may reply.
        assert_eq!(begun["assigned_to"], json!(null));
        let second = server.post(&mike, &reply, json!({ "message": "Me too" })).await;
        let later = seen(&server, &ticket_ref.id).await;
        assert_eq!(later["first_response_at"], begun["first_response_at"]);
        assert_eq!(later["last_response_at"], second.body["data"]["createdAt"]);
    }

    async fn a_repeated_reply_is_stored_once(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let ticket_ref = server.create_ticket(&john, "A question").await;
        let reply = format!("{TICKETS}/{}/reply", ticket_ref.id);
        let body = json!({ "message": "Hi", "client_message_id": "1" });
        let first = server.post(&sarah, &reply, body.clone()).await;
        let again = server.post(&sarah, &reply, body).await;
        assert_eq!((first.status, &first.body), (again.status, &again.body));
        assert_eq!(seen(&server, &ticket_ref.id).await["message_count"], 2);
    }

    async fn a_status_is_set_with_resolution_notes(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let ticket_ref = server.create_ticket(&john, "A question").await;
        let path = format!("{TICKETS}/{}/status", ticket_ref.id);
        for status in ["in_progress", "waiting_user", "escalated", "resolved", "closed", "pending"] {
            let answer = server.put(&sarah, &path, json!({ "status": status })).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::OK, format!("Ticket {status}").as_str()));
            assert_eq!(answer.body["data"]["status"], status);
            let is_done = ["resolved", "closed"].contains(&status);
            assert_eq!(answer.body["data"]["resolved_at"].is_string(), is_done, "{status}");
            let detail = seen(&server, &ticket_ref.id).await;
            assert_eq!(detail["resolved_by"], if is_done { json!("sarah") } else { json!(null) });
            assert_eq!(detail["resolved_by_admin"]["first_name"], if is_done { json!("Sarah") } else { json!(null) });
        }
        let done = json!({ "status": "resolved", "resolution_notes": " Sent again " });
        let answer = server.put(&sarah, &path, done).await;
        allow_duplicates! { assert_snapshot!(without_user(answer.body["data"].clone(), answer), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "assigned_to": null,
                "conversation_id": null,
                "createdAt": "[timestamp]",
                "email": "john@example.com",
                "first_response_at": null,
                "id": "[id]",
                "last_response_at": null,
                "message_count": 1,
                "phone_number": "+2348012345678",
                "priority": "low",
                "resolved_at": "[timestamp]",
                "response_time_seconds": null,
                "satisfaction_rating": null,
                "status": "resolved",
                "subject": "A question",
                "support_type": "GENERAL_INQUIRY",
                "tags": [],
                "ticket_number": "SMI-year-000001",
                "updatedAt": "[timestamp]",
                "user_id": "john"
              },
              "message": "Ticket resolved",
              "success": true
            }
            "#) };
        assert_eq!(seen(&server, &ticket_ref.id).await["resolution_notes"], "Sent again");
    }

    async fn a_ticket_is_assigned_to_an_agent_of_the_directory(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah, mike) = (TestUser::customer("john"), TestUser::agent("sarah"), TestUser::agent("mike"));
        let ticket_ref = server.create_ticket(&john, "A question").await;
        let path = format!("{TICKETS}/{}/assign", ticket_ref.id);
        // An agent who is new may assign it to themselves at once.
        let mine = server.put(&sarah, &path, json!({ "assigned_to": "sarah" })).await;
        assert_eq!((mine.status, mine.message()), (StatusCode::OK, "Ticket assigned"));
        assert_eq!(mine.body["data"]["assigned_to"], "sarah");
        assert_eq!(mine.body["data"]["assigned_admin"]["first_name"], "Sarah");
        // John is in the directory, but as a customer.
        for unknown in ["john", "stranger", &"x".repeat(129)] {
            let answer = server.put(&sarah, &path, json!({ "assigned_to": unknown })).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Assignee not found"));
        }
        assert_eq!(seen(&server, &ticket_ref.id).await["assigned_to"], "sarah");
        server.get(&mike, TICKETS).await;
        let answer = loop {
            let answer = server.put(&sarah, &path, json!({ "assigned_to": "mike" })).await;
            if answer.status == StatusCode::OK {
                break answer;
            }
        };
        assert_eq!(answer.body["data"]["assigned_to"], "mike");
    }

    async fn a_priority_is_changed(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let ticket_ref = server.create_ticket(&john, "A question").await;
        for priority in ["low", "medium", "high", "urgent", "urgent"] {
            let path = format!("{TICKETS}/{}/priority", ticket_ref.id);
            let answer = server.put(&sarah, &path, json!({ "priority": priority })).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::OK, "Priority updated"));
            assert_eq!(answer.body["data"]["priority"], priority);
        }
        assert_eq!(seen(&server, &ticket_ref.id).await["priority"], "urgent");
    }
}

/// The row, without what the directory may not have stored yet.
fn without_user(mut card: Value, mut answer: crate::support::Answer) -> String {
    for key in ["user", "assigned_admin"] {
        card.as_object_mut().unwrap().remove(key);
    }
    answer.body["data"] = card;
    answer.snapshot()
}

#[tokio::test]
async fn a_form_that_breaks_its_rule_is_named() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let sarah = TestUser::agent("sarah");
    let ticket_ref = server.create_ticket(&TestUser::customer("john"), "A question").await;
    for (action, body, message) in [
        ("status", json!({}), "status must be one of pending, in_progress, waiting_user, resolved, closed, escalated"),
        (
            "status",
            json!({ "status": "open" }),
            "status must be one of pending, in_progress, waiting_user, resolved, closed, escalated",
        ),
        (
            "status",
            json!({ "status": "closed", "resolution_notes": "👋".repeat(5001) }),
            "resolution_notes must be at most 5000 characters",
        ),
        ("assign", json!({}), "assigned_to must not be empty"),
        ("assign", json!({ "assigned_to": " " }), "assigned_to must not be empty"),
        ("assign", json!({ "assigned_to": 1 }), "assigned_to has the wrong type"),
        ("priority", json!({ "priority": null }), "priority must be one of low, medium, high, urgent"),
    ] {
        let answer = server.put(&sarah, &format!("{TICKETS}/{}/{action}", ticket_ref.id), body).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, message));
        assert_eq!(answer.body["details"].as_array().unwrap().len(), 1);
    }
    let reply = format!("{TICKETS}/{}/reply", ticket_ref.id);
    for (length, status) in [(0, StatusCode::BAD_REQUEST), (5001, StatusCode::BAD_REQUEST), (5000, StatusCode::CREATED)]
    {
        let answer = server.post(&sarah, &reply, json!({ "message": "👋".repeat(length) })).await;
        assert_eq!(answer.status, status, "{length}");
    }
    let notes = json!({ "status": "closed", "resolution_notes": "👋".repeat(5000) });
    let answer = server.put(&sarah, &format!("{TICKETS}/{}/status", ticket_ref.id), notes).await;
    assert_eq!(answer.status, StatusCode::OK);
}
