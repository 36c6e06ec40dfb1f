//! `POST /api/v1/support/request-support` and `/create-ticket`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    ApiServer, Backend, CREATE_TICKET, MY_CONVERSATIONS, MY_TICKETS, QUEUE, REQUEST_SUPPORT, SEND, ScratchDatabase,
    TICKET, TICKETS, TestUser, TicketRef, on_both_databases, ticket_body,
};

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

on_both_databases! {
    async fn a_guest_creates_a_ticket(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let more = json!({
            "email": "John@Example.com", "phone_number": "08012345678", "support_type": "PAYMENT_ISSUE",
            "priority": "urgent", "related_transaction_id": " tx-1 ", "session_id": "session-1",
            "device_metadata": { "platform": "ios" },
        });
        let answer = server.post(&TestUser::anonymous(), REQUEST_SUPPORT, with(ticket_body("A payment"), more)).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "guest_token": "[token]",
                "message": "Your ticket has been created. Our team will review it and respond as soon as possible.",
                "ticket": {
                  "conversation_id": null,
                  "created_at": "[timestamp]",
                  "description": "It keeps failing",
                  "email": "john@example.com",
                  "feedback": null,
                  "id": "[id]",
                  "last_response_at": null,
                  "messages": [
                    {
                      "attachments": null,
                      "created_at": "[timestamp]",
                      "id": "[id]",
                      "is_from_user": true,
                      "message": "It keeps failing",
                      "sender_email": "john@example.com",
                      "sender_name": null,
                      "seq": 1
                    }
                  ],
                  "phone_number": "08012345678",
                  "priority": "urgent",
                  "related_transaction_id": "tx-1",
                  "satisfaction_rating": null,
                  "status": "pending",
                  "subject": "A payment",
                  "support_type": "PAYMENT_ISSUE",
                  "ticket_number": "SMI-year-000001",
                  "total_messages": 1,
                  "updated_at": "[timestamp]"
                }
              },
              "message": "Support ticket created successfully",
              "success": true
            }
            "#) };
        let id = TicketRef::from_answer(&answer).id;
        let seen = server.get(&TestUser::agent("sarah"), &format!("{TICKETS}/{id}")).await.body;
        assert_eq!(seen["data"]["device_metadata"], json!({ "platform": "ios" }));
        assert_eq!(seen["data"]["session_id"], "session-1");
        assert_eq!(seen["data"]["user_id"], json!(null));
    }

    async fn an_account_creates_a_ticket_with_the_address_of_its_token(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        for path in [CREATE_TICKET, REQUEST_SUPPORT] {
            let body = with(ticket_body("A question"), json!({ "email": "mallory@example.com" }));
            let answer = server.post(&john, path, body).await;
            let ticket = &answer.body["data"]["ticket"];
            assert_eq!(ticket["email"], "john@example.com", "{path}");
            assert_eq!(ticket["phone_number"], "+2348012345678");
            assert_eq!(ticket["messages"][0]["sender_name"], "John Doe");
        }
        let seen = server.get(&john, MY_TICKETS).await;
        assert_eq!(seen.body["data"]["total_tickets"], 2);
        let own_number = with(ticket_body("A question"), json!({ "phone_number": "0800" }));
        let answer = server.post(&john, CREATE_TICKET, own_number).await;
        assert_eq!(answer.body["data"]["ticket"]["phone_number"], "0800");
    }

    async fn the_priority_follows_the_type_and_the_type_the_session(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        for (more, support_type, priority) in [
            (json!({}), "GENERAL_INQUIRY", "low"),
            (json!({ "support_type": null, "priority": null }), "GENERAL_INQUIRY", "low"),
            (json!({ "session_id": "s" }), "REGISTRATION_ISSUE", "high"),
            (json!({ "session_id": " " }), "GENERAL_INQUIRY", "low"),
            (json!({ "session_id": "s", "support_type": "OTHER" }), "OTHER", "low"),
            (json!({ "support_type": "SECURITY_ISSUE" }), "SECURITY_ISSUE", "high"),
            (json!({ "support_type": "REFUND_REQUEST" }), "REFUND_REQUEST", "high"),
            (json!({ "support_type": "LOGIN_ISSUE" }), "LOGIN_ISSUE", "high"),
            (json!({ "support_type": "FEATURE_REQUEST" }), "FEATURE_REQUEST", "low"),
            (json!({ "support_type": "TRANSACTION_ISSUE" }), "TRANSACTION_ISSUE", "medium"),
            (json!({ "support_type": "KYC_VERIFICATION_ISSUE" }), "KYC_VERIFICATION_ISSUE", "medium"),
            (json!({ "support_type": "SECURITY_ISSUE", "priority": "low" }), "SECURITY_ISSUE", "low"),
        ] {
            let answer = server.post(&john, CREATE_TICKET, with(ticket_body("x"), more.clone())).await;
            let ticket = &answer.body["data"]["ticket"];
            assert_eq!((&ticket["support_type"], &ticket["priority"]), (&json!(support_type), &json!(priority)), "{more}");
        }
    }

    async fn a_request_that_names_a_ticket_adds_a_message_to_it(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (first, anonymous) = (server.create_guest_ticket("john@example.com").await, TestUser::anonymous());
        let more = |email: &str, number: &str| {
            let more = json!({ "email": email, "ticket_number": number, "description": "Still failing" });
            server.post(&anonymous, REQUEST_SUPPORT, with(ticket_body("Again"), more))
        };
        let answer = more("JOHN@example.com", &first.number).await;
        assert_eq!(TicketRef::from_answer(&answer).id, first.id);
        assert_eq!(answer.body["data"]["ticket"]["subject"], "A guest's");
        let texts: Vec<_> = answer.body["data"]["ticket"]["messages"]
            .as_array().unwrap().iter().map(|message| message["message"].clone()).collect();
        assert_eq!(texts, ["It keeps failing", "Still failing"]);
        let wrong = more("mallory@example.com", &first.number).await;
        assert_eq!((wrong.status, wrong.message()), (StatusCode::BAD_REQUEST, "Email does not match the ticket owner"));
        let unknown = more("john@example.com", "SMI-1999-000001").await;
        assert_ne!(TicketRef::from_answer(&unknown).id, first.id);
        server.set_status(&TestUser::agent("sarah"), &first, "resolved").await;
        let done = more("john@example.com", &first.number).await;
        assert_eq!(
            (done.status, done.message()),
            (StatusCode::BAD_REQUEST, "Cannot add messages to a closed or resolved ticket")
        );
    }

    async fn a_repeat_with_the_same_key_creates_no_second_ticket(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let servers = [ApiServer::start(&database).await, ApiServer::start(&database).await];
        let guest = with(ticket_body("Once"), json!({ "email": "john@example.com" }));
        let named = |body: &Value, name: &str| with(body.clone(), json!({ "client_message_id": name }));
        for (user, path, body) in [
            (TestUser::customer("john"), CREATE_TICKET, ticket_body("Once")),
            (TestUser::anonymous(), REQUEST_SUPPORT, guest.clone()),
        ] {
            let first = servers[0].post(&user, path, named(&body, "a-name-of-16-characters")).await;
            let ticket_ref = TicketRef::from_answer(&first);
            // Later changes do not affect the answer.
            servers[1].set_status(&TestUser::agent("sarah"), &ticket_ref, "closed").await;
            for server in &servers {
                let again = server.post(&user, path, named(&body, "a-name-of-16-characters")).await;
                assert_eq!((again.status, &again.body), (first.status, &first.body));
                let by_header = server.request(reqwest::Method::POST, &user, path)
                    .header("idempotency-key", "a-name-of-16-characters").send(Some(body.clone())).await;
                assert_eq!(by_header.body, first.body);
            }
            let other = named(&with(body, json!({ "description": "Another" })), "a-name-of-16-characters");
            let other = servers[0].post(&user, path, other).await;
            assert_eq!(other.status, StatusCode::CONFLICT);
        }
        let short = servers[0].post(&TestUser::anonymous(), REQUEST_SUPPORT, named(&guest, "0123456789abcde")).await;
        assert_eq!(
            (short.status, short.message()),
            (StatusCode::BAD_REQUEST, "client_message_id must be at least 16 characters")
        );
        let list = servers[0].get(&TestUser::agent("sarah"), TICKETS).await;
        assert_eq!(list.body["data"]["meta"]["total"], 2);
    }

    async fn the_thread_of_a_ticket_is_not_listed_as_a_conversation(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let ticket_ref = server.create_ticket(&john, "A question").await;
        assert_eq!(server.get(&john, MY_CONVERSATIONS).await.body["data"]["conversations"], json!([]));
        let detail = server.get(&john, &format!("{TICKET}?ticket_number={}", ticket_ref.number)).await;
        assert_eq!(detail.body["data"]["ticket"]["conversation_id"], json!(null));
        // Nor by the ticket's id.
        let id = &ticket_ref.id;
        assert_eq!(server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(server.get(&sarah, &format!("{QUEUE}/{id}")).await.status, StatusCode::NOT_FOUND);
        let send = json!({ "message": "Hello", "conversation_id": id });
        assert_eq!(server.post(&john, SEND, send).await.status, StatusCode::NOT_FOUND);
    }
}
