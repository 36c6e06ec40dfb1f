//! `POST …/conversations/:id/create-ticket`.

use insta::{allow_duplicates, assert_snapshot};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    ApiServer, Backend, MY_CONVERSATIONS, MY_TICKETS, QUEUE, SEND, ScratchDatabase, TICKETS, TestUser, TicketRef,
    on_both_databases, ticket_body,
};

on_both_databases! {
    async fn a_conversation_gets_one_ticket(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah, mike) = (TestUser::customer("john"), TestUser::agent("sarah"), TestUser::agent("mike"));
        let id = server.open_conversation(&john).await;
        server.agent_action(&sarah, &id, "claim", None).await;
        let answer = server.create_ticket_from(&mike, &id).await;
        allow_duplicates! { assert_snapshot!(answer.snapshot(), @r#"
            201 Created
            content-type: application/json

            {
              "data": {
                "ticket": {
                  "conversation_id": "[id]",
                  "id": "[id]",
                  "priority": "medium",
                  "status": "in_progress",
                  "subject": "Of a conversation",
                  "support_type": "GENERAL_INQUIRY",
                  "ticket_number": "SMI-year-000001"
                }
              },
              "message": "Ticket created from conversation",
              "success": true
            }
            "#) };
        let ticket_ref = TicketRef::from_answer(&answer);
        let again = server.create_ticket_from(&sarah, &id).await;
        let message = format!("This conversation already has ticket {}", ticket_ref.number);
        assert_eq!((again.status, again.message()), (StatusCode::BAD_REQUEST, message.as_str()));
        assert_eq!(again.body["code"], "TICKET_EXISTS");
        // The ticket has the conversation's user, address, phone number, device and assignee.
        let ticket = server.get(&sarah, &format!("{TICKETS}/{}", ticket_ref.id)).await.body["data"].clone();
        assert_eq!(
            [&ticket["user_id"], &ticket["email"], &ticket["phone_number"], &ticket["assigned_to"]],
            ["john", "john@example.com", "+2348012345678", "sarah"].map(|text| json!(text)).each_ref()
        );
        assert_eq!(ticket["device_metadata"], json!({ "platform": "unknown" }));
        let mine = server.get(&john, MY_TICKETS).await;
        assert_eq!(mine.body["data"]["tickets"][0]["conversation_id"], id.as_str());
    }

    async fn only_subject_and_description_are_required(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        let body = json!({
            "subject": " S ", "description": " D ", "support_type": "REFUND_REQUEST", "priority": "urgent",
            "related_transaction_id": "tx-1",
        });
        let ticket_ref = TicketRef::from_answer(&server.post(&sarah, &format!("{QUEUE}/{id}/create-ticket"), body).await);
        let ticket = server.get(&sarah, &format!("{TICKETS}/{}", ticket_ref.id)).await.body["data"].clone();
        let shown = ["subject", "description", "support_type", "priority", "related_transaction_id"].map(|key| &ticket[key]);
        assert_eq!(shown, ["S", "D", "REFUND_REQUEST", "urgent", "tx-1"].map(|text| json!(text)).each_ref());
        assert_eq!(ticket["assigned_to"], json!(null));
    }

    async fn messages_before_and_after_the_ticket_belong_to_it(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let id = server.open_conversation(&john).await;
        let ticket_ref = TicketRef::from_answer(&server.create_ticket_from(&sarah, &id).await);
        let reply = format!("{TICKETS}/{}/reply", ticket_ref.id);
        server.post(&sarah, &reply, json!({ "message": "Through the ticket" })).await;
        server.post(&john, SEND, json!({ "message": "Through the chat", "conversation_id": id })).await;
        let chat = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await;
        let texts: Vec<&Value> = chat.body["data"]["conversation"]["messages"]
            .as_array().unwrap().iter().map(|message| &message["message"]).collect();
        assert_eq!(texts, ["Hello", "Through the ticket", "Through the chat"]);
        let ticket = server.get(&sarah, &format!("{TICKETS}/{}", ticket_ref.id)).await;
        assert_eq!(ticket.body["data"]["total_messages"], 3);
        // The reply has claimed the conversation, as any first reply does.
        let detail = server.get(&sarah, &format!("{QUEUE}/{id}")).await;
        assert_eq!(detail.body["data"]["assigned_to"], "sarah");
    }

    async fn a_conversations_rules_hold_in_its_ticket(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah, mike) = (TestUser::customer("john"), TestUser::agent("sarah"), TestUser::agent("mike"));
        let id = server.open_conversation(&john).await;
        server.agent_action(&sarah, &id, "claim", None).await;
        let ticket_ref = TicketRef::from_answer(&server.create_ticket_from(&sarah, &id).await);
        let reply = format!("{TICKETS}/{}/reply", ticket_ref.id);
        let other = server.post(&mike, &reply, json!({ "message": "Hi" })).await;
        assert_eq!((other.status, other.message()), (
            StatusCode::FORBIDDEN,
            "This conversation is assigned to another support agent. Request a handover to take it over.",
        ));
        let note = server.post(&mike, &reply, json!({ "message": "Hi", "is_internal": true })).await;
        assert_eq!(note.status, StatusCode::CREATED);
        server.agent_action(&sarah, &id, "close", None).await;
        let closed = server.post(&sarah, &reply, json!({ "message": "Hi" })).await;
        assert_eq!(
            (closed.status, closed.message()),
            (StatusCode::BAD_REQUEST, "Cannot reply to a closed conversation")
        );
    }
}

#[tokio::test]
async fn every_field_is_validated_before_the_conversation_is_looked_up() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
    let unknown = format!("{QUEUE}/nonsense/create-ticket");
    let wrong = json!({ "support_type": "x", "priority": "x", "related_transaction_id": "x".repeat(129) });
    let answer = server.post(&sarah, &unknown, wrong).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let fields: Vec<&Value> = answer.body["details"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert_eq!(fields, ["subject", "description", "support_type", "priority", "related_transaction_id"]);
    let missing = server.post(&sarah, &unknown, ticket_body("x")).await;
    assert_eq!((missing.status, missing.message()), (StatusCode::NOT_FOUND, "Conversation not found"));
    let id = server.open_conversation(&john).await;
    for (subject, description, status) in [
        (201, 1, StatusCode::BAD_REQUEST),
        (1, 5001, StatusCode::BAD_REQUEST),
        (0, 1, StatusCode::BAD_REQUEST),
        (1, 0, StatusCode::BAD_REQUEST),
        (200, 5000, StatusCode::CREATED),
    ] {
        let body = json!({ "subject": "👋".repeat(subject), "description": "👋".repeat(description) });
        let answer = server.post(&sarah, &format!("{QUEUE}/{id}/create-ticket"), body).await;
        assert_eq!(answer.status, status, "{subject} {description}");
    }
}
