//! `GET /api/v1/support/my-tickets` and `/ticket`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    ADD_MESSAGE, ApiServer, Backend, CREATE_TICKET, MY_TICKETS, REQUEST_SUPPORT, ScratchDatabase, TICKET, TICKETS,
    TestUser, TicketRef, on_both_databases, ticket_body,
};

on_both_databases! {
    async fn a_ticket_and_the_customers_list_have_the_contracts_form(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let ticket_ref = server.create_ticket(&john, "A question").await;
        let reply = format!("{TICKETS}/{}/reply", ticket_ref.id);
        server.post(&sarah, &reply, json!({ "message": "Careful", "is_internal": true })).await;
        server.post(&sarah, &reply, json!({ "message": "Hi John" })).await;
        let ticket = server.get(&john, &format!("{TICKET}?ticket_number={}", ticket_ref.number)).await;
        allow_duplicates! { assert_snapshot!(ticket.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "ticket": {
                  "conversation_id": null,
                  "created_at": "[timestamp]",
                  "description": "It keeps failing",
                  "email": "john@example.com",
                  "feedback": null,
                  "has_more": false,
                  "id": "[id]",
                  "last_response_at": "[timestamp]",
                  "messages": [
                    {
                      "attachments": null,
                      "created_at": "[timestamp]",
                      "id": "[id]",
                      "is_from_user": true,
                      "message": "It keeps failing",
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
                  "priority": "low",
                  "related_transaction_id": null,
                  "satisfaction_rating": null,
                  "status": "in_progress",
                  "subject": "A question",
                  "support_type": "GENERAL_INQUIRY",
                  "ticket_number": "SMI-year-000001",
                  "total_messages": 2,
                  "updated_at": "[timestamp]"
                }
              },
              "message": "Ticket retrieved",
              "success": true
            }
            "#) };
        let list = server.get(&john, MY_TICKETS).await;
        allow_duplicates! { assert_snapshot!(list.snapshot(), @r#"
            200 OK
            content-type: application/json

            {
              "data": {
                "tickets": [
                  {
                    "conversation_id": null,
                    "created_at": "[timestamp]",
                    "has_unread": true,
                    "id": "[id]",
                    "last_message": {
                      "createdAt": "[timestamp]",
                      "is_from_user": false,
                      "message": "Hi John"
                    },
                    "last_response_at": "[timestamp]",
                    "message_count": 2,
                    "priority": "low",
                    "status": "in_progress",
                    "subject": "A question",
                    "support_type": "GENERAL_INQUIRY",
                    "ticket_number": "SMI-year-000001",
                    "updated_at": "[timestamp]"
                  }
                ],
                "total_tickets": 1
              },
              "message": "Tickets fetched",
              "success": true
            }
            "#) };
    }

    async fn the_customers_list_shows_their_own_tickets_newest_first(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        server.create_ticket(&TestUser::customer("mallory"), "Mallory's").await;
        server.create_guest_ticket("john@example.com").await;
        let conversation = server.open_conversation(&john).await;
        let first = server.create_ticket(&john, "First").await;
        let second = TicketRef::from_answer(&server.create_ticket_from(&sarah, &conversation).await);
        let third = server.create_ticket(&john, "Third").await;
        // A change of a ticket does not move it in the list.
        server.post(&john, ADD_MESSAGE, json!({ "ticket_number": first.number, "message": "More" })).await;
        let list = server.get(&john, MY_TICKETS).await.body;
        let numbers: Vec<&Value> =
            list["data"]["tickets"].as_array().unwrap().iter().map(|ticket| &ticket["ticket_number"]).collect();
        assert_eq!(numbers, [&third.number, &second.number, &first.number]);
        assert_eq!(list["data"]["total_tickets"], 3);
        assert_eq!(list["data"]["tickets"][1]["conversation_id"], conversation.as_str());
        assert_eq!(list["data"]["tickets"][2]["message_count"], 2);
    }

    async fn a_ticket_number_alone_reveals_nothing(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, anonymous) = (TestUser::customer("john"), TestUser::anonymous());
        let johns = server.create_ticket(&john, "John's").await;
        let guests = server.create_guest_ticket("jane@example.com").await;
        let ask = |user: &TestUser, number: &str, email: &str| {
            let path = format!("{TICKET}?ticket_number={number}{email}");
            let request = server.request(Method::GET, user, &path);
            async move { request.send(None).await }
        };
        let unknown = ask(&anonymous, "SMI-2026-999999", "&email=jane@example.com").await;
        allow_duplicates! { assert_snapshot!(unknown.snapshot(), @r#"
            404 Not Found
            content-type: application/json

            {
              "code": "NOT_FOUND",
              "error": "Not Found",
              "message": "Ticket SMI-2026-999999 not found",
              "statusCode": 404,
              "success": false
            }
            "#) };
        let (mallory, jane, sarah) = (TestUser::customer("mallory"), TestUser::customer("jane"), TestUser::agent("sarah"));
        for (user, ticket_ref, email, may) in [
            (&john, &johns, "", true),
            (&sarah, &johns, "", true),
            (&sarah, &guests, "", true),
            (&anonymous, &johns, "&email=JOHN@example.com", true),
            (&anonymous, &guests, "&email=jane@Example.com", true),
            (&mallory, &johns, "", false),
            (&mallory, &johns, "&email=john@example.com", false),
            (&jane, &guests, "", false),
            (&anonymous, &guests, "", false),
            (&anonymous, &guests, "&email=", false),
            (&anonymous, &guests, "&email=jane", false),
            (&anonymous, &guests, "&email=john@example.com", false),
            (&anonymous, &johns, "&email=jane@example.com", false),
        ] {
            let answer = ask(user, &ticket_ref.number, email).await;
            if may {
                assert_eq!(answer.body["data"]["ticket"]["id"], ticket_ref.id.as_str(), "{email}");
            } else {
                let mut as_unknown = unknown.body.clone();
                as_unknown["message"] = json!(format!("Ticket {} not found", ticket_ref.number));
                assert_eq!((answer.status, &answer.body), (StatusCode::NOT_FOUND, &as_unknown), "{email}");
            }
        }
    }

    async fn a_long_ticket_is_read_in_pages(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let john = TestUser::customer("john");
        let ticket_ref = server.create_ticket(&john, "Long").await;
        for number in 2..=5 {
            let body = json!({ "ticket_number": ticket_ref.number, "message": number.to_string() });
            server.post(&john, ADD_MESSAGE, body).await;
        }
        for (query, seqs, has_more) in [
            ("", vec![1, 2, 3, 4, 5], false),
            ("&limit=2", vec![4, 5], true),
            ("&after_seq=1&limit=2", vec![2, 3], true),
            ("&before_seq=3", vec![1, 2], false),
        ] {
            let answer = server.get(&john, &format!("{TICKET}?ticket_number={}{query}", ticket_ref.number)).await;
            let ticket = &answer.body["data"]["ticket"];
            let got: Vec<&Value> = ticket["messages"].as_array().unwrap().iter().map(|one| &one["seq"]).collect();
            assert_eq!(got, seqs.into_iter().map(Value::from).collect::<Vec<_>>().iter().collect::<Vec<_>>(), "{query}");
            assert_eq!((&ticket["total_messages"], &ticket["has_more"]), (&json!(5), &json!(has_more)), "{query}");
        }
    }
}

#[tokio::test]
async fn a_ticket_number_is_required_and_may_be_any_text() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let john = TestUser::customer("john");
    for query in ["", "?ticket_number=", "?ticket_number=%20"] {
        let answer = server.get(&john, &format!("{TICKET}{query}")).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, "ticket_number must not be empty"));
        assert_eq!(answer.body["details"][0]["field"], "ticket_number");
    }
    for number in ["x".repeat(5000), "%00".to_owned(), "%27%20OR%201=1".to_owned(), "%25".to_owned()] {
        let answer = server.get(&john, &format!("{TICKET}?ticket_number={number}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{number}");
    }
}

/// Every endpoint by every kind of caller.
#[tokio::test]
async fn each_endpoint_admits_the_right_callers() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let device = [("SWITCHBOARD__GUARD__MODE", "device")];
    let server = ApiServer::start_with(&database, &device).await;
    let (john, anonymous) = (TestUser::customer("john"), TestUser::anonymous());
    let bad = TestUser { token: "x.y.z".to_owned() };
    let ticket_ref = server.create_ticket(&john, "John's").await;
    let rate = format!("/api/v1/support/ticket/{}/rate", ticket_ref.number);
    for (method, path) in [(Method::POST, CREATE_TICKET), (Method::GET, MY_TICKETS), (Method::POST, rate.as_str())] {
        for user in [&anonymous, &bad] {
            let answer = server.request(method.clone(), user, path).send(Some(ticket_body("x"))).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::UNAUTHORIZED, "Unauthorized"), "{path}");
        }
    }
    let read = format!("{TICKET}?ticket_number={}&email=john@example.com", ticket_ref.number);
    let mut body = ticket_body("x");
    body["email"] = json!("john@example.com");
    body["message"] = json!("More");
    body["ticket_number"] = json!(ticket_ref.number);
    for (method, path, status) in [
        (Method::POST, REQUEST_SUPPORT, StatusCode::CREATED),
        (Method::POST, ADD_MESSAGE, StatusCode::CREATED),
        (Method::GET, read.as_str(), StatusCode::OK),
    ] {
        let send = |user: &TestUser| server.request(method.clone(), user, path);
        let body = (method == Method::POST).then(|| body.clone());
        for user in [&anonymous, &bad] {
            let answer = send(user).send(body.clone()).await;
            assert_eq!((answer.status, answer.message()), (StatusCode::BAD_REQUEST, "X-Device-Id header is required"));
        }
        assert_eq!(send(&john).send(body.clone()).await.status, status, "{path}");
        let shown = send(&anonymous).header("x-device-id", "d").header("x-device-fingerprint", "f");
        assert_eq!(shown.header("x-request-id", "r").send(body).await.status, status, "{path}");
    }
}
