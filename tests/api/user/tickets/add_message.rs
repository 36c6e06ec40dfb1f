//! `POST /api/v1/support/ticket/add-message`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{
    ADD_MESSAGE, Answer, ApiServer, Backend, MY_CONVERSATIONS, ScratchDatabase, TICKET, TICKETS, TestUser, TicketRef,
    on_both_databases,
};

async fn add(server: &ApiServer, person: &TestUser, made: &TicketRef, email: Option<&str>) -> Answer {
    let body = json!({ "ticket_number": made.number, "message": " More of it ", "email": email });
    server.post(person, ADD_MESSAGE, body).await
}

on_both_databases! {
    async fn a_guest_adds_a_message(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let made = server.create_guest_ticket("john@example.com").await;
        let answer = add(&server, &TestUser::anonymous(), &made, Some("John@example.com")).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "message": {
                  "attachments": null,
                  "created_at": "[timestamp]",
                  "id": "[id]",
                  "is_from_user": true,
                  "message": "More of it",
                  "sender_email": "john@example.com",
                  "sender_name": null,
                  "seq": 2
                },
                "ticket_id": "[id]",
                "ticket_number": "SMI-year-000001"
              },
              "message": "Message sent",
              "success": true
            }
            "#) };
        let seen = server.get(&TestUser::agent("sarah"), &format!("{TICKETS}/{}", made.id)).await;
        assert_eq!(seen.body["data"]["message_count"], 2);
        assert_eq!(seen.body["data"]["messages"][1]["id"], answer.body["data"]["message"]["id"]);
        // A customer's message is no answer of support.
        assert_eq!(seen.body["data"]["status"], "pending");
        assert_eq!(seen.body["data"]["last_response_at"], json!(null));
    }

    async fn whose_the_ticket_is_decides_who_may_add(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, mallory, nobody) = (TestUser::customer("john"), TestUser::customer("mallory"), TestUser::anonymous());
        let johns = server.create_ticket(&john, "John's").await;
        let guests = server.create_guest_ticket("john@example.com").await;
        for (person, made, email, may) in [
            (&john, &johns, None, true),
            (&john, &johns, Some("whatever@example.com"), true),
            (&john, &guests, None, true),
            (&mallory, &johns, None, false),
            // With a token the address in the body shows nothing.
            (&mallory, &johns, Some("john@example.com"), false),
            (&mallory, &guests, Some("john@example.com"), false),
            (&nobody, &johns, Some("john@example.com"), true),
            (&nobody, &johns, Some("mallory@example.com"), false),
            (&nobody, &guests, Some("mallory@example.com"), false),
        ] {
            let answer = add(&server, person, made, email).await;
            if may {
                assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
            } else {
                assert_eq!(
                    (answer.status, answer.message()),
                    (StatusCode::BAD_REQUEST, "Email does not match the ticket owner")
                );
            }
        }
        let unknown = json!({ "ticket_number": "SMI-2026-999999", "message": "x", "email": "john@example.com" });
        let answer = server.post(&nobody, ADD_MESSAGE, unknown).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Ticket SMI-2026-999999 not found"));
    }

    async fn a_ticket_that_is_done_takes_no_message(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let made = server.create_ticket(&john, "John's").await;
        for status in ["resolved", "closed"] {
            server.set_status(&sarah, &made, status).await;
            let answer = add(&server, &john, &made, None).await;
            assert_eq!(
                (answer.status, answer.message()),
                (StatusCode::BAD_REQUEST, "Cannot add messages to a closed or resolved ticket")
            );
            assert_eq!(answer.body["code"], "TICKET_CLOSED");
        }
        for status in ["pending", "in_progress", "waiting_user", "escalated"] {
            server.set_status(&sarah, &made, status).await;
            assert_eq!(add(&server, &john, &made, None).await.status, StatusCode::CREATED, "{status}");
        }
    }

    async fn a_message_of_a_conversations_ticket_is_the_conversations(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let conversation = server.open_conversation(&john).await;
        let made = TicketRef::from_answer(&server.create_ticket_from(&sarah, &conversation).await);
        assert_eq!(add(&server, &john, &made, None).await.status, StatusCode::CREATED);
        let seen = server.get(&john, &format!("{MY_CONVERSATIONS}/{conversation}")).await;
        assert_eq!(seen.body["data"]["conversation"]["messages"][1]["message"], "More of it");
        assert_eq!(seen.body["data"]["conversation"]["status"], "waiting_support");
        let ticket = server.get(&john, &format!("{TICKET}?ticket_number={}", made.number)).await;
        assert_eq!(ticket.body["data"]["ticket"]["total_messages"], 2);
        assert_eq!(ticket.body["data"]["ticket"]["conversation_id"], conversation.as_str());
        server.agent_action(&sarah, &conversation, "close", None).await;
        let answer = add(&server, &john, &made, None).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, "This conversation has been closed"));
    }

    async fn a_repeat_under_the_same_name_adds_no_second_message(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let made = server.create_guest_ticket("john@example.com").await;
        let body = |name: &str| json!({
            "ticket_number": made.number, "message": "Once", "email": "john@example.com", "client_message_id": name,
        });
        let first = server.post(&TestUser::anonymous(), ADD_MESSAGE, body("0123456789abcdef")).await;
        server.set_status(&TestUser::agent("sarah"), &made, "closed").await;
        let again = server.post(&TestUser::anonymous(), ADD_MESSAGE, body("0123456789abcdef")).await;
        assert_eq!((first.status, &first.body), (again.status, &again.body));
        let short = server.post(&TestUser::anonymous(), ADD_MESSAGE, body("0123456789abcde")).await;
        assert_eq!(short.message(), "client_message_id must be at least 16 characters");
        // Whoever has a token may give short names.
        let mike = server.create_ticket(&TestUser::customer("mike"), "Mike's").await;
        let body = json!({ "ticket_number": mike.number, "message": "Once", "client_message_id": "1" });
        assert_eq!(server.post(&TestUser::customer("mike"), ADD_MESSAGE, body).await.status, StatusCode::CREATED);
    }
}
