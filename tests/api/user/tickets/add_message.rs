//! `POST /api/v1/support/ticket/add-message`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{
    ADD_MESSAGE, Answer, ApiServer, Backend, MY_CONVERSATIONS, ScratchDatabase, TICKET, TICKETS, TestUser, TicketRef,
    on_both_databases,
};

async fn add(server: &ApiServer, user: &TestUser, ticket_ref: &TicketRef, email: Option<&str>) -> Answer {
    let body = json!({ "ticket_number": ticket_ref.number, "message": " More of it ", "email": email });
    server.post(user, ADD_MESSAGE, body).await
}

on_both_databases! {
    async fn a_guest_adds_a_message(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let ticket_ref = server.create_guest_ticket("john@example.com").await;
        let answer = add(&server, &TestUser::anonymous(), &ticket_ref, Some("John@example.com")).await;
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
        let seen = server.get(&TestUser::agent("sarah"), &format!("{TICKETS}/{}", ticket_ref.id)).await;
        assert_eq!(seen.body["data"]["message_count"], 2);
        assert_eq!(seen.body["data"]["messages"][1]["id"], answer.body["data"]["message"]["id"]);
        // A customer's message is no response of support.
        assert_eq!(seen.body["data"]["status"], "pending");
        assert_eq!(seen.body["data"]["last_response_at"], json!(null));
    }

    async fn only_the_owner_of_a_ticket_may_add_messages(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, mallory, anonymous) = (TestUser::customer("john"), TestUser::customer("mallory"), TestUser::anonymous());
        let johns = server.create_ticket(&john, "John's").await;
        let guests = server.create_guest_ticket("john@example.com").await;
        for (user, ticket_ref, email, may) in [
            (&john, &johns, None, true),
            (&john, &johns, Some("whatever@example.com"), false),
            (&john, &johns, Some("mallory@example.com"), false),
            (&john, &johns, Some("no address"), false),
            (&john, &johns, Some(" JOHN@example.com "), true),
            (&john, &johns, Some(" "), true),
            (&john, &guests, None, true),
            (&mallory, &johns, None, false),
            // An address does not replace the token.
            (&mallory, &johns, Some("john@example.com"), false),
            (&mallory, &guests, Some("john@example.com"), false),
            (&anonymous, &johns, Some("john@example.com"), true),
            (&anonymous, &johns, Some("mallory@example.com"), false),
            (&anonymous, &guests, Some("mallory@example.com"), false),
        ] {
            let answer = add(&server, user, ticket_ref, email).await;
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
        let answer = server.post(&anonymous, ADD_MESSAGE, unknown).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, "Ticket SMI-2026-999999 not found"));
    }

    async fn a_resolved_or_closed_ticket_accepts_no_message(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let ticket_ref = server.create_ticket(&john, "John's").await;
        for status in ["resolved", "closed"] {
            server.set_status(&sarah, &ticket_ref, status).await;
            let answer = add(&server, &john, &ticket_ref, None).await;
            assert_eq!(
                (answer.status, answer.message()),
                (StatusCode::BAD_REQUEST, "Cannot add messages to a closed or resolved ticket")
            );
            assert_eq!(answer.body["code"], "TICKET_CLOSED");
        }
        for status in ["pending", "in_progress", "waiting_user", "escalated"] {
            server.set_status(&sarah, &ticket_ref, status).await;
            assert_eq!(add(&server, &john, &ticket_ref, None).await.status, StatusCode::CREATED, "{status}");
        }
    }

    async fn a_message_to_a_conversations_ticket_is_a_message_of_the_conversation(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let conversation = server.open_conversation(&john).await;
        let ticket_ref = TicketRef::from_answer(&server.create_ticket_from(&sarah, &conversation).await);
        assert_eq!(add(&server, &john, &ticket_ref, None).await.status, StatusCode::CREATED);
        let seen = server.get(&john, &format!("{MY_CONVERSATIONS}/{conversation}")).await;
        assert_eq!(seen.body["data"]["conversation"]["messages"][1]["message"], "More of it");
        assert_eq!(seen.body["data"]["conversation"]["status"], "waiting_support");
        let ticket = server.get(&john, &format!("{TICKET}?ticket_number={}", ticket_ref.number)).await;
        assert_eq!(ticket.body["data"]["ticket"]["total_messages"], 2);
        assert_eq!(ticket.body["data"]["ticket"]["conversation_id"], conversation.as_str());
        server.agent_action(&sarah, &conversation, "close", None).await;
        let answer = add(&server, &john, &ticket_ref, None).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, "This conversation has been closed"));
    }

    async fn a_repeat_with_the_same_key_adds_no_second_message(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let ticket_ref = server.create_guest_ticket("john@example.com").await;
        let body = |name: &str| json!({
            "ticket_number": ticket_ref.number, "message": "Once", "email": "john@example.com", "client_message_id": name,
        });
        let first = server.post(&TestUser::anonymous(), ADD_MESSAGE, body("0123456789abcdef")).await;
        server.set_status(&TestUser::agent("sarah"), &ticket_ref, "closed").await;
        let again = server.post(&TestUser::anonymous(), ADD_MESSAGE, body("0123456789abcdef")).await;
        assert_eq!((first.status, &first.body), (again.status, &again.body));
        let short = server.post(&TestUser::anonymous(), ADD_MESSAGE, body("0123456789abcde")).await;
        assert_eq!(short.message(), "client_message_id must be at least 16 characters");
        // With a token, a short key is allowed.
        let mike = server.create_ticket(&TestUser::customer("mike"), "Mike's").await;
        let body = json!({ "ticket_number": mike.number, "message": "Once", "client_message_id": "1" });
        assert_eq!(server.post(&TestUser::customer("mike"), ADD_MESSAGE, body).await.status, StatusCode::CREATED);
    }
}
